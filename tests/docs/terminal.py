"""A terminal with a shell in a home: what is typed, and what shows."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from home import Home

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")
PATIENCE_SECONDS = 60


class Terminal:
    """A pseudo-terminal of 200 columns."""

    def __init__(self, home: Home):
        self.home = home
        self.shown = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.process = subprocess.Popen(
            ["bash", "--norc", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=home.folder, start_new_session=True,
            env={**home.environment, "PS1": "ready> "}, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGHUP)
        os.close(self.master)
        self.process.kill()
        self.process.wait()

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def runs(self, block: str) -> None:
        """Types a block as it stands, for this home's server."""
        self.types(self.home.localized(block))

    def shows(self, pattern: str) -> None:
        """Waits until this shows, after what was waited for before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := re.search(pattern, self.shown)):
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self.master], [], [], max(left, 0))
            if not readable:
                raise AssertionError(f"{pattern!r} does not show, but\n{self.shown}")
            self.shown += ESCAPES.sub("", os.read(self.master, 65_536).decode(errors="replace"))
        self.shown = self.shown[found.end():]
