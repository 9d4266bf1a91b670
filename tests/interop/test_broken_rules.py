"""A client that breaks a rule learns which one, and its connection is over at once: nobody waits for a timer, and no reset
takes the close frame away before it is read."""

import json
import time

import pytest
from websockets.exceptions import ConnectionClosed

from driver import node
from driver.client import Client
from driver.frames import CLOSE, CONTINUATION, TEXT, RawSocket, frame
from driver.server import eventually

# The server gives up after five seconds; what is over at once is over long before.
OVER_SECONDS_MAX = 2
CLOSE_1000 = frame(CLOSE, (1000).to_bytes(2, "big"))
FAR_TOO_BIG = 5_000_000


@pytest.mark.parametrize("size", [70_000, FAR_TOO_BIG])
def test_websockets_learns_at_once_that_a_message_was_too_big(server, size):
    client = Client(server.url, "alice")
    began = time.monotonic()
    with pytest.raises(ConnectionClosed) as closed:
        client.send_text("x" * size)
        client.receive_text(timeout=20)
    assert (closed.value.rcvd.code, closed.value.rcvd_then_sent) == (1009, True)
    assert time.monotonic() - began < OVER_SECONDS_MAX


@pytest.mark.parametrize("size", [70_000, FAR_TOO_BIG])
def test_ws_learns_at_once_that_a_message_was_too_big(server, size):
    ended = json.loads(node.run("too-big.mjs", SIGNAL_URL=server.url, MESSAGE_BYTES=str(size)))
    assert ended["code"] == 1009
    assert ended["milliseconds"] < OVER_SECONDS_MAX * 1000


def answer_and_expect_the_end(raw: RawSocket, code: int) -> None:
    began = time.monotonic()
    assert raw.receive_close() == code
    raw.socket.sendall(CLOSE_1000)
    expect_the_end(raw, began)


def expect_the_end(raw: RawSocket, began: float) -> None:
    """The end of the stream, and no ECONNRESET."""
    assert raw.socket.recv(1) == b""
    assert time.monotonic() - began < OVER_SECONDS_MAX


BROKEN_BUT_FRAMED = {
    1009: frame(TEXT, b"x" * 70_000),
    1007: frame(TEXT, b"\xff" * 1_000),
    1002: frame(CONTINUATION, b"of nothing"),
}


@pytest.mark.parametrize("code", BROKEN_BUT_FRAMED)
def test_where_frames_can_be_told_apart_both_close_frames_end_it(server, code):
    raw = RawSocket(server.port)
    # What a client was about to say stands between the broken rule and its answer.
    raw.socket.sendall(BROKEN_BUT_FRAMED[code] + frame(TEXT, b'{"type":"HEARTBEAT","payload":{}}') * 100)
    answer_and_expect_the_end(raw, code)


def test_a_message_of_many_megabytes_is_read_past(server):
    raw = RawSocket(server.port)
    raw.socket.sendall(frame(TEXT, b"x" * FAR_TOO_BIG))
    answer_and_expect_the_end(raw, 1009)


BROKEN_FRAMES = {
    "a reserved bit": frame(TEXT, b"{}", reserved=4),
    "no mask": frame(TEXT, b"{}", masked=False),
    "half a close code": frame(CLOSE, b"\x03"),
}


@pytest.mark.parametrize("broken", BROKEN_FRAMES)
def test_where_they_cannot_it_is_over_at_once(server, broken):
    raw = RawSocket(server.port)
    began = time.monotonic()
    # Bytes that nobody has read when a socket is closed have it reset.
    raw.socket.sendall(BROKEN_FRAMES[broken] + b"\x00" * 300_000)
    assert raw.receive_close() == 1002
    expect_the_end(raw, began)


def test_a_client_that_never_stops_sending_is_given_up(server):
    raw = RawSocket(server.port)
    began = time.monotonic()
    raw.socket.settimeout(1)
    with pytest.raises(OSError):
        raw.send_frame(TEXT, b"\xff")
        while time.monotonic() - began < 10:
            raw.send_frame(TEXT, b"x" * 60_000)
    assert eventually(lambda: server.metrics()["securecall_connections"] == 0, 6)
