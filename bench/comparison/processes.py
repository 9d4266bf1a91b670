"""Servers and generators as processes, each pinned to its core."""

import json
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .places import BENCH
from .targets import Target

SERVER_CORE = 0
GENERATOR_CORE = 1

START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 20.0
GENERATOR_SECONDS_MAX = 300.0


class RunFailed(Exception):
    """A server did not start, or a generator did not finish; the text says what it said."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    target: Target
    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"{self.target.scheme}://127.0.0.1:{self.port}{self.target.path}"


@contextmanager
def serving(target: Target) -> Iterator[Server]:
    """A fresh server, alone on its core; stopped and reaped at the end."""
    port = unused_port()
    with tempfile.TemporaryDirectory(prefix="securecall-bench-") as name:
        folder = Path(name)
        complaints = folder / "stderr"
        with complaints.open("w") as stderr:
            arguments = target.arguments(port, folder)
            process = start(arguments, SERVER_CORE, target.environment, subprocess.DEVNULL, stderr)
        try:
            wait_until_listening(process, port, complaints)
            yield Server(target, process.pid, port)
        finally:
            # Not asked to stop: ours would drain for ten seconds.
            process.kill()
            process.wait()


def start(
    arguments: list[str],
    core: int,
    environment: dict[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Starts a process on one core."""
    return subprocess.Popen(
        arguments,
        cwd=BENCH,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def generate(arguments: list[str]) -> dict:
    """Runs a generator to its end and returns its JSON report."""
    process = start(arguments, GENERATOR_CORE)
    try:
        out, err = process.communicate(timeout=GENERATOR_SECONDS_MAX)
    except subprocess.TimeoutExpired as error:
        raise RunFailed("the generator did not finish") from error
    finally:
        stop(process)
    if process.returncode != 0:
        raise RunFailed(f"the generator failed: {err.strip() or out.strip()}")
    return json.loads(out)


@contextmanager
def generating(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A generator that runs as long as the block; stopped and reaped at its end."""
    process = start(arguments, GENERATOR_CORE)
    try:
        yield process
    finally:
        stop(process)


def unused_port() -> int:
    """Below those that the system hands out to connections."""
    for port in random.sample(range(12_000, 32_700), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise OSError("no port is free")


def wait_until_listening(process: subprocess.Popen[str], port: int, complaints: Path) -> None:
    """Waits without connecting: that would be part of what is measured."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_listening(port):
        if process.poll() is not None:
            raise RunFailed(f"the server did not start: {complaints.read_text().strip()}")
        if time.monotonic() > deadline:
            raise RunFailed("the server does not listen")
        time.sleep(0.05)


def is_listening(port: int) -> bool:
    listen, address_end = "0A", f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as sockets:
            fields = (line.split() for line in sockets)
            if any(row[1].endswith(address_end) and row[3] == listen for row in fields):
                return True
    return False
