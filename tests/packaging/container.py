"""A container of the image, as a runtime makes one."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from containerfile import stages
from driver.server import eventually
from namespaces import Namespaces

ENTER = Path(__file__).parent / "enter-image"
DOCKER_STOP_SECONDS = 10


class Container(Namespaces):
    """The image as `docker run --read-only --cap-drop ALL` runs it, with a new volume."""

    def __init__(self, image: Path, folder: Path, user: str | None = None, **environment: str):
        self.user = user or stages()[-1].one("USER")
        self.image, self.volume, self.mount_point = image, folder / "volume", folder / "mount-point"
        self.environment = {**stages()[-1].environment(), **environment}
        # Docker copies owner and mode of the folder in the image to a new volume.
        shutil.copytree(image / "data", self.volume)
        shutil.copystat(image / "data", self.volume)
        os.chown(self.volume, *map(int, self.user.split(":")))
        self.mount_point.mkdir()
        super().__init__(ENTER, image, self.mount_point, self.volume, log=folder / "enter.log")
        assert eventually(lambda: "ready" in self.log(), 5), self.log()
        self.server_log = folder / "server.log"
        self.server = None

    def start(self, *arguments: str) -> None:
        with self.server_log.open("w") as log:
            self.server = subprocess.Popen(self.inside(*stages()[-1].command("ENTRYPOINT"), *arguments),
                                           stdout=log, stderr=subprocess.STDOUT)
        assert eventually(lambda: "listening on" in self.said() or self.server.poll() is not None, 15)
        assert self.server.poll() is None, self.said()

    def inside(self, *command: str) -> list[str]:
        """A command line that runs a program of the image, as its user."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--",
                "env", "-i", *variables,
                "setpriv", "--no-new-privs",
                "/usr/sbin/chroot", f"--userspec={self.user}", "--groups=", str(self.mount_point), *command]

    def ask(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.inside(*command), capture_output=True, text=True, timeout=20)

    def is_healthy(self) -> bool:
        return self.ask(*stages()[-1].health_check()[1]).returncode == 0

    def said(self) -> str:
        return self.server_log.read_text()

    def send(self, name: str) -> None:
        """Sends the server a signal; `nsenter` stands between it and us."""
        [server] = self.pids_of("/usr/bin/securecall")
        os.kill(server, getattr(signal, name))

    def pids_of(self, program: str) -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                inside = os.readlink(process / "ns/pid") == os.readlink(f"/proc/{self.pid}/ns/pid")
                if inside and (process / "cmdline").read_text().startswith(program):
                    found.append(int(process.name))
        return found

    def stop_server(self) -> None:
        self.send("SIGTERM")
        self.server.wait(DOCKER_STOP_SECONDS)

    def stop(self) -> None:
        super().stop()
        if self.server:
            self.server.wait(10)
