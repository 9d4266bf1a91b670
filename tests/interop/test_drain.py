"""SIGTERM: everybody is told to come back, nobody new is let in, and the process ends in time."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from driver.client import Client, refused
from driver.frames import RawSocket
from driver.server import eventually


def test_sighup_without_a_certificate_changes_nothing(server):
    with Client(server.url, "alice") as alice:
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "SIGHUP" in server.log(), 2)
        alice.expect_quiet()
        assert server.process.poll() is None


@pytest.fixture
def crowd(serve):
    server = serve("--drain-period", "2s", "--drain-timeout", "5s")
    clients = [Client(server.url, f"client-{number}") for number in range(20)]
    return server, clients


def test_sigterm_closes_everybody_with_1012_and_exits_0(crowd):
    server, clients = crowd
    began = time.monotonic()
    server.terminate()
    for client in clients:
        client.expect_close(1012)
    assert server.process.wait(6) == 0
    assert time.monotonic() - began < 5.5


def test_the_goodbyes_are_spread_over_the_period(crowd):
    server, clients = crowd

    def closed_at(client: Client) -> float:
        client.expect_close(1012)
        return time.monotonic()

    with ThreadPoolExecutor(len(clients)) as waiting:
        closings = waiting.map(closed_at, clients)
        server.terminate()
        times = sorted(closings)
    assert times[-1] - times[0] > 1, "a stampede: everybody was sent away at once"


def test_new_connections_get_503_while_draining(crowd):
    server, _ = crowd
    server.terminate()
    time.sleep(0.3)
    response = refused(server.url)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_draining_server_tells_the_load_balancer(crowd):
    server, _ = crowd
    server.terminate()
    time.sleep(0.3)
    assert server.http("/health")[0].status == 503


def test_a_client_that_never_answers_the_close_does_not_hold_up_the_exit(serve):
    server = serve("--drain-period", "500ms", "--drain-timeout", "2s")
    stubborn = RawSocket(server.port)
    stubborn.register("stubborn")
    server.terminate()
    assert server.process.wait(4) == 0


def test_an_idle_server_stops_at_once(serve):
    server = serve()
    server.terminate()
    assert server.process.wait(3) == 0
