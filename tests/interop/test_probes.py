"""/livez and /readyz on the listener for operators: what they say of a server that is well, and of one that is not. A
worker that hangs is in crates/server/src/liveness.rs."""

import json

from driver.client import Client
from driver.disk import fill
from driver.server import eventually, request


def probe(server, path: str) -> tuple[int, list[str]]:
    """The status, and the reasons that it gives."""
    response, body = request(server.admin_port, path)
    assert response.headers["Content-Type"] == "application/json"
    answer = json.loads(body)
    assert answer["status"] == ("ok" if response.status == 200 else "failing")
    return response.status, answer.get("reasons", [])


def unready(server) -> set[str]:
    """The reasons that the metrics give."""
    _, body = request(server.admin_port, "/metrics")
    samples = [line for line in body.decode().splitlines() if line.startswith("securecall_unready{")]
    assert len(samples) == 4
    return {sample.split('"')[1] for sample in samples if sample.endswith(" 1")}


def test_a_server_that_is_well_is_live_and_ready(server):
    assert probe(server, "/livez") == (200, [])
    assert probe(server, "/readyz?verbose") == (200, [])
    assert unready(server) == set()


def test_a_server_that_drains_is_live_and_not_ready(serve):
    server = serve("--drain-period", "3s", "--drain-timeout", "6s")
    clients = [Client(server.url, f"client-{number}") for number in range(4)]
    server.terminate()
    assert eventually(lambda: probe(server, "/readyz") == (503, ["draining"]), 1)
    assert unready(server) == {"draining"}
    assert probe(server, "/livez") == (200, [])
    for client in clients:
        client.socket.close_socket()


def test_a_full_server_is_not_ready_until_somebody_leaves(serve):
    server = serve("--connections-max", "2")
    with Client(server.url, "alice"):
        assert probe(server, "/readyz") == (200, [])
        with Client(server.url, "bob"):
            assert probe(server, "/readyz") == (503, ["server_full"])
            assert unready(server) == {"server_full"}
        assert eventually(lambda: probe(server, "/readyz") == (200, []), 2)


def test_a_full_disk_makes_it_unready_and_room_makes_it_ready(serve, small_disk):
    server = serve(data_dir=small_disk / "state")
    filler = fill(small_disk)
    with Client(server.url, "alice") as alice:

        def register() -> str:
            alice.send("PKD_REGISTER", clientId="alice", publicKey="k" * 4000)
            return alice.receive()["type"]

        assert register() == "ERROR"
        assert probe(server, "/readyz") == (503, ["directory_failing"])
        assert unready(server) == {"directory_failing"}
        assert probe(server, "/livez") == (200, [])
        filler.unlink()
        assert eventually(lambda: register() != "ERROR", 5, every=1.1)
        assert probe(server, "/readyz") == (200, [])


def test_without_a_certificate_it_is_not_ready(serve, tmp_path):
    # Nobody answers there: the first certificate never comes.
    server = serve("--acme-domains", "signal.example.org", "--acme-directory", "https://127.0.0.1:1/directory")
    assert probe(server, "/readyz") == (503, ["no_certificate"])
    assert probe(server, "/livez") == (200, [])
