"""Thousands of sockets that go away rudely: afterwards every gauge reads zero and every address is free again."""

import contextlib
import socket

from driver.client import Client
from driver.frames import HANDSHAKE, RawSocket
from driver.server import eventually

GAUGES = ("securecall_connections", "securecall_sessions", "securecall_addresses", "securecall_calls")
NO_LIMITS = (
    "--connections-per-address-max", "20000", "--connection-burst", "20000", "--connection-rate", "20000",
)
# Short, but no shorter than a busy machine may take to open the sockets.
DEADLINES = ("--ping-after", "8s", "--silence-timeout", "10s", "--register-timeout", "10s",
             "--request-timeout", "10s", "--grace", "1s", "--ring-timeout", "10s")


def gauges(server) -> dict[str, float]:
    metrics = server.metrics()
    return {name: metrics[name] for name in GAUGES}


def everything_is_zero(server) -> bool:
    return not any(gauges(server).values())


def test_five_thousand_sockets_that_vanish_leave_nothing_behind(serve):
    server = serve(*NO_LIMITS, *DEADLINES)
    registered = [RawSocket(server.port) for _ in range(4000)]
    for number, raw in enumerate(registered):
        raw.register(f"client-{number}")
    for number in range(0, 400, 2):
        registered[number].send("CALL_INITIATE", targetId=f"client-{number + 1}", sdpOffer="offer")
        registered[number + 1].receive_frame()
    unregistered = [RawSocket(server.port) for _ in range(500)]
    half_a_request = [open_and_send(server.port, HANDSHAKE[:60]) for _ in range(500)]

    assert gauges(server)["securecall_sessions"] >= 4000
    assert gauges(server)["securecall_calls"] > 0
    # One half is reset; the other stays open and never says a word again.
    for raw in registered[::2] + unregistered[::2]:
        raw.reset()
    for plain in half_a_request[::2]:
        plain.close()

    assert eventually(lambda: everything_is_zero(server), seconds=40, every=0.5), gauges(server)
    assert_service_is_as_before(server)


def open_and_send(port: int, text: str) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port))
    # Beyond those that one address may have under way they are reset.
    with contextlib.suppress(ConnectionError):
        plain.sendall(text.encode())
    return plain


def assert_service_is_as_before(server) -> None:
    with Client(server.url, "client-0") as alice, Client(server.url, "client-1") as bob:
        alice.send("CALL_INITIATE", targetId="client-1", sdpOffer="offer")
        bob.expect("INCOMING_CALL", callerId="client-0")


def test_addresses_that_came_and_went_are_forgotten(serve):
    server = serve("--connections-per-address-max", "5", "--connection-rate", "256")
    for host in range(2, 102):
        Client(server.url, source_address=(f"127.0.0.{host}", 0)).close()
    for _ in range(20):
        with Client(server.url, "alice"):
            pass
    assert eventually(lambda: everything_is_zero(server), seconds=15), gauges(server)
