"""HTTP requests of every shape: each gets one response, or is cut off in time, and nothing is ever taken for a second request.

What would follow a head as its body is a harmless request for /health: if it were answered, a proxy and the server would
disagree about where a request ends.
"""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass

import pytest

from driver.frames import CLOSE, HANDSHAKE, TEXT, RawSocket, frame

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = HANDSHAKE.encode()
# In chunks as RFC 9112, section 7.1, has them.
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HEALTH), HEALTH)


@dataclass
class Response:
    status: int
    fields: dict[str, str]
    body: bytes


def exchange(port: int, request: bytes, pieces: int = 1) -> bytes:
    """All that the server sends before it closes; it must do so by itself, and in time."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = max(1, -(-len(request) // pieces))
        # What is wrong at its beginning is answered, and over, before the rest is sent.
        with suppress(OSError):
            for begin in range(0, len(request), size):
                plain.sendall(request[begin:begin + size])
            plain.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := plain.recv(65536):
            answer += piece
        return answer


def only_response(answer: bytes) -> Response:
    """The one response that this is, to its last byte (RFC 9112, section 6.3)."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    version, status, _ = line.split(" ", 2)
    assert version == "HTTP/1.1"
    fields = {name.lower(): value for name, value in (field.split(": ", 1) for field in lines)}
    assert len(fields) == len(lines), f"a field stands twice: {lines}"
    assert int(fields["content-length"]) == len(body), f"more or less than one response: {answer}"
    assert "close" in fields["connection"].split(", ")
    return Response(int(status), fields, body)


def request(line: str = "GET /health HTTP/1.1", *fields: str, host: str | None = "x", body: bytes = b"") -> bytes:
    hosts = () if host is None else (f"Host: {host}",)
    return "\r\n".join([line, *hosts, *fields, "", ""]).encode("latin-1") + body


def upgrade(*fields: str, without: str | tuple[str, ...] = "-", line: str = "GET /signal HTTP/1.1", body: bytes = b"") -> bytes:
    lines = [field for field in HANDSHAKE.split("\r\n")[1:-2] if not field.startswith(without)]
    return "\r\n".join([line, *lines, *fields, "", ""]).encode("latin-1") + body


REQUEST_LINES = {
    "GET /health HTTP/1.1": 200,
    "HEAD /health HTTP/1.1": 200,
    "GET /health HTTP/1.0": 200,
    "GET /health?x=/signal HTTP/1.1": 200,
    "GET http://x/health HTTP/1.1": 200,
    "GET HTTP://elsewhere.example:99/health HTTP/1.1": 200,
    "GET http://x HTTP/1.1": 200,
    "GET /Health HTTP/1.1": 404,
    "GET //health HTTP/1.1": 404,
    "GET /./health HTTP/1.1": 404,
    "GET /%68ealth HTTP/1.1": 404,
    "GET /health/../signal HTTP/1.1": 404,
    "GET /health%00 HTTP/1.1": 404,
    "GET ftp://x/health HTTP/1.1": 404,
    "GET * HTTP/1.1": 404,
    "CONNECT x:443 HTTP/1.1": 404,
    "OPTIONS * HTTP/1.1": 404,
    "OPTIONS /health HTTP/1.1": 405,
    "POST /health HTTP/1.1": 405,
    "get /health HTTP/1.1": 405,
    "BREW /health HTTP/1.1": 405,
    "GET /signal HTTP/1.1": 426,
    "PRI * HTTP/2.0": 400,
    "GET /health HTTP/2.0": 400,
    "GET /health HTTP/1.2": 400,
    "GET /health HTTP/0.9": 400,
    "GET /health HTTP/1.1 ": 400,
    "GET /health  HTTP/1.1": 400,
    "GET\t/health\tHTTP/1.1": 400,
    "GET /he alth HTTP/1.1": 400,
    "GET /health http/1.1": 400,
    "GET /health": 400,
    "GET  HTTP/1.1": 400,
    "/health HTTP/1.1": 400,
    "G(T /health HTTP/1.1": 400,
}


@pytest.mark.parametrize("line", REQUEST_LINES)
def test_a_request_line_gets_its_status(attacked, line):
    answer = exchange(attacked.port, request(line))
    if line.startswith("HEAD "):
        answer += b"?" * len(b'{"status":"ok"}')
    assert only_response(answer).status == REQUEST_LINES[line]


HEADS = {
    "no Host": (400, request(host=None)),
    "no Host in HTTP/1.0": (200, request("GET /health HTTP/1.0", host=None)),
    "two Hosts": (400, request("GET /health HTTP/1.1", "Host: y")),
    "two Hosts in HTTP/1.0": (400, request("GET /health HTTP/1.0", "Host: y")),
    "an empty Host": (200, request(host="")),
    "space before a colon": (400, request("GET /health HTTP/1.1", "X : y")),
    "a field without a name": (400, request("GET /health HTTP/1.1", ": y")),
    "a field without a colon": (400, request("GET /health HTTP/1.1", "X y")),
    "a folded field": (400, request("GET /health HTTP/1.1", "X: y", " z")),
    "space before the first field": (400, request("GET /health HTTP/1.1\r\n X: y")),
    "NUL in a value": (400, request("GET /health HTTP/1.1", "X: \0")),
    "a bare carriage return in a value": (400, request("GET /health HTTP/1.1", "X: a\rb")),
    "bytes over 127 in a value": (200, request("GET /health HTTP/1.1", "X: \xe9")),
    "bytes over 127 in a name": (400, request("GET /health HTTP/1.1", "\xe9: x")),
    "line feeds alone": (400, HEALTH.replace(b"\r\n", b"\n")),
    "one line feed alone": (400, b"GET /health HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"),
    "the last line feed alone": (400, b"GET /health HTTP/1.1\r\nHost: x\r\n\n"),
    "an empty line first": (200, b"\r\n" + HEALTH),
    "many fields": (431, request("GET /health HTTP/1.1", *[f"X{number}: y" for number in range(200)])),
    "a long field": (431, request("GET /health HTTP/1.1", "X: " + "y" * 60_000)),
    "a long target": (431, request(f"GET /{'x' * 60_000} HTTP/1.1")),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
    "SSH": (400, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "frames without an upgrade": (400, frame(TEXT, b"{}") * 3),
}


@pytest.mark.parametrize("shape", HEADS)
def test_a_head_gets_its_status(attacked, shape):
    status, head = HEADS[shape]
    assert only_response(exchange(attacked.port, head)).status == status


@pytest.mark.parametrize("shape", HEADS)
def test_it_is_the_same_however_the_network_cuts_it(attacked, shape):
    status, head = HEADS[shape]
    assert only_response(exchange(attacked.port, head, pieces=9)).status == status


# Each of these has been read in two ways by two programs.
BODIES = {
    "a length": [f"Content-Length: {len(HEALTH)}"],
    "a length twice": [f"Content-Length: {len(HEALTH)}"] * 2,
    "two lengths": ["Content-Length: 0", f"Content-Length: {len(HEALTH)}"],
    "two lengths in a list": [f"Content-Length: 0, {len(HEALTH)}"],
    "a length with a sign": [f"Content-Length: +{len(HEALTH)}"],
    "a length below nothing": ["Content-Length: -1"],
    "a length in hexadecimal": [f"Content-Length: {len(HEALTH):#x}"],
    "a length of many zeros": ["Content-Length: 00000000000000000000000000"],
    "a length over 64 bits": ["Content-Length: 18446744073709551616"],
    "an empty length": ["Content-Length:"],
    "a length that is a word": ["Content-Length: none"],
    "chunks": ["Transfer-Encoding: chunked"],
    "chunks and a length": ["Transfer-Encoding: chunked", f"Content-Length: {len(CHUNKED)}"],
    "a length and chunks": ["Content-Length: 0", "Transfer-Encoding: chunked"],
    "chunks in capitals": ["TRANSFER-ENCODING: CHUNKED"],
    "chunks after a tab": ["Transfer-Encoding:\tchunked"],
    "chunks and identity": ["Transfer-Encoding: chunked, identity"],
    "identity": ["Transfer-Encoding: identity"],
    "an unknown encoding": ["Transfer-Encoding: xchunked"],
    "an encoding in quotes": ['Transfer-Encoding: "chunked"'],
    "an empty encoding": ["Transfer-Encoding:"],
    "space before the colon": ["Transfer-Encoding : chunked"],
    "a folded encoding": ["Transfer-Encoding:", " chunked"],
    "a length behind a space": [f" Content-Length: {len(HEALTH)}"],
}


@pytest.mark.parametrize("head", [request, upgrade], ids=["health", "signal"])
@pytest.mark.parametrize("shape", BODIES)
def test_whatever_may_have_a_body_is_refused(attacked, head, shape):
    line = "GET /health HTTP/1.1" if head is request else "GET /signal HTTP/1.1"
    body = CHUNKED if "chunk" in shape or "encoding" in shape else HEALTH
    sent = request(line, *BODIES[shape], body=body) if head is request else upgrade(*BODIES[shape], body=body)
    assert only_response(exchange(attacked.port, sent)).status == 400


def test_a_length_of_nothing_is_no_body(attacked):
    sent = request("GET /health HTTP/1.1", "Content-Length: 0", body=HEALTH)
    assert only_response(exchange(attacked.port, sent)).status == 200


@pytest.mark.parametrize("more", [HEALTH * 3, UPGRADE, b"\0" * 10_000], ids=["health", "signal", "zeros"])
def test_a_second_request_on_a_connection_is_not_answered(attacked, more):
    assert only_response(exchange(attacked.port, HEALTH + more)).status == 200


@pytest.mark.parametrize("more", [HEALTH, UPGRADE, b"0\r\n\r\n" + HEALTH], ids=["health", "signal", "chunk"])
def test_a_request_behind_an_upgrade_is_a_broken_frame(attacked, more):
    """Its first byte would be one with reserved bits."""
    raw = RawSocket(attacked.port, first=more)
    opcode, payload = raw.receive_frame()
    assert (opcode, payload[:2]) == (CLOSE, (1002).to_bytes(2, "big"))
    assert raw.received + raw.socket.recv(65536) == b""
    raw.close()


UPGRADES = {
    "HTTP/1.0": (426, upgrade(line="GET /signal HTTP/1.0")),
    "POST": (426, upgrade(line="POST /signal HTTP/1.1")),
    "no Upgrade": (426, upgrade(without="Upgrade")),
    "no Connection": (426, upgrade(without="Connection")),
    "to HTTP/2 in clear": (426, upgrade("Upgrade: h2c", "HTTP2-Settings: AAMAAABk", without="Upgrade")),
    "Connection: close": (426, upgrade("Connection: close", without="Connection")),
    "no version": (426, upgrade(without="Sec-WebSocket-Version")),
    "an old version": (426, upgrade("Sec-WebSocket-Version: 8", without="Sec-WebSocket-Version")),
    "a list of versions": (426, upgrade("Sec-WebSocket-Version: 8, 13", without="Sec-WebSocket-Version")),
    "two versions": (426, upgrade("Sec-WebSocket-Version: 13")),
    "no key": (400, upgrade(without="Sec-WebSocket-Key")),
    "two keys": (400, upgrade("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
    "a short key": (400, upgrade("Sec-WebSocket-Key: c2hvcnQ=", without="Sec-WebSocket-Key")),
    "a key that is no base64": (400, upgrade("Sec-WebSocket-Key: " + "*" * 24, without="Sec-WebSocket-Key")),
}


@pytest.mark.parametrize("shape", UPGRADES)
def test_an_upgrade_that_is_not_as_it_should_be_is_refused(attacked, shape):
    status, head = UPGRADES[shape]
    response = only_response(exchange(attacked.port, head))
    assert response.status == status
    if status == 426:
        assert response.fields["sec-websocket-version"] == "13"
        assert response.fields["upgrade"] == "websocket"


TAKEN = {
    "names in capitals": upgrade("UPGRADE: WEBSOCKET", "CONNECTION: UPGRADE", without=("Upgrade", "Connection")),
    "as Firefox has it": upgrade("Connection: keep-alive, Upgrade", without="Connection"),
    "Connection twice": upgrade("Connection: keep-alive"),
    "one of several protocols": upgrade("Upgrade: h2c, websocket", without="Upgrade"),
    "extensions and subprotocols": upgrade(
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "Sec-WebSocket-Protocol: signal, v2"
    ),
    "absolute form": upgrade(line="GET ws://elsewhere.example/signal HTTP/1.1"),
    "a query": upgrade(line="GET /signal?token=attacker HTTP/1.1"),
}


@pytest.mark.parametrize("shape", TAKEN)
def test_an_upgrade_in_another_spelling_is_taken_and_nothing_is_negotiated(attacked, shape):
    with socket.create_connection(("127.0.0.1", attacked.port), timeout=5) as plain:
        plain.sendall(TAKEN[shape])
        head = plain.recv(4096)
    assert head.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert b"extensions" not in head.lower() and b"protocol:" not in head.lower()


@pytest.mark.parametrize("endless", [b"GET /signal HTTP/1.1\r\nX: " + b"x" * 900, b"\r\n" * 500], ids=["field", "empty lines"])
def test_a_head_that_drips_is_cut_off_at_the_deadline(serve, endless):
    server = serve("--request-timeout", "700ms")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            for byte in endless:
                plain.sendall(bytes([byte]))
                time.sleep(0.01)
        assert 0.5 < time.monotonic() - began < 3


def test_half_requests_beyond_the_bound_of_an_address_hold_nobody_up(attacked):
    dripping = [socket.create_connection(("127.0.0.1", attacked.port)) for _ in range(300)]
    for plain in dripping:
        try:
            plain.sendall(b"GET /signal HTTP/1.1\r\nX: ")
        except ConnectionError:
            # Beyond 128 of one address it is not answered.
            continue
    with socket.create_connection(("127.0.0.1", attacked.port), timeout=5, source_address=("127.0.0.8", 0)) as plain:
        plain.sendall(HEALTH)
        assert plain.recv(4096).startswith(b"HTTP/1.1 200 ")
    for plain in dripping:
        plain.close()
