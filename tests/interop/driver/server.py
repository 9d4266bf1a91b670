"""A `securecall serve` process of a test's own: its own port, its own folder, nothing from the environment."""

import http.client
import itertools
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
LISTENING = re.compile(r"listening on (?:127\.0\.0\.1|0\.0\.0\.0):(\d+)(?: \(all addresses\))?\n")
METRICS = re.compile(r"metrics on http://127\.0\.0\.1:(\d+)/metrics\n")
SAMPLE = re.compile(r"^(\w+)(?:\{.*\})? (\S+)$")
REFUSED = re.compile(r'^securecall_connections_refused_total\{reason="(\w+)"\} (\d+)$', re.MULTILINE)

PORTS = itertools.cycle(range(12_000 + os.getpid() % 100 * 200, 32_700))

# A server that has nothing to recover is up in milliseconds; this only bounds a broken one.
START_SECONDS_MAX = 15


class StartRefused(Exception):
    """The process ended, or said nothing, instead of listening."""


def binary() -> Path:
    """The server under test: SECURECALL_BIN, or the newest of the builds in target/."""
    if chosen := os.environ.get("SECURECALL_BIN"):
        return Path(chosen).resolve()
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    builds = [path for profile in ("release", "dist", "debug") if (path := target / profile / "securecall").exists()]
    if not builds:
        raise FileNotFoundError("no server to test: `cargo build --release`, or set SECURECALL_BIN")
    return max(builds, key=lambda path: path.stat().st_mtime)


def clean_environment(**extra: str) -> dict[str, str]:
    """Settings of whoever runs the tests must not reach the server."""
    return {"PATH": os.environ["PATH"], "RUST_BACKTRACE": "1", **extra}


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody uses. It is below those that the system hands out, so that no connection takes it by
    chance before its server listens, or while that server is down."""
    for port in PORTS:
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("every port is in use")


def accepts(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One server process. `options` are its command-line flags, `environment` what it sees besides them, `under` the
    command that runs it."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, data_dir: Path | None = None,
                 environment: dict[str, str] | None = None, under: tuple[str, ...] = (), listen: str = "127.0.0.1"):
        self.folder = folder
        self.listen = listen
        self.under = under
        self.data_dir = data_dir or folder / "state"
        self.options = options
        self.starts = 0
        self.environment = environment or {}
        self._start(free_port() if port is None else port)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/signal"

    @property
    def log_path(self) -> Path:
        """What the process of the latest start said."""
        return self.folder / f"start-{self.starts}.log"

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def http(self, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        """One plain HTTP request to the public listener."""
        return request(self.port, path, method, headers)

    def metrics(self) -> dict[str, float]:
        """The admin listener's samples, summed over their labels."""
        _, body = request(self.admin_port, "/metrics")
        totals: dict[str, float] = {}
        for line in body.decode().splitlines():
            if sample := SAMPLE.match(line):
                totals[sample[1]] = totals.get(sample[1], 0.0) + float(sample[2])
        return totals

    def refusals(self) -> dict[str, int]:
        """How many connections were not upgraded, by reason; those that occurred."""
        _, body = request(self.admin_port, "/metrics")
        return {reason: int(count) for reason, count in REFUSED.findall(body.decode()) if count != "0"}

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def crash(self) -> None:
        """kill -9: no destructor, no flush, no farewell."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Starts again after a crash, in the same folder and on the same port, as a supervisor would."""
        self._start(self.port)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.crash()

    def _start(self, port: int) -> None:
        self.process = self._spawn(port)
        self.port = self._await(LISTENING)
        self.admin_port = self._await(METRICS)

    def _spawn(self, port: int) -> subprocess.Popen:
        # `listen` by environment, so that PORT can be seen to replace its port.
        listen = {"SECURECALL_LISTEN": f"{self.listen}:{port}"}
        command = [*self.under, binary(), "serve", "--data-dir", self.data_dir, "--admin-listen", "0", *self.options]
        self.starts += 1
        with self.log_path.open("w") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env=clean_environment(**listen, **self.environment),
            )

    def _await(self, announcement: re.Pattern) -> int:
        """The port in a line that the process prints once it listens."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if found := announcement.search(self.log()):
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.stop()
        raise StartRefused(f"exit code {self.process.returncode}:\n{self.log()}")


def request(port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None):
    """One HTTP/1.1 request; gives the response and its whole body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def eventually(condition, seconds: float, every: float = 0.05) -> bool:
    """Whether `condition()` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
