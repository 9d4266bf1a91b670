"""A stop within the ten seconds of `docker stop`, by default, and what the service manager is told of it."""

import socket
import time
from contextlib import contextmanager

from driver.client import Client, accept, establish, ring
from driver.frames import RawSocket
from driver.server import eventually

DOCKER_STOP_SECONDS = 10
ADVICE = "a supervisor must wait that long: docker stop kills after 10s"


def test_with_calls_and_clients_that_never_answer_the_close_it_ends_within_ten_seconds(serve):
    server = serve()
    talking = [(Client(server.url, f"caller-{n}"), Client(server.url, f"callee-{n}")) for n in range(20)]
    calls = [establish(*pair) for pair in talking]
    ringing = Client(server.url, "ringing"), Client(server.url, "rung")
    rings = ring(*ringing)
    stubborn = [RawSocket(server.port) for _ in range(20)]
    for number, client in enumerate(stubborn):
        client.register(f"stubborn-{number}")
    began = time.monotonic()
    server.terminate()
    assert server.process.wait(DOCKER_STOP_SECONDS) == 0
    assert time.monotonic() - began < DOCKER_STOP_SECONDS
    for client in [*(end for pair in talking for end in pair), *ringing]:
        client.expect_close(1012)
    server.restart()
    with Client(server.url, "ringing") as caller, Client(server.url, "rung") as callee:
        accept(caller, callee, rings)
    with Client(server.url, "caller-0") as caller, Client(server.url, "callee-0") as callee:
        callee.send("CALL_END", callId=calls[0])
        caller.expect("CALL_ENDED", callId=calls[0])


def test_a_drain_that_docker_would_cut_short_is_said_at_the_start(serve):
    assert ADVICE not in serve().log()
    assert ADVICE in serve("--drain-timeout", "20s").log()


@contextmanager
def service_manager(folder):
    """A socket as systemd's, and what NOTIFY_SOCKET says of it."""
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
        notifications.bind(str(path))
        notifications.settimeout(5)
        yield notifications, {"NOTIFY_SOCKET": str(path)}


def test_the_service_manager_is_told_of_start_and_stop(serve, tmp_path):
    with service_manager(tmp_path) as (notifications, environment):
        server = serve("--drain-timeout", "20s", environment=environment)
        assert notifications.recv(4096) == b"READY=1\n"
        server.terminate()
        # The bound of the drain, and 5 s for the process to end.
        assert notifications.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=25000000\n"
        assert server.process.wait(5) == 0


def test_a_service_manager_that_is_gone_is_no_reason_not_to_serve(serve, tmp_path):
    server = serve(environment={"NOTIFY_SOCKET": str(tmp_path / "nowhere")})
    assert server.http("/health")[0].status == 200
    assert eventually(lambda: "NOTIFY_SOCKET" in server.log(), 2)
