"""Dialect 2 while nothing is lost: answers that name their request, progress, reasons, signals, glare."""

import pytest

from driver import documented
from driver.client import Client as FirstClient
from driver.client import accept, establish, ring
from driver.dialect2 import Client


@pytest.fixture
def pair(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        yield alice, bob


def test_registered_says_how_the_connection_is_kept(serve):
    server = serve("--ping-after", "7s")
    with Client(server.url) as alice:
        registered = alice.register("alice")
        assert registered["resumed"] is False
        assert registered["heartbeatSeconds"] == 7
        assert registered["maxMessageBytes"] == documented.LIMITS["messageBytesMax"]


def test_registered_announces_the_rates_of_the_operator(serve):
    server = serve("--calls-rate", "7/3", "--candidates-rate", "90/0.5", "--directory-rate", "1/0.001", "--other-rate", "2/1000000")
    with Client(server.url) as alice:
        rates = alice.register("alice")["rates"]
        assert rates == {
            "calls": {"burst": 7, "intervalMs": 334},
            "hangups": {"burst": 100, "intervalMs": 50},
            "candidates": {"burst": 90, "intervalMs": 2000},
            "directory": {"burst": 1, "intervalMs": 1_000_000},
            "acks": {"burst": 90, "intervalMs": 2000},
            "other": {"burst": 2, "intervalMs": 1},
        }
        for _ in range(rates["directory"]["burst"]):
            alice.send("PKD_LOOKUP", clientId="bob")
            alice.expect("PKD_RESULT")
        alice.send("PKD_LOOKUP", clientId="bob")
        alice.expect_error("RATE_LIMITED")


def test_the_first_dialect_is_told_no_rates(serve):
    with FirstClient(serve().url) as alice:
        alice.send("REGISTER", clientId="alice")
        assert alice.expect("REGISTERED") == {"clientId": "alice"}


def test_the_caller_knows_its_call_before_anything_rings(pair):
    alice, bob = pair
    alice.send("CALL_INITIATE", request_id="call-1", targetId="bob", sdpOffer="offer")
    initiated = alice.receive()
    assert (initiated["type"], initiated["replyTo"]) == ("CALL_INITIATED", "call-1")
    call_id = initiated["payload"]["callId"]
    alice.send("ICE_CANDIDATE", callId=call_id, candidate="early")
    bob.expect("INCOMING_CALL", callId=call_id, callerId="alice", sdpOffer="offer")
    bob.expect("ICE_CANDIDATE", callId=call_id, candidate="early")
    bob.send("CALL_RINGING", callId=call_id)
    alice.expect("CALL_RINGING", callId=call_id)
    bob.send("ICE_CANDIDATE", callId=call_id, candidate="before the answer")
    alice.expect("ICE_CANDIDATE", callId=call_id, candidate="before the answer")
    accept(alice, bob, call_id)


@pytest.mark.parametrize("kind, payload, answer", [
    ("HEARTBEAT", {}, "HEARTBEAT_ACK"),
    ("PKD_LOOKUP", {"clientId": "carol"}, "PKD_RESULT"),
    ("PKD_REGISTER", {"clientId": "alice", "publicKey": "key"}, "PKD_RESULT"),
    ("TURN_CREDENTIALS", {}, "TURN_CREDENTIALS"),
    ("CALL_INITIATE", {"targetId": "bob", "sdpOffer": "offer"}, "CALL_INITIATED"),
    ("CALL_END", {"callId": "no-such-call"}, "ERROR"),
    ("REGISTER", {"clientId": "carol", "protocol": 2}, "ERROR"),
])
def test_an_answer_names_its_request(pair, kind, payload, answer):
    alice, _ = pair
    alice.send(kind, request_id="é 7", **payload)
    message = alice.receive()
    assert (message["type"], message["replyTo"]) == (answer, "é 7")


def test_a_call_that_cannot_ring_is_told_twice_over(pair):
    alice, _ = pair
    alice.send("CALL_INITIATE", request_id="1", targetId="carol", sdpOffer="offer")
    call_id = alice.expect("CALL_INITIATED", targetId="carol")["callId"]
    error = alice.receive()
    assert (error["payload"]["code"], error["replyTo"]) == ("TARGET_NOT_FOUND", "1")
    alice.expect("CALL_ENDED", callId=call_id, reason="unreachable")
    alice.expect_quiet()


@pytest.mark.parametrize("said, told", [({}, "declined"), ({"reason": "declined"}, "declined"), ({"reason": "busy"}, "busy")])
def test_a_rejected_caller_learns_why(pair, said, told):
    alice, bob = pair
    call_id = ring(alice, bob)
    bob.send("CALL_REJECT", callId=call_id, **said)
    alice.expect("CALL_REJECTED", callId=call_id, reason=told)
    alice.expect_quiet()
    bob.expect_quiet()


@pytest.mark.parametrize("begin, bound", [(ring, "--calls-unanswered-max"), (establish, "--calls-per-session-max")])
def test_a_callee_in_too_many_calls_is_busy(serve, begin, bound):
    server = serve(bound, "1")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob, Client(server.url, "carol") as carol:
        begin(alice, bob)
        carol.send("CALL_INITIATE", targetId="bob", sdpOffer="offer")
        call_id = carol.expect("CALL_INITIATED")["callId"]
        carol.expect("CALL_REJECTED", callId=call_id, reason="busy")
        bob.expect_quiet()


@pytest.mark.parametrize("ender", ["caller", "callee"])
def test_hanging_up_an_answered_call_is_hangup(pair, ender):
    alice, bob = pair
    call_id = establish(alice, bob)
    one, other = (alice, bob) if ender == "caller" else (bob, alice)
    one.send("CALL_END", callId=call_id)
    other.expect("CALL_ENDED", callId=call_id, reason="hangup")
    one.expect_quiet()


def test_a_caller_may_cancel_before_the_answer_and_the_answer_comes_too_late(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    alice.send("CALL_END", callId=call_id)
    bob.expect("CALL_ENDED", callId=call_id, reason="cancelled")
    bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
    bob.expect_error("CALL_NOT_FOUND")
    alice.expect_quiet()


def test_closing_with_1000_cancels_too(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    alice.close()
    bob.expect("CALL_ENDED", callId=call_id, reason="cancelled")


def test_nobody_answers_in_time(serve):
    server = serve("--ring-timeout", "300ms")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = ring(alice, bob)
        for client in (alice, bob):
            client.expect("CALL_ENDED", callId=call_id, reason="timeout")
            client.expect_quiet()


def test_an_end_that_never_comes_back_is_unreachable(serve):
    server = serve("--grace", "300ms")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        alice.expect("CALL_ENDED", callId=call_id, reason="unreachable")
        alice.expect_quiet()


def test_a_signal_goes_both_ways_in_an_answered_call_and_not_before(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    alice.send("CALL_SIGNAL", callId=call_id, data="too early")
    alice.expect_error("INVALID_STATE")
    accept(alice, bob, call_id)
    for one, other in ((alice, bob), (bob, alice)):
        one.send("CALL_SIGNAL", callId=call_id, data="mute")
        other.expect("CALL_SIGNAL", callId=call_id, data="mute")


def test_what_is_limited_says_when_to_ask_again(serve):
    server = serve("--directory-rate", "1/4")
    with Client(server.url, "alice") as alice:
        for number in range(2):
            alice.send("PKD_LOOKUP", request_id=str(number), clientId="carol")
        # The refusal needs no disk and may come first.
        answers = {message["replyTo"]: message for message in (alice.receive(), alice.receive())}
        assert answers["0"]["type"] == "PKD_RESULT"
        refused = answers["1"]
        assert refused["payload"]["code"] == "RATE_LIMITED"
        assert 0 < refused["payload"]["retryAfterMs"] <= 250


def test_an_error_that_waiting_does_not_help_says_no_time(pair):
    alice, _ = pair
    alice.send("CALL_END", callId="no-such-call")
    assert "retryAfterMs" not in alice.expect("ERROR", code="CALL_NOT_FOUND")


def test_credentials_come_with_the_call_and_are_refreshed(serve):
    server = serve("--turn-preset", "metered", environment={"SECURECALL_TURN_SECRET": "north"})
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        alice.send("CALL_INITIATE", targetId="bob", sdpOffer="offer")
        [caller] = alice.expect("CALL_INITIATED")["iceServers"]
        [callee] = bob.expect("INCOMING_CALL")["iceServers"]
        assert name(caller) != name(callee)
        alice.send("TURN_CREDENTIALS", request_id="refresh")
        fresh = alice.receive()
        assert fresh["replyTo"] == "refresh"
        assert fresh["payload"]["ttlSeconds"] == 3600
        [refreshed] = fresh["payload"]["iceServers"]
        assert name(refreshed) == name(caller)


def name(ice_server):
    """A client's name at the TURN server, behind the expiry."""
    return ice_server["username"].partition(":")[2]


@pytest.mark.parametrize("first", ["alice", "bob"])
@pytest.mark.parametrize("dialects", [(2, 2), (1, 2), (2, 1)], ids=str)
def test_of_two_calls_at_once_the_lesser_id_goes_on(serve, dialects, first):
    """Both orders of sending; which of the two ids is the lesser is chance, so both outcomes are met."""
    server = serve("--directory-rate", "200/200")
    one, other = (Client if dialect == 2 else FirstClient for dialect in dialects)
    with one(server.url, "alice") as alice, other(server.url, "bob") as bob:
        order = (alice, bob) if first == "alice" else (bob, alice)
        for client in order:
            target = "bob" if client is alice else "alice"
            client.send("CALL_INITIATE", targetId=target, sdpOffer=f"offer of {client.client_id}")
        calls = Calls(order)
        callee, call_id = calls.settled()
        assert all(call_id < each for each in calls.lost)
        caller = alice if callee is bob else bob
        accept(caller, callee, call_id)
        callee.send("CALL_END", callId=call_id)
        caller.expect("CALL_ENDED", callId=call_id)
        alice.expect_quiet()
        bob.expect_quiet()


class Calls:
    """What two clients are told of their calls to each other."""

    def __init__(self, clients):
        self.clients = clients
        self.lost: set[str] = set()
        self.rung: list[tuple[FirstClient, str]] = []

    def settled(self) -> tuple[FirstClient, str]:
        """Who is rung by the call that is left, once it is one."""
        for _ in range(100):
            for client in self.clients:
                self._hear(client)
            left = [(client, call_id) for client, call_id in self.rung if call_id not in self.lost]
            if len(left) == len(self.lost) == 1:
                return left[0]
        raise AssertionError(f"rung {self.rung}, lost {self.lost}")

    def _hear(self, client: FirstClient) -> None:
        """Takes what arrives before the answer to a fresh question."""
        client.send("PKD_LOOKUP", clientId="nobody-has-this-id")
        while (message := client.receive())["type"] != "PKD_RESULT":
            payload = message["payload"]
            if message["type"] == "INCOMING_CALL":
                self.rung.append((client, payload["callId"]))
            if message["type"] == "CALL_ENDED":
                assert payload.get("reason", "glare") == "glare"
                self.lost.add(payload["callId"])


def test_between_two_clients_of_dialect_1_both_calls_stand(server):
    with FirstClient(server.url, "alice") as alice, FirstClient(server.url, "bob") as bob:
        first, second = ring(alice, bob), ring(bob, alice)
        accept(alice, bob, first)
        accept(bob, alice, second)


@pytest.mark.parametrize("caller, callee", [(FirstClient, Client), (Client, FirstClient)], ids=["1 calls 2", "2 calls 1"])
class TestMixedPairs:
    """Each end is spoken to in its own dialect: the document, checked on every message, says what that is."""

    @pytest.fixture
    def ends(self, serve, caller, callee):
        server = serve("--ring-timeout", "400ms", "--grace", "400ms")
        with caller(server.url, "alice") as alice, callee(server.url, "bob") as bob:
            yield alice, bob

    def test_a_whole_call(self, ends):
        alice, bob = ends
        call_id = ring(alice, bob)
        if bob.dialect == 2:
            bob.send("CALL_RINGING", callId=call_id)
        accept(alice, bob, call_id)
        for one, other in ((alice, bob), (bob, alice)):
            one.send("ICE_CANDIDATE", callId=call_id, candidate="candidate")
            other.expect("ICE_CANDIDATE", callId=call_id, candidate="candidate")
        alice.send("CALL_END", callId=call_id)
        expect_end(bob, call_id, "hangup")

    def test_a_signal_to_dialect_1_is_refused_and_the_call_goes_on(self, ends):
        alice, bob = ends
        call_id = establish(alice, bob)
        modern = alice if alice.dialect == 2 else bob
        modern.send("CALL_SIGNAL", callId=call_id, data="mute")
        modern.expect_error("INVALID_STATE")
        alice.expect_quiet()
        bob.expect_quiet()
        bob.send("CALL_END", callId=call_id)
        expect_end(alice, call_id, "hangup")

    def test_a_rejection(self, ends):
        alice, bob = ends
        call_id = ring(alice, bob)
        bob.send("CALL_REJECT", callId=call_id)
        expect_end(alice, call_id, "declined", kind="CALL_REJECTED")

    def test_a_cancelled_call(self, ends):
        alice, bob = ends
        call_id = ring(alice, bob)
        alice.close()
        expect_end(bob, call_id, "cancelled")

    def test_a_call_that_nobody_answers(self, ends):
        alice, bob = ends
        call_id = ring(alice, bob)
        expect_end(alice, call_id, "timeout")
        expect_end(bob, call_id, "timeout")

    def test_a_lost_end(self, ends):
        alice, bob = ends
        call_id = establish(alice, bob)
        bob.lose_connection()
        expect_end(alice, call_id, "unreachable")


def expect_end(client: FirstClient, call_id: str, reason: str, kind: str = "CALL_ENDED") -> None:
    """The end of the call, with its reason where the client's dialect has reasons."""
    client.expect(kind, callId=call_id, **({"reason": reason} if client.dialect == 2 else {}))


@pytest.mark.parametrize("kind, payload", [
    ("CALL_RINGING", {"callId": "c"}), ("CALL_SIGNAL", {"callId": "c", "data": "d"}), ("ACK", {"seq": 1}),
])
def test_a_client_of_dialect_1_has_no_word_of_dialect_2(server, kind, payload):
    with FirstClient(server.url, "alice") as alice:
        alice.send_wrong(kind, **payload)
        alice.expect_error("INVALID_MESSAGE")
        alice.expect_quiet()


def test_an_id_that_is_none_of_ours_is_refused_in_dialect_2(pair):
    alice, _ = pair
    alice.send_text('{"type":"HEARTBEAT","payload":{},"id":7}')
    alice.expect_error("INVALID_MESSAGE")
    alice.expect_quiet()
