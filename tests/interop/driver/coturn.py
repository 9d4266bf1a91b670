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


REALM = "securecall.test"


class Coturn:
    """A turnserver process. The secrets that it knows are in its database, where they change while it runs."""

    def __init__(self, folder: Path, secret: str, **more_options: object):
        folder.mkdir(exist_ok=True)
        self.database = folder / "turndb"
        self.learn(secret)
        self.port = free_port()
        self.log = folder / "turnserver.log"
        options = {
            "listening-ip": "127.0.0.1", "listening-port": self.port, "relay-ip": "127.0.0.1",
            "realm": REALM, "pidfile": folder / "pid", "userdb": self.database, "log-file": self.log,
            **{name.replace("_", "-"): value for name, value in more_options.items()},
        }
        flags = ["use-auth-secret", "no-tls", "no-dtls", "no-cli", "allow-loopback-peers", "simple-log", "no-rfc5780"]
        self.process = subprocess.Popen(
            ["turnserver", "-n", *(f"--{name}={value}" for name, value in options.items()), *map("--{}".format, flags)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        if not eventually(lambda: accepts(self.port), seconds=10):
            self.stop()
            raise TimeoutError("turnserver does not listen")

    def learn(self, secret: str) -> None:
        """Takes credentials of this secret too, from now on."""
        self._administer("-s", secret)

    def forget(self, secret: str) -> None:
        """Takes credentials of this secret no more, from now on."""
        self._administer("-X", secret)

    def said(self) -> str:
        """Everything in its log."""
        return self.log.read_text(errors="replace")

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

    def _administer(self, *arguments: str) -> None:
        command = ["turnadmin", *arguments, "-r", REALM, "-b", self.database]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
