"""Processes with a file system, a process table and a network of their own; the tests' clients can reach into the network."""

import contextlib
import ctypes
import os
import signal
import subprocess
from pathlib import Path

from driver.server import eventually

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Namespaces:
    """A first process in namespaces of its own. Everything in them ends with it."""

    def __init__(self, script: Path, *arguments: object, log: Path):
        self.log_path = log
        with log.open("w") as output:
            # `--kill-child`: they do not outlive the tests.
            self.unshare = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child",
                 "bash", script, *map(str, arguments)],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )
        assert eventually(self._children, 5), self.log()
        self.pid = int(self._children()[0])

    def _children(self) -> list[str]:
        return Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text().split()

    def run(self, *command: object, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess:
        """Runs a command inside, as root, and gives what it printed, its errors among it."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--all", "--root", "--wdns=/", *map(str, command)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{self.log()}"
        return done

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread opens meanwhile are in there."""
        with open("/proc/thread-self/ns/net") as outside, open(f"/proc/{self.pid}/ns/net") as inside:
            enter(inside.fileno())
            try:
                yield
            finally:
                enter(outside.fileno())

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self) -> None:
        if self.unshare.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.unshare.wait(10)


def enter(namespace: int) -> None:
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
