"""WebSocket frames of every shape: what is right is answered, what is wrong ends its own connection with the right code."""

import json
import struct
import time

import pytest

import conversation
from driver.client import Client, establish
from driver.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame

# A machine that does other things needs some of it; a timer that has to end the connection needs more.
OVER_SECONDS_MAX = 3


@pytest.fixture
def raw(attacked):
    """A raw socket to the attacked server; it is gone before the server is judged."""
    raw = RawSocket(attacked.port)
    yield raw
    raw.close()


def expect_end(raw: RawSocket) -> None:
    """Nothing follows a close frame but the end of the connection, at once."""
    raw.socket.settimeout(OVER_SECONDS_MAX)
    assert raw.received + raw.socket.recv(65536) == b""


@pytest.mark.parametrize("seed", range(40))
def test_a_conversation_by_chance_is_answered_whole(attacked, seed):
    said, pieces = conversation.by_chance(seed)
    raw = RawSocket(attacked.port)
    raw.send("REGISTER", clientId="attacker")
    for piece in pieces:
        raw.socket.sendall(piece)
    texts, pongs, closed_with = hear_out(raw)
    assert [json.loads(text).get("replyTo") for text in texts] == [None, *said.asked]
    assert is_within(pongs, said.pings) and pongs[-1:] == said.pings[-1:]
    assert closed_with == said.closes_with
    raw.close()


def hear_out(raw: RawSocket) -> tuple[list[bytes], list[bytes], int | None]:
    """The messages, the pongs and the close code, up to the end of the connection."""
    heard: dict[int, list[bytes]] = {TEXT: [], PONG: [], CLOSE: []}
    while not heard[CLOSE]:
        opcode, payload = raw.receive_frame()
        heard[opcode].append(payload)
    expect_end(raw)
    code = heard[CLOSE][0][:2]
    return heard[TEXT], heard[PONG], struct.unpack(">H", code)[0] if code else None


def is_within(some: list[bytes], others: list[bytes]) -> bool:
    """Whether `some` are among the others, in their order."""
    rest = iter(others)
    return all(one in rest for one in some)


def announced(length: int, form: str) -> bytes:
    """The header of a masked text frame with this length in 16 or 64 bits, and nothing behind it."""
    mark = {"H": 126, "Q": 127}[form]
    return bytes([0x80 | TEXT, 0x80 | mark]) + struct.pack(f">{form}", length) + b"mask"


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


FIRST = frame(TEXT, b'{"type":', fin=False)
BROKEN = {
    **{f"reserved bits {bits:03b}": (1002, frame(TEXT, b"{}", reserved=bits)) for bits in range(1, 8)},
    **{f"opcode {code:#x}": (1002, frame(code, b"")) for code in (*range(3, 8), *range(11, 16))},
    "reserved bit of a ping": (1002, frame(PING, b"", reserved=4)),
    "reserved bit of a continuation": (1002, FIRST + frame(CONTINUATION, b"", reserved=4)),
    "unmasked text": (1002, frame(TEXT, b"{}", masked=False)),
    "unmasked ping": (1002, frame(PING, b"", masked=False)),
    "unmasked close": (1002, frame(CLOSE, b"\x03\xe8", masked=False)),
    "ping in fragments": (1002, frame(PING, b"", fin=False)),
    "close in fragments": (1002, frame(CLOSE, b"\x03\xe8", fin=False)),
    "ping of 126 bytes": (1002, frame(PING, b"x" * 126)),
    "close of 126 bytes": (1002, close_frame(1000, b"x" * 124)),
    "continuation of nothing": (1002, frame(CONTINUATION, b"{}")),
    "continuation after the last": (1002, FIRST + frame(CONTINUATION, b"1}") + frame(CONTINUATION, b"")),
    "text within a message": (1002, FIRST + frame(TEXT, b"{}")),
    "binary within a message": (1002, FIRST + frame(BINARY, b"{}")),
    "16 bits for 125 bytes": (1002, announced(125, "H")),
    "64 bits for 65,535 bytes": (1002, announced(65_535, "Q")),
    "64 bits with the highest set": (1002, announced(1 << 63, "Q")),
    "a byte too many": (1009, frame(TEXT, b"x" * 65_537)),
    "fragments, a byte too many": (1009, frame(TEXT, b"x" * 65_000, fin=False) + frame(CONTINUATION, b"x" * 537)),
    "binary": (1003, frame(BINARY, b"")),
    "binary in fragments": (1003, frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"")),
    "no UTF-8": (1007, frame(TEXT, b'"\xff"')),
    "a surrogate as UTF-8": (1007, frame(TEXT, b'"\xed\xa0\x80"')),
    "an overlong form": (1007, frame(TEXT, b'"\xc0\xaf"')),
    "beyond Unicode": (1007, frame(TEXT, b'"\xf4\x90\x80\x80"')),
    "a letter that is cut off": (1007, frame(TEXT, b'"\xe2\x82')),
    "a letter that is cut off, in fragments": (1007, frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82")),
    "no UTF-8 in the second fragment": (1007, FIRST + frame(CONTINUATION, b"\xff", fin=True)),
    "half a close code": (1002, frame(CLOSE, b"\x03")),
    **{f"close code {code}": (1002, close_frame(code))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)},
    "a close reason that is no UTF-8": (1007, close_frame(1000, b"\xff")),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_closes_with_its_code(raw, rule):
    code, broken = BROKEN[rule]
    raw.register("attacker")
    raw.socket.sendall(broken)
    assert raw.receive_close() == code
    raw.send_frame(CLOSE, code.to_bytes(2, "big"))
    expect_end(raw)


@pytest.mark.parametrize("length", [65_537, 1 << 32, 1 << 62, (1 << 63) - 1])
def test_a_length_that_is_too_big_closes_before_anything_of_it_came(raw, length):
    raw.socket.sendall(announced(length, "Q"))
    assert raw.receive_close() == 1009


@pytest.mark.parametrize("rule", ["no UTF-8", "unmasked text", "a byte too many"])
def test_what_was_right_before_a_broken_rule_is_answered_and_what_follows_is_not(raw, rule):
    code, broken = BROKEN[rule]
    raw.register("attacker")
    question = frame(TEXT, b'{"type":"HEARTBEAT","payload":{}}')
    raw.socket.sendall(question + broken + question * 5)
    assert b"HEARTBEAT_ACK" in raw.receive_frame()[1]
    opcode, payload = raw.receive_frame()
    assert (opcode, payload[:2]) == (CLOSE, code.to_bytes(2, "big"))


def test_nothing_counts_behind_a_close(raw):
    raw.register("attacker")
    raw.socket.sendall(close_frame(1000) + frame(TEXT, b'{"type":"HEARTBEAT","payload":{}}') + frame(PING, b"late"))
    assert raw.receive_frame() == (CLOSE, (1000).to_bytes(2, "big"))
    expect_end(raw)


def test_broken_rules_beside_a_call_do_not_touch_it(attacked):
    with Client(attacked.url, "victim-1") as alice, Client(attacked.url, "victim-2") as bob:
        call_id = establish(alice, bob)
        for number, (_, broken) in enumerate(BROKEN.values()):
            with_no_manners = RawSocket(attacked.port)
            with_no_manners.socket.sendall(broken)
            if number % 5 == 0:
                alice.send("ICE_CANDIDATE", callId=call_id, candidate=str(number))
                bob.expect("ICE_CANDIDATE", callId=call_id, candidate=str(number))
            with_no_manners.reset()


DRIPPED = {
    "a message that never ends": frame(TEXT, b"x" * 60_000),
    "fragments without end": FIRST + frame(CONTINUATION, b"", fin=False) * 1_000,
    "a ping that never ends": frame(PING, b"x" * 125),
}
DRIP_SECONDS = 0.02


@pytest.mark.parametrize("dripped", DRIPPED)
def test_a_client_that_never_says_anything_whole_is_not_registered_in_time(serve, dripped):
    raw = RawSocket(serve("--register-timeout", "1s").port)
    assert_given_up(raw, DRIPPED[dripped], 4101)


@pytest.mark.parametrize("dripped", DRIPPED)
def test_a_client_that_never_says_anything_whole_is_not_heard(serve, dripped):
    raw = RawSocket(serve("--ping-after", "500ms", "--silence-timeout", "1s").port)
    raw.register("attacker")
    assert_given_up(raw, DRIPPED[dripped], 4102)


def assert_given_up(raw: RawSocket, dripped: bytes, code: int) -> None:
    """Though there is always a byte under way, the server closes when its second is over."""
    began = time.monotonic()
    for byte in dripped:
        raw.socket.sendall(bytes([byte]))
        if time.monotonic() - began > 1:
            break
        time.sleep(DRIP_SECONDS)
    assert raw.receive_close() == code
    assert time.monotonic() - began < OVER_SECONDS_MAX
    raw.close()
