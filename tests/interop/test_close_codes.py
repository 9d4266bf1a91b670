"""Each close code at the wire: clients in the field decide by it whether to come back."""

import json
import time

import pytest

from driver.client import Client, establish
from driver.flood import flood_a_peer_who_does_not_read
from driver.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame

MESSAGE_BYTES_MAX = 65536


@pytest.fixture
def raw(server):
    socket = RawSocket(server.port)
    yield socket
    socket.close()


def padded_lookup(size: int) -> bytes:
    """A legal PKD_LOOKUP of exactly `size` bytes."""
    bare = len(json.dumps({"type": "PKD_LOOKUP", "payload": {"clientId": "bob", "x": ""}}))
    return json.dumps({"type": "PKD_LOOKUP", "payload": {"clientId": "bob", "x": "x" * (size - bare)}}).encode()


def test_no_register_in_time_closes_with_4101(serve):
    server = serve("--register-timeout", "1s")
    began = time.monotonic()
    with Client(server.url) as client:
        client.expect_close(4101)
    assert 0.8 < time.monotonic() - began < 3


def test_messages_that_are_no_register_do_not_move_the_deadline(serve):
    server = serve("--register-timeout", "1s")
    with Client(server.url) as client:
        for _ in range(3):
            client.send("PKD_LOOKUP", clientId="bob")
            client.expect_error("NOT_REGISTERED")
            time.sleep(0.2)
        client.expect_close(4101, timeout=2)


def test_a_registered_client_has_no_such_deadline(serve):
    server = serve("--register-timeout", "1s")
    with Client(server.url, "alice") as alice:
        time.sleep(1.5)
        alice.expect_quiet()


def test_a_silent_client_is_pinged_then_closed_with_4102(serve):
    server = serve("--ping-after", "1s", "--silence-timeout", "2s")
    raw = RawSocket(server.port)
    raw.register("alice")
    began = time.monotonic()
    assert raw.receive_frame()[0] == PING
    assert raw.receive_close() == 4102
    assert 1.5 < time.monotonic() - began < 4


def test_a_client_that_only_answers_pings_stays(serve):
    server = serve("--ping-after", "500ms", "--silence-timeout", "1500ms")
    with Client(server.url, "alice", ping_interval=None) as alice:
        time.sleep(3)
        alice.expect_quiet()


def test_a_ping_is_answered_with_its_own_bytes(raw):
    raw.send_frame(PING, b"are you there?")
    assert raw.receive_frame() == (PONG, b"are you there?")


def test_messages_may_follow_the_request_without_waiting_for_the_upgrade(server):
    register = frame(TEXT, b'{"type":"REGISTER","payload":{"clientId":"alice"}}')
    lookup = frame(TEXT, b'{"type":"PKD_LOOKUP","payload":{"clientId":"bob"}}')
    raw = RawSocket(server.port, first=register + lookup)
    assert b'"REGISTERED"' in raw.receive_frame()[1]
    assert b'"PKD_RESULT"' in raw.receive_frame()[1]


def test_a_frame_may_arrive_byte_by_byte(raw):
    for byte in frame(TEXT, b'{"type":"REGISTER","payload":{"clientId":"alice"}}'):
        raw.socket.sendall(bytes([byte]))
    assert b'"REGISTERED"' in raw.receive_frame()[1]


def test_a_message_of_exactly_64_kib_passes(raw):
    raw.register("alice")
    raw.send_frame(TEXT, padded_lookup(MESSAGE_BYTES_MAX))
    assert b"PKD_RESULT" in raw.receive_frame()[1]


def test_a_byte_over_64_kib_closes_with_1009(raw):
    raw.register("alice")
    raw.send_frame(TEXT, padded_lookup(MESSAGE_BYTES_MAX + 1))
    assert raw.receive_close() == 1009


def test_fragments_that_add_up_to_more_than_64_kib_close_with_1009(raw):
    raw.register("alice")
    raw.send_frame(TEXT, b"x" * 40_000, fin=False)
    raw.send_frame(CONTINUATION, b"x" * 40_000)
    assert raw.receive_close() == 1009


def test_a_fragmented_message_with_a_ping_in_between_is_read_whole(raw):
    raw.register("alice")
    whole = padded_lookup(300)
    raw.send_frame(TEXT, whole[:100], fin=False)
    raw.send_frame(PING, b"p")
    raw.send_frame(CONTINUATION, whole[100:200], fin=False)
    raw.send_frame(CONTINUATION, whole[200:])
    assert raw.receive_frame() == (PONG, b"p")
    assert b"PKD_RESULT" in raw.receive_frame()[1]


def test_a_binary_message_closes_with_1003(raw):
    raw.send_frame(BINARY, b"\x00\x01")
    assert raw.receive_close() == 1003


@pytest.mark.parametrize("payload", [b"\xff\xfe", b'"\xc3', b'"\xed\xa0\x80"', b'"\xc0\xaf"'], ids=repr)
def test_text_that_is_not_utf8_closes_with_1007(raw, payload):
    raw.send_frame(TEXT, payload)
    assert raw.receive_close() == 1007


def test_an_unmasked_frame_closes_with_1002(raw):
    raw.send_frame(TEXT, b"{}", masked=False)
    assert raw.receive_close() == 1002


@pytest.mark.parametrize("reserved", [1, 2, 4])
def test_reserved_bits_close_with_1002(raw, reserved):
    raw.send_frame(TEXT, b"{}", reserved=reserved)
    assert raw.receive_close() == 1002


def test_an_unknown_opcode_closes_with_1002(raw):
    raw.send_frame(0x3, b"{}")
    assert raw.receive_close() == 1002


def test_a_continuation_of_nothing_closes_with_1002(raw):
    raw.send_frame(CONTINUATION, b"{}")
    assert raw.receive_close() == 1002


def test_a_fragmented_control_frame_closes_with_1002(raw):
    raw.send_frame(PING, b"x", fin=False)
    assert raw.receive_close() == 1002


def test_a_close_is_answered_with_the_same_code(raw):
    raw.send_frame(CLOSE, (1000).to_bytes(2, "big"))
    assert raw.receive_close() == 1000


def test_one_client_breaking_the_rules_does_not_touch_another(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        for payload in (b"\xff", b"\xc3", b"\x80"):
            rude = RawSocket(server.port)
            rude.send_frame(TEXT, payload)
            assert rude.receive_close() == 1007
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="fine")
        bob.expect("ICE_CANDIDATE", candidate="fine")


def test_a_reader_too_slow_for_its_mail_is_closed_with_1013(serve):
    server = serve("--candidates-rate", "100000/100000")
    slow = RawSocket(server.port, receive_buffer=4096)
    slow.register("slow")
    with Client(server.url, "alice") as alice:
        call_id = flood_a_peer_who_does_not_read(alice, slow)
        with Client(server.url, "bob") as bob:
            bob.expect_quiet()
        assert slow.receive_close() == 1013
        alice.expect("CALL_ENDED", callId=call_id)
