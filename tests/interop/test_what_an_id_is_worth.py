"""What a client id, a call id and a token are worth, after restarts and between strangers (SECURITY.md)."""

import time

import pytest
from websockets.exceptions import ConnectionClosed

from driver import dialect2
from driver.client import Client, accept, establish, ring

# After so long the server knows of a connection that was shut down.
SECONDS_TO_NOTICE = 0.2


def an_old_call(serve):
    """Alice rang bob and gave it up; the server was killed; both are back, and alice rings carol."""
    server = serve()
    alice, bob = Client(server.url, "alice"), Client(server.url, "bob")
    old = ring(alice, bob)
    alice.close()
    bob.expect("CALL_ENDED", callId=old)
    server.crash()
    server.restart()
    alice, bob, carol = (Client(server.url, name) for name in ("alice", "bob", "carol"))
    return alice, bob, carol, old, ring(alice, carol)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("CALL_ACCEPT", {"sdpAnswer": "the wrong answer"}),
        ("CALL_REJECT", {}),
        ("CALL_END", {}),
        ("ICE_CANDIDATE", {"candidate": "the wrong candidate"}),
    ],
)
def test_an_old_id_tells_nothing_to_a_caller_that_rings_somebody_else(serve, kind, fields):
    alice, bob, carol, old, new = an_old_call(serve)
    with alice, bob, carol:
        bob.send(kind, callId=old, **fields)
        alice.expect_quiet()
        accept(alice, carol, new, answer="the right answer")


def test_calling_back_while_the_others_line_is_lost_leaves_its_call_ringing(server):
    """Ids are random, and so is which of two calls survives where they do collide."""
    for _ in range(10):
        with dialect2.Client(server.url, "bob") as bob:
            alice = dialect2.Client(server.url, "alice")
            call_id = ring(alice, bob)
            alice.lose_connection()
            time.sleep(SECONDS_TO_NOTICE)
            bob.send("CALL_INITIATE", targetId="alice", sdpOffer="calling back")
            back = bob.expect("CALL_INITIATED")["callId"]
            bob.expect_error("TARGET_NOT_FOUND")
            bob.expect("CALL_ENDED", callId=back, reason="unreachable")
            with alice.come_back(server.url) as alice:
                accept(alice, bob, call_id)


def test_a_later_protocol_is_answered_in_the_latest_that_is_spoken(server):
    with dialect2.Client(server.url) as alice:
        alice.send("REGISTER", clientId="alice", protocol=3)
        assert alice.expect_registered("alice")["protocol"] == 2


@pytest.mark.parametrize("protocol", ["2", 0, -1, 2.5, True, []])
def test_what_is_no_protocol_number_is_refused(server, protocol):
    with dialect2.Client(server.url) as alice:
        alice.send_wrong("REGISTER", clientId="alice", protocol=protocol)
        alice.expect_error("INVALID_MESSAGE")


def test_a_caller_of_dialect_1_that_loses_its_line_at_the_answer_gets_it_again(server):
    alice = Client(server.url, "alice")
    with Client(server.url, "bob") as bob:
        call_id = ring(alice, bob)
        alice.lose_connection()
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
        for _ in range(2):
            alice = Client(server.url, "alice")
            alice.expect("CALL_ACCEPTED", callId=call_id, sdpAnswer="answer")
        with alice:
            alice.send("ICE_CANDIDATE", callId=call_id, candidate="alice's")
            bob.expect("ICE_CANDIDATE", callId=call_id, candidate="alice's")
            with Client(server.url, "alice") as again:
                again.expect_quiet()


def test_a_caller_of_dialect_2_that_was_away_gets_everything_in_order(server):
    alice = dialect2.Client(server.url, "alice")
    with dialect2.Client(server.url, "bob") as bob:
        call_id = ring(alice, bob)
        alice.lose_connection()
        bob.send("ICE_CANDIDATE", callId=call_id, candidate="before")
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
        bob.send("ICE_CANDIDATE", callId=call_id, candidate="after")
        bob.expect_quiet()
        with alice.come_back(server.url) as alice:
            assert alice.resumed
            alice.expect("ICE_CANDIDATE", candidate="before")
            alice.expect("CALL_ACCEPTED", sdpAnswer="answer")
            alice.expect("ICE_CANDIDATE", candidate="after")


@pytest.mark.parametrize("dialect", [1, 2])
def test_who_held_an_id_while_it_rang_neither_ends_nor_has_the_answered_call(server, dialect):
    with dialect2.Client(server.url, "alice") as alice:
        overhears = dialect2.Client(server.url, "bob")
        call_id = ring(alice, overhears)
        bob = dialect2.Client(server.url, "bob")
        bob.expect("INCOMING_CALL", callId=call_id)
        accept(alice, bob, call_id)
        with (Client if dialect == 1 else dialect2.Client)(server.url, "bob") as mallory:
            mallory.send("CALL_END", callId=call_id)
            mallory.expect_error("CALL_NOT_FOUND")
            alice.expect_quiet()
            with bob.come_back(server.url) as again:
                assert again.resumed is False
                alice.send("CALL_END", callId=call_id)
                again.expect("CALL_ENDED", callId=call_id, reason="hangup")


@pytest.mark.parametrize("callee", [Client, dialect2.Client])
def test_an_offer_that_the_callees_library_refuses_is_not_rung_for_ever(server, callee):
    """The library closes with 1009, and the client comes back: again and again."""
    with dialect2.Client(server.url, "alice") as alice:
        bob = callee(server.url, "bob", max_size=2_000)
        alice.send("CALL_INITIATE", targetId="bob", sdpOffer="x" * 60_000)
        call_id = alice.expect("CALL_INITIATED")["callId"]
        for _ in range(3):
            with pytest.raises(ConnectionClosed):
                bob.receive_text()
            options = {"memory": bob.memory} if callee is dialect2.Client else {}
            bob = callee(server.url, "bob", max_size=2_000, **options)
        alice.expect("CALL_ENDED", callId=call_id, reason="unreachable")
        with bob:
            assert bob.expect("CALL_ENDED")["callId"] == call_id
            bob.expect_quiet()


def test_an_established_call_is_not_touched_by_any_of_that(server):
    with dialect2.Client(server.url, "alice") as alice, dialect2.Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        alice.send("CALL_SIGNAL", callId=call_id, data="mute")
        bob.expect("CALL_SIGNAL", callId=call_id, data="mute")
