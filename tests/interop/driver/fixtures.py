"""Fixtures of every folder of tests that starts servers."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from driver.server import Server


@pytest.fixture
def serve(tmp_path: Path):
    """Starts servers with the given flags; ends them after the test. pytest shows their logs if it failed."""
    servers: list[Server] = []

    def start(*options: str, **settings) -> Server:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, *options, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        for log in sorted(server.folder.glob("start-*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')}")


@pytest.fixture
def server(serve) -> Server:
    """A server with every default."""
    return serve()


@pytest.fixture
def machine_address() -> str:
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
