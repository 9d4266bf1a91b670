"""Many connections at once: honest ones, whose latency is measured, and ones that flood."""

import os
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from driver.frames import HANDSHAKE, TEXT, frame
from driver.server import Server, binary

HONEST_ADDRESS = "127.0.0.2"
# Between one heartbeat and the next, in seconds.
PAUSE = 0.002
HEARTBEAT = frame(TEXT, b'{"type":"HEARTBEAT","payload":{}}')


@dataclass
class Latencies:
    """Of heartbeats, in milliseconds."""

    p50: float
    p99: float
    slowest: float
    count: int

    @classmethod
    def of(cls, seconds: list[float]) -> "Latencies":
        """Who waits for an answer asks nothing meanwhile; what was not asked would have waited as well."""
        missed = [second - k * PAUSE for second in seconds for k in range(1, int(second / PAUSE))]
        ordered = sorted(second * 1000 for second in seconds + missed)
        return cls(statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1], len(ordered))

    def __str__(self) -> str:
        return f"p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms, slowest {self.slowest:.1f} ms of {self.count}"


def connect(
    server: Server, address: str = "127.0.0.1", receive_buffer: int | None = None, tls: ssl.SSLContext | None = None
) -> socket.socket:
    """An upgraded connection from this loopback address."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(20)
    connection.bind((address, 0))
    connection.connect(("127.0.0.1", server.port))
    if tls:
        connection = tls.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(HANDSHAKE.encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return connection


def register(connection: socket.socket, client_id: str, **more) -> None:
    fields = "".join(f',"{key}":{value}' for key, value in more.items())
    text = f'{{"type":"REGISTER","payload":{{"clientId":"{client_id}"{fields}}}}}'
    connection.sendall(frame(TEXT, text.encode()))
    assert b'"REGISTERED"' in connection.recv(65536)


class Honest:
    """Registered clients of another address, a few on each worker."""

    def __init__(self, server: Server, count: int = 20, tls: ssl.SSLContext | None = None):
        self.connections = [connect(server, HONEST_ADDRESS, tls=tls) for _ in range(count)]
        for number, connection in enumerate(self.connections):
            register(connection, f"honest-{number}")

    def measure(self, seconds: float, until=lambda: False) -> Latencies:
        """Heartbeats one after the other, on one connection after the other."""
        latencies: list[float] = []
        end = time.monotonic() + seconds
        while len(latencies) < 50 or (time.monotonic() < end and not until()):
            connection = self.connections[len(latencies) % len(self.connections)]
            began = time.monotonic()
            connection.sendall(HEARTBEAT)
            # A heartbeat over its rate is answered too.
            assert connection.recv(4096), "the server closed an honest connection"
            latencies.append(time.monotonic() - began)
            time.sleep(PAUSE)
        return Latencies.of(latencies)


@contextmanager
def stopped(server: Server):
    """The server does nothing meanwhile: what is sent to it waits in the kernel."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def fill(connection: socket.socket, first: bytes, repeated: bytes, bytes_max: int, at_once: int = 65536) -> int:
    """Sends as much as the kernel takes at once, whole frames at its beginning. Returns how many bytes."""
    backlog = first + repeated * (bytes_max // max(len(repeated), 1))
    connection.setblocking(False)
    sent = 0
    try:
        while sent < len(backlog):
            sent += connection.send(backlog[sent:sent + at_once])
    except (BlockingIOError, ssl.SSLWantWriteError, ConnectionError):
        # The kernel takes no more, or the server has given this one up.
        pass
    return sent


def resident_bytes(server: Server) -> int:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def self_signed(folder: Path) -> tuple[list[str], ssl.SSLContext]:
    """Flags for a server with TLS, and a client's context that believes it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )
    flags = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    return flags, ssl.create_default_context(cafile=certificate)


class Watch:
    """The most memory that a server is seen to have for as long as this is open."""

    def __init__(self, server: Server):
        self.server = server
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, resident_bytes(self.server))


class Contention:
    """How many times longer the server's work takes because other programs have the processors."""

    def __init__(self, server: Server):
        self.tasks = Path(f"/proc/{server.process.pid}/task")
        self.factor = 1.0

    def __enter__(self) -> "Contention":
        self._begin = self._ran_and_waited()
        return self

    def __exit__(self, *_) -> None:
        ran, waited = (now - then for now, then in zip(self._ran_and_waited(), self._begin))
        self.factor = (ran + waited) / max(ran, 1)

    def _ran_and_waited(self) -> tuple[int, int]:
        """Nanoseconds of all threads (the kernel's documentation: scheduler/sched-stats)."""
        threads = [path.read_text().split() for path in self.tasks.glob("*/schedstat")]
        return sum(int(fields[0]) for fields in threads), sum(int(fields[1]) for fields in threads)


def slowness_of_build() -> float:
    """A build for debugging is measured too, with what it costs."""
    return 5 if binary().parent.name == "debug" else 1
