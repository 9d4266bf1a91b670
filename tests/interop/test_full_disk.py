"""A disk that is full: what clients hear, what the log says, and that it passes by itself."""

import time

from driver.client import Client
from driver.disk import fill
from driver.server import eventually


def test_a_full_disk_has_a_line_a_minute_in_the_log_and_passes(serve, small_disk):
    server = serve("--other-rate", "1000/1000", "--directory-rate", "1000/1000", data_dir=small_disk / "state")
    filler = fill(small_disk)
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
