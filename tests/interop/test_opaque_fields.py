"""What clients seal is not the server's to touch: the very bytes of the JSON literal arrive."""

import json
import re

import pytest

from driver.client import Client, establish, ring

# JSON string literals as they stand on the wire. A server that parses and prints again changes most of them.
LITERALS = {
    "empty": '""',
    "needless escapes": r'"\u0041\/\u002f\u00e9\"\\\b\f\n\r\t"',
    "upper and lower hex": r'"\u00E9\u00e9\uABCD\uabcd"',
    "escaped emoji": r'"\ud83d\ude00"',
    "NUL": r'"a\u0000b"',
    "emoji": '"📞👩‍👩‍👧‍👦 \U0010ffff"',
    "line separators": '"\u2028\u2029\u0085"',
    "looks like a message": r'"{\"type\":\"CALL_END\",\"payload\":{}}"',
    "html": '"</script><!-- & -->"',
    "SDP": r'"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\n"',
    "60 KB": '"' + "x" * 60_000 + '"',
    "60 KB of escapes": '"' + r"\u00e9" * 10_000 + '"',
}


# JSON strings that are no Unicode (RFC 7493): half a surrogate pair stands alone. Most libraries refuse the whole
# message, so nobody must be sent one.
NOT_UNICODE = {
    "lone high surrogate": r'"\ud800"',
    "lone low surrogate": r'"\udfff!"',
    "surrogates the wrong way round": r'"\udc00\ud800"',
}


@pytest.fixture(params=LITERALS)
def literal(request):
    return LITERALS[request.param]


@pytest.fixture
def pair(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        yield alice, bob


def message(kind: str, field: str, literal: str, **others: str) -> str:
    rest = "".join(f',"{name}":{json.dumps(value)}' for name, value in others.items())
    return f'{{"type":"{kind}","payload":{{"{field}":{literal}{rest}}}}}'


def expect_literal(client: Client, kind: str, field: str, literal: str) -> dict:
    """The next message has this type and, to the byte, this literal in this field."""
    text = client.receive_text()
    assert f'"{field}":{literal}' in text
    parsed = json.loads(text)
    assert parsed["type"] == kind
    assert parsed["payload"][field] == json.loads(literal)
    return parsed["payload"]


def test_an_offer_an_answer_and_candidates_arrive_byte_for_byte(pair, literal):
    alice, bob = pair
    alice.send_text(message("CALL_INITIATE", "sdpOffer", literal, targetId="bob"))
    call_id = expect_literal(bob, "INCOMING_CALL", "sdpOffer", literal)["callId"]
    bob.send_text(message("CALL_ACCEPT", "sdpAnswer", literal, callId=call_id))
    expect_literal(alice, "CALL_ACCEPTED", "sdpAnswer", literal)
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.send_text(message("ICE_CANDIDATE", "candidate", literal, callId=call_id))
        expect_literal(receiver, "ICE_CANDIDATE", "candidate", literal)


@pytest.mark.parametrize("name", NOT_UNICODE)
def test_what_no_client_can_read_is_refused_and_reaches_nobody(pair, name):
    alice, bob = pair
    call_id = establish(alice, bob)
    for kind, field, others in (
        ("CALL_INITIATE", "sdpOffer", {"targetId": "bob"}),
        ("CALL_ACCEPT", "sdpAnswer", {"callId": call_id}),
        ("ICE_CANDIDATE", "candidate", {"callId": call_id}),
        ("CALL_REJECT", "reason", {"callId": call_id}),
        ("CALL_END", "callId", {}),
        ("PKD_REGISTER", "publicKey", {"clientId": "alice"}),
    ):
        alice.send_text(message(kind, field, NOT_UNICODE[name], **others))
        alice.expect_error("INVALID_MESSAGE")
    alice.send("ICE_CANDIDATE", callId=call_id, candidate="the call goes on")
    bob.expect("ICE_CANDIDATE", callId=call_id, candidate="the call goes on")


@pytest.mark.parametrize("name", [name for name in LITERALS if not name.startswith("60 KB")])
def test_a_key_comes_back_as_it_was_registered(pair, name):
    alice, bob = pair
    alice.send_text(message("PKD_REGISTER", "publicKey", LITERALS[name], clientId="alice"))
    alice.expect("PKD_RESULT", publicKey=json.loads(LITERALS[name]))
    bob.send("PKD_LOOKUP", clientId="alice")
    bob.expect("PKD_RESULT", clientId="alice", publicKey=json.loads(LITERALS[name]))


@pytest.mark.parametrize("turn", [False, True])
def test_nothing_is_sent_that_is_longer_than_what_is_taken(serve, turn):
    """A field that fills a whole message does not fit beside the envelope of the message in which it is passed on."""
    options = {"environment": {"SECURECALL_TURN_SECRET": "hush"}} if turn else {}
    urls = ",".join(f"turn:relay-{number}.example.org:3478" for number in range(8))
    server = serve(*(["--turn-urls", urls] if turn else []), **options)
    with Client(server.url, "alice" * 10) as alice, Client(server.url, "bob" * 10) as bob:
        alice.send("CALL_INITIATE", targetId=bob.client_id, sdpOffer="x" * 65_400)
        words = alice.expect("ERROR", code="INVALID_MESSAGE")["message"]
        fits = int(re.search(r"at most (\d+) bytes", words)[1])
        assert 60_000 < fits < 65_400
        alice.send("CALL_INITIATE", targetId=bob.client_id, sdpOffer="x" * (fits + 1))
        alice.expect_error("INVALID_MESSAGE")
        alice.send("CALL_INITIATE", targetId=bob.client_id, sdpOffer="x" * fits)
        incoming = bob.receive_text()
        assert 65_000 < len(incoming) <= 65_536
        call_id = json.loads(incoming)["payload"]["callId"]
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="x" * fits)
        assert len(alice.receive_text()) <= 65_536


def test_an_escaped_sequence_stays_escaped_when_a_call_rings_again(serve):
    server = serve()
    literal = LITERALS["needless escapes"]
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        alice.send_text(message("CALL_INITIATE", "sdpOffer", literal, targetId="bob"))
        call_id = expect_literal(bob, "INCOMING_CALL", "sdpOffer", literal)["callId"]
        bob.lose_connection()
        with Client(server.url, "bob") as again:
            assert expect_literal(again, "INCOMING_CALL", "sdpOffer", literal)["callId"] == call_id


def test_five_hundred_candidates_keep_their_order(serve):
    server = serve("--candidates-rate", "1000/1000")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        for number in range(500):
            alice.send("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
        for number in range(500):
            bob.expect("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
        alice.expect_quiet()


def test_two_calls_of_one_client_are_kept_apart(serve):
    server = serve()
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob, Client(server.url, "carol") as carol:
        with_bob, with_carol = establish(alice, bob), establish(alice, carol)
        assert with_bob != with_carol
        alice.send("ICE_CANDIDATE", callId=with_carol, candidate="for carol")
        carol.expect("ICE_CANDIDATE", callId=with_carol, candidate="for carol")
        bob.expect_quiet()


def test_call_ids_are_never_given_out_twice(pair):
    alice, bob = pair
    seen = set()
    for _ in range(15):
        call_id = ring(alice, bob)
        seen.add(call_id)
        bob.send("CALL_REJECT", callId=call_id)
        alice.expect("CALL_REJECTED", callId=call_id)
    assert len(seen) == 15
