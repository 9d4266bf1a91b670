"""A disk that is full: what clients hear, what the log says, and that it passes by itself."""

import os
import subprocess
import time

import pytest

from driver.client import Client
from driver.server import eventually


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


def test_a_full_disk_has_a_line_a_minute_in_the_log_and_passes(serve, small_disk):
    server = serve("--other-rate", "1000/1000", "--directory-rate", "1000/1000", data_dir=small_disk / "state")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 4096)
    refused = 0
    with Client(server.url, "alice") as alice:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            alice.send("PKD_REGISTER", clientId="alice", publicKey="k" * 4000)
            refused += alice.receive()["type"] == "ERROR"
            alice.send("PKD_LOOKUP", clientId="alice")
            alice.receive()
            time.sleep(0.05)
        assert refused > 30
        lines = [line for line in server.log().splitlines() if "the directory" in line]
        assert 1 <= len(lines) <= 3, lines
        filler.unlink()
        time.sleep(1.1)

        def registers() -> bool:
            alice.send("PKD_REGISTER", clientId="alice", publicKey="k" * 4000)
            return alice.receive()["type"] != "ERROR"

        assert eventually(registers, 5, every=0.2)
