"""A new user's home beside a running server, and a shell in it that runs blocks as they stand on their page."""

import re
import subprocess
from functools import cached_property
from pathlib import Path

from driver.server import Server, binary, free_port

# Stands before the real command: a block that starts a server is done once that one listens.
WRAPPER = """#!/bin/bash
case "${{1-serve}}" in
  --help|--version) exec {binary} "$@" ;;
  serve|--*) ;;
  *) exec {binary} "$@" ;;
esac
: "${{SECURECALL_LISTEN:=127.0.0.1:{free}}}" "${{SECURECALL_DATA_DIR:=$(mktemp -d)}}"
export SECURECALL_LISTEN SECURECALL_DATA_DIR
said=$(mktemp)
{binary} "$@" > "$said" 2>&1 &
for _ in {{1..300}}; do
  if grep -q "^listening on" "$said"; then kill -TERM $!; wait $!; cat "$said"; exit 0; fi
  kill -0 $! 2>/dev/null || {{ cat "$said" >&2; wait $!; exit; }}
  sleep 0.1
done
kill -KILL $!; echo "it does not listen" >&2; exit 1
"""


class Home:
    """A folder with nothing of SecureCall in it, the command on the PATH, and a server on a port of its own, or that of
    another home. The server starts when something asks for it."""

    def __init__(self, folder: Path, neighbour: "Home | None" = None):
        self.folder = folder
        self.neighbour = neighbour
        for inner in ("bin", "etc/securecall", "run/secrets", "tmp"):
            (folder / inner).mkdir(parents=True)
        (folder / "etc/securecall/securecall.toml").write_text("# As a package leaves it: every default counts.\n")
        command = folder / "bin/securecall"
        command.write_text(WRAPPER.format(binary=binary(), free=free_port()))
        command.chmod(0o755)

    @cached_property
    def server(self) -> Server:
        if self.neighbour:
            return self.neighbour.server
        folder = self.folder / "server"
        folder.mkdir()
        return Server(folder, data_dir=self.folder / "securecall-data")

    @property
    def environment(self) -> dict[str, str]:
        """Names the server where the page relies on the default port."""
        return {
            "HOME": str(self.folder), "PATH": f"{self.folder}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "xterm",
            "LANG": "C.UTF-8", "TMPDIR": str(self.folder / "tmp"), "SECURECALL_SERVER": self.server.url,
        }

    def localized(self, text: str) -> str:
        """The same block for this server's ports, and for folders that a test may write to."""
        etc, data = self.folder / "etc", self.folder / "securecall-data"
        for written, here in (
            (r"wss?://((\w+\.)?example\.(org|net|com)|localhost:8080|127\.0\.0\.1:8080)/signal", self.server.url),
            (r"http://(localhost|127\.0\.0\.1):8080", f"http://127.0.0.1:{self.server.port}"),
            (r"http://(localhost|127\.0\.0\.1):9090", f"http://127.0.0.1:{self.server.admin_port}"),
            (r"--listen \S+", f"--listen 127.0.0.1:{free_port()}"),
            (r'listen = "\S+"', f'listen = "127.0.0.1:{free_port()}"'),
            (r"--admin-listen 9090", "--admin-listen 0"),
            # Never the servers of everybody on this machine.
            (r"\$\((pidof securecall|pgrep -f 'securecall serve')\)", str(self.server.process.pid)),
            (r"/etc/securecall", f"{etc}/securecall"),
            (r"/run/secrets", f"{self.folder}/run/secrets"),
            (r"/var/lib/securecall", str(data)),
        ):
            text = re.sub(written, here, text)
        return text

    def has_certificate(self) -> None:
        """Files as an ACME client leaves them."""
        command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout privkey.pem -out fullchain.pem -days 2 -subj /CN=localhost"
        subprocess.run(["bash", "-c", f"umask 077; {command}"], cwd=self.folder, check=True, capture_output=True)

    def run(self, text: str, timeout: float = 60, merged: bool = False) -> subprocess.CompletedProcess:
        """Runs a block with bash, which stops at the first command that fails."""
        if "fullchain.pem" in text and not (self.folder / "fullchain.pem").exists():
            self.has_certificate()
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.localized(text)], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        )

    def succeeds(self, text: str, **how) -> str:
        done = self.run(text, **how)
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def close(self) -> None:
        if "server" in self.__dict__ and not self.neighbour:
            self.server.stop()
