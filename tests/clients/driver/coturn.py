"""A real TURN server (Debian's coturn) on loopback, and its own client to try credentials on it."""

import base64
import hashlib
import hmac
import subprocess
from dataclasses import dataclass
from pathlib import Path

from driver.server import accepts, eventually, free_port


@dataclass
class Credential:
    username: str
    password: str


def credential(secret: str, username: str) -> Credential:
    """The TURN REST scheme as coturn's `use-auth-secret` reads it, computed apart from the server under test."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credential(username, base64.b64encode(digest).decode())


class Coturn:
    """A turnserver process that knows exactly one shared secret."""

    def __init__(self, folder: Path, secret: str):
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.log = folder / "turnserver.log"
        options = {
            "listening-ip": "127.0.0.1", "listening-port": self.port, "relay-ip": "127.0.0.1",
            "static-auth-secret": secret, "realm": "securecall.test", "pidfile": folder / "pid",
            "userdb": folder / "turndb", "log-file": self.log,
        }
        flags = ["use-auth-secret", "no-tls", "no-dtls", "no-cli", "allow-loopback-peers", "simple-log", "no-rfc5780"]
        self.process = subprocess.Popen(
            ["turnserver", "-n", *(f"--{name}={value}" for name, value in options.items()), *map("--{}".format, flags)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        if not eventually(lambda: accepts(self.port), seconds=10):
            self.stop()
            raise TimeoutError("turnserver does not listen")

    def allocates(self, credential: Credential) -> bool:
        """Whether this credential gets a relay address, over TCP, that carries packets; False if it is refused."""
        done = subprocess.run(
            ["turnutils_uclient", "-t", "-y", "-c", "-n", "2", "-m", "1", "-p", str(self.port),
             "-u", credential.username, "-w", credential.password, "127.0.0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20,
        )
        carried = done.returncode == 0 and "Total lost packets 0" in done.stdout
        assert carried or "Cannot complete Allocation" in done.stdout, done.stdout
        return carried

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
