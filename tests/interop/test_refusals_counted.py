"""Each connection that is not upgraded is counted once, with the reason."""

import socket
import struct
import time

import pytest

from driver.client import Client, refused
from driver.server import Server, eventually

UPGRADE = {
    "Host": "x", "Upgrade": "websocket", "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def head(line: str = "GET /signal HTTP/1.1", **changes: str | None) -> bytes:
    """An upgrade with some fields changed, added or left out (None); `_` stands for `-`."""
    fields = UPGRADE | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([line, *lines, "", ""]).encode()


def exchange(server: Server, request: bytes) -> bytes:
    """What the server answers until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(request)
        answer = b""
        while piece := plain.recv(4096):
            answer += piece
        return answer


REFUSED = [
    ("malformed", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01"),
    ("malformed", 400, b"GET /signal HTTP/2.0\r\n\r\n"),
    ("bare_line_feed", 400, b"GET /signal HTTP/1.1\nHost: x\n\n"),
    ("host_not_unique", 400, head(Host=None)),
    ("body", 400, head(Content_Length="5") + b"hello"),
    ("invalid_key", 400, head(Sec_WebSocket_Key="short")),
    ("proxy_header", 400, b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n" + head()),
    ("proxy_header", 400, b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00" + head()),
    ("head_too_large", 431, head(Cookie="c" * 33_000)),
    ("head_too_large", 431, head(**{f"X{number}": "x" for number in range(96)})),
    ("not_found", 404, head("GET /elsewhere HTTP/1.1")),
    ("method_not_allowed", 405, head("DELETE /health HTTP/1.1")),
    ("not_an_upgrade", 426, head(Upgrade=None)),
    ("unsupported_version", 426, head(Sec_WebSocket_Version="8")),
]


@pytest.mark.parametrize("reason, status, request_bytes", REFUSED)
def test_a_refused_request_is_counted_with_its_reason(server, reason, status, request_bytes):
    assert exchange(server, request_bytes).startswith(f"HTTP/1.1 {status} ".encode())
    assert server.refusals() == {reason: 1}
    assert server.http("/health")[0].status == 200
    with Client(server.url, "alice"):
        assert server.refusals() == {reason: 1}, "whoever gets what it asks for is not among them"


@pytest.mark.parametrize("begun", [b"", b"GET /signal HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_leaves_is_counted(server, begun):
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.sendall(begun)
    assert eventually(lambda: server.refusals() == {"gone": 1}, 2)


def test_what_is_malformed_is_answered_after_the_client_has_closed_its_half(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nb d":
            plain.sendall(bytes([byte]))
            time.sleep(0.002)
        plain.shutdown(socket.SHUT_WR)
        assert plain.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert server.refusals() == {"malformed": 1}


def test_a_client_that_is_reset_is_counted(server):
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: server.refusals() == {"gone": 1}, 2)


def test_a_request_that_takes_too_long_is_counted(serve):
    server = serve("--request-timeout", "300ms")
    assert exchange(server, b"GET /signal HTTP/1.1\r\n") == b""
    assert server.refusals() == {"timed_out": 1}


def test_a_full_server_and_a_full_address_are_told_apart(serve):
    server = serve("--connections-per-address-max", "1", "--connections-max", "2")
    with Client(server.url, "alice"), Client(server.url, "bob", source_address=("127.0.0.2", 0)):
        refused(server.url, source_address=("127.0.0.3", 0))
        assert server.refusals() == {"server_full": 1}
    assert eventually(lambda: server.metrics()["securecall_connections"] == 0, 2)
    with Client(server.url, "alice"):
        refused(server.url)
        assert server.refusals() == {"server_full": 1, "address_full": 1}


def test_an_address_that_is_too_fast_is_counted(serve):
    server = serve("--connection-burst", "1", "--connection-rate", "0.1")
    Client(server.url).close()
    refused(server.url)
    assert server.refusals() == {"too_fast": 1}


def test_an_address_with_many_requests_under_way_is_hung_up_on_and_counted(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(130)]
    assert eventually(lambda: server.refusals() == {"requests_full": 2}, 5)
    for plain in silent[:128]:
        plain.close()
    assert eventually(lambda: server.refusals() == {"requests_full": 2, "gone": 128}, 5)


def test_who_makes_room_is_counted(server):
    """512 may be under way; the first of a 513th has had its second then."""
    silent = [
        socket.create_connection(("127.0.0.1", server.port), source_address=(f"127.0.0.{2 + number % 5}", 0))
        for number in range(513)
    ]
    assert eventually(lambda: server.refusals() == {"made_room": 1}, 5)
    for plain in silent:
        plain.close()


def test_a_head_may_have_the_cookies_of_the_site(server):
    with Client(server.url, "alice", additional_headers={"Cookie": "c" * 30_000}):
        pass


def test_how_long_a_head_may_be_is_a_setting(serve):
    small = serve("--request-head-bytes-max", "1024", "--request-fields-max", "8")
    assert exchange(small, head(Cookie="c" * 1024)).startswith(b"HTTP/1.1 431 ")
    assert exchange(small, head(A="1", B="2", C="3", D="4")).startswith(b"HTTP/1.1 431 ")
    assert exchange(small, head("GET /health HTTP/1.1", A="1", B="2", C="3")).startswith(b"HTTP/1.1 200 ")
    assert small.refusals() == {"head_too_large": 2}
    large = serve("--request-head-bytes-max", "200000", "--request-fields-max", "500")
    many = {f"X{number}": "x" for number in range(400)}
    answer = exchange(large, head("GET /health HTTP/1.1", Cookie="c" * 150_000, **many))
    assert answer.startswith(b"HTTP/1.1 200 ")
