"""The public listener's HTTP side: health, what is not there, and refusals before the upgrade."""

import socket
import time

import pytest

from driver.client import Client, refused
from driver.server import eventually, free_port


def test_health_is_exactly_as_documented(server):
    response, body = server.http("/health")
    assert response.status == 200
    assert response.headers.get_all("Content-Type") == ["application/json"]
    assert body == b'{"status":"ok"}'


def test_health_answers_while_clients_are_connected(server):
    with Client(server.url, "alice"):
        assert server.http("/health")[0].status == 200


@pytest.mark.parametrize("path", ["/healthz", "/health/", "/metrics", "/signal/", "/demo", "/../health", "/%00"])
def test_every_other_path_is_not_found(server, path):
    assert server.http(path)[0].status == 404


def test_a_browser_learns_what_this_is_and_is_not_counted_as_refused(server):
    response, body = server.http("/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain"
    assert body.startswith(b"SecureCall signaling server") and body.count(b"\n") == 1
    icon, nothing = server.http("/favicon.ico")
    assert (icon.status, nothing, icon.headers["Content-Length"]) == (204, b"", None)
    assert server.http("/", "HEAD")[1] == b""
    assert server.refusals() == {}
    assert server.http("/", "POST")[0].status == 405
    assert server.refusals() == {"method_not_allowed": 1}


def test_a_target_in_absolute_form_is_the_same_as_its_path(server):
    """RFC 9112, section 3.2.2: a server must take it."""
    assert server.http("http://example.org/health")[1] == b'{"status":"ok"}'
    assert server.http("http://example.org/healthz")[0].status == 404


def test_metrics_are_on_the_admin_listener_alone(server):
    assert server.metrics()["securecall_connections"] == 0
    with Client(server.url, "alice"):
        assert server.metrics()["securecall_connections"] == 1


def test_signal_without_an_upgrade_is_refused_and_the_server_lives(server):
    assert 400 <= server.http("/signal")[0].status < 500
    assert server.http("/health")[0].status == 200


def test_a_request_that_never_ends_is_cut_off(serve):
    server = serve("--request-timeout", "500ms")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        while plain.recv(1024):
            pass
        assert 0.3 < time.monotonic() - began < 3


def test_a_request_head_without_end_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert plain.recv(1024).startswith(b"HTTP/1.1 431 ")
    assert server.http("/health")[0].status == 200


def test_connections_that_say_nothing_do_not_keep_other_addresses_out(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
    with Client(server.url, "alice", source_address=("127.0.0.2", 0)) as alice:
        alice.expect_quiet()
    for plain in silent:
        plain.close()


def test_the_port_variable_replaces_the_port_of_listen(serve):
    port = free_port()
    server = serve(environment={"PORT": str(port)})
    assert server.port == port
    assert server.http("/health")[0].status == 200


def test_an_address_with_too_many_connections_gets_429_and_when_to_retry(serve):
    server = serve("--connections-per-address-max", "2")
    with Client(server.url, "alice"), Client(server.url, "bob") as bob:
        response = refused(server.url)
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        with Client(server.url, "carol", source_address=("127.0.0.2", 0)):
            pass
        bob.close()
        assert eventually(lambda: server.metrics()["securecall_connections"] == 1, 2)
        with Client(server.url, "bob"):
            pass


def test_an_address_that_connects_too_fast_gets_429(serve):
    server = serve("--connection-burst", "3", "--connection-rate", "0.1")
    for _ in range(3):
        Client(server.url).close()
    response = refused(server.url)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_full_server_answers_503(serve):
    server = serve("--connections-max", "2")
    with Client(server.url, "alice"), Client(server.url, "bob", source_address=("127.0.0.2", 0)):
        assert refused(server.url, source_address=("127.0.0.3", 0)).status_code == 503
