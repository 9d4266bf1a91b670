"""A Debian machine: systemd as the first process, over a copy-on-write view of this one's files."""

import shutil
from pathlib import Path

from driver.server import eventually, request
from namespaces import Namespaces

BOOT = Path(__file__).parent / "boot-machine"
PORT = 8080
ADMIN_PORT = 9090


class Machine(Namespaces):
    def __init__(self, folder: Path):
        mount_point = folder / "machine"
        mount_point.mkdir()
        super().__init__(BOOT, mount_point, log=folder / "boot.log")
        assert eventually(self._has_booted, 30, every=0.2), self.log()

    def _has_booted(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def install(self, package: Path) -> str:
        """As `apt` does it: the configuration file that somebody changed stays, nothing is asked."""
        shutil.copy(package, f"/proc/{self.pid}/root/var/tmp")
        return self.run("dpkg", "--force-confold", "--install", f"/var/tmp/{package.name}", timeout=90).stdout

    def unit(self, *properties: str) -> list[str]:
        """Values of properties of the service, in the order asked for."""
        lines = self.run("systemctl", "show", "securecall", *(f"--property={name}" for name in properties)).stdout
        values = dict(line.split("=", 1) for line in lines.splitlines())
        return [values[name] for name in properties]

    def journal(self) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit=securecall").stdout

    def write(self, path: str, text: str) -> None:
        self.run("bash", "-c", 'mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0"', path, text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Edits one line of a file, as an operator would."""
        text = self.run("cat", path).stdout
        assert text.count(old) == 1, f"{old!r} is not once in {path}"
        self.write(path, text.replace(old, new))

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        return self.run("systemctl", *arguments, check=check).stdout

    def http(self, path: str, port: int = PORT):
        with self.network():
            return request(port, path)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{PORT}/signal"
