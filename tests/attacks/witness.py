"""What every attack must leave as it was: a server that lives, answers others, forgets who left, and names nobody in its log."""

import re
import socket
import threading
import time

from driver.frames import HANDSHAKE, TEXT, frame
from driver.server import Server, eventually

HEARTBEAT_SECONDS = 0.25
# On loopback an answer takes less than a millisecond. The rest is for machines that do other things.
ANSWER_SECONDS_MAX = 1.0
LEAVES_SECONDS_MAX = 8
ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|::1")


class Witness:
    """An honest client of another address, which sends heartbeats for as long as the attack goes on."""

    def __init__(self, server: Server):
        self.server = server
        self.slowest_seconds = 0.0
        self.failure: str | None = None
        self._over = threading.Event()
        self._connection = socket.create_connection(
            ("127.0.0.1", server.port), timeout=10, source_address=("127.0.0.9", 0)
        )
        self._ask(HANDSHAKE.encode(), b"101 Switching Protocols")
        self._ask(frame(TEXT, b'{"type":"REGISTER","payload":{"clientId":"witness"}}'), b"REGISTERED")
        self.connections = server.metrics()["securecall_connections"]
        self._log_before = len(server.log())
        self._thread = threading.Thread(target=self._ask_for_ever, daemon=True)
        self._thread.start()

    def assert_unharmed(self, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are the words of the attack that no log may hold."""
        assert self.server.process.poll() is None, f"the server ended:\n{self.server.log()}"
        assert eventually(self._everybody_left, LEAVES_SECONDS_MAX), self.server.metrics()["securecall_connections"]
        assert self.failure is None, self.failure
        assert self.slowest_seconds < ANSWER_SECONDS_MAX, f"an honest client waited {self.slowest_seconds:.2f} s"
        self.slowest_seconds = 0.0
        self._assert_discreet(secrets)

    def leave(self) -> None:
        self._over.set()
        self._thread.join()
        self._connection.close()

    def _everybody_left(self) -> bool:
        return self.server.metrics()["securecall_connections"] == self.connections

    def _assert_discreet(self, secrets: tuple[str, ...]) -> None:
        log = self.server.log()[self._log_before:]
        assert not ADDRESS.search(log), f"an address is logged:\n{log}"
        for word in secrets:
            assert word not in log, f"{word!r} is logged:\n{log}"

    def _ask_for_ever(self) -> None:
        question = frame(TEXT, b'{"type":"HEARTBEAT","payload":{}}')
        while not self._over.wait(HEARTBEAT_SECONDS):
            try:
                began = time.monotonic()
                self._ask(question, b"HEARTBEAT_ACK")
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
            except (OSError, AssertionError) as error:
                self.failure = f"the honest client: {error!r}"
                return

    def _ask(self, question: bytes, answer: bytes) -> None:
        self._connection.sendall(question)
        heard = self._connection.recv(4096)
        assert answer in heard, heard
