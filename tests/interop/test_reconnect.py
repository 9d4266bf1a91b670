"""Lost connections within one server's life: who comes back, who is told, and when."""

import time

from driver.client import Client, accept, establish, ring
from driver.server import eventually


def test_an_unanswered_call_ends_for_both_sides(serve):
    server = serve("--ring-timeout", "1s")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = ring(alice, bob)
        bob.expect("CALL_ENDED", callId=call_id)
        alice.expect("CALL_ENDED", callId=call_id)
        alice.expect_quiet()
        bob.expect_quiet()


def test_an_accepted_call_outlives_the_ring_timeout(serve):
    server = serve("--ring-timeout", "1s")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        time.sleep(1.5)
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="still talking")
        bob.expect("ICE_CANDIDATE", callId=call_id, candidate="still talking")


def test_a_ringing_call_is_delivered_again_to_a_callee_who_reconnects(server):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = ring(alice, bob, offer="the same offer")
        bob.lose_connection()
        with Client(server.url, "bob") as again:
            again.expect("INCOMING_CALL", callId=call_id, callerId="alice", sdpOffer="the same offer")
            accept(alice, again, call_id)
            alice.expect_quiet()


def test_candidates_for_an_end_that_comes_back_in_time_wait_for_it(server):
    bob = Client(server.url, "bob")
    with Client(server.url, "alice") as alice:
        call_id = establish(alice, bob)
        bob.lose_connection()
        assert eventually(lambda: server.metrics()["securecall_connections"] == 1, 2)
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="while bob was away")
        alice.expect_quiet()
        with Client(server.url, "bob") as again:
            again.send("ICE_CANDIDATE", callId=call_id, candidate="bob is back")
            again.expect("ICE_CANDIDATE", callId=call_id, candidate="while bob was away")
            alice.expect("ICE_CANDIDATE", callId=call_id, candidate="bob is back")


def test_whoever_takes_over_an_id_without_the_call_id_gets_nothing_of_a_running_call(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        with Client(server.url, "bob") as intruder:
            bob.expect_close(4001)
            alice.send("ICE_CANDIDATE", callId=call_id, candidate="for bob's eyes")
            alice.expect_quiet()
            intruder.expect_quiet()


def test_an_end_that_never_comes_back_is_told_to_the_other(serve):
    server = serve("--grace", "1s")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        alice.expect("CALL_ENDED", timeout=4, callId=call_id)
        alice.expect_quiet()


def test_a_caller_who_vanishes_stops_the_ringing(serve):
    server = serve("--grace", "1s")
    with Client(server.url, "bob") as bob:
        alice = Client(server.url, "alice")
        call_id = ring(alice, bob)
        alice.lose_connection()
        bob.expect("CALL_ENDED", timeout=4, callId=call_id)


def test_a_client_that_said_goodbye_is_not_found_at_once(server):
    with Client(server.url, "alice") as alice:
        Client(server.url, "bob").close()
        alice.send("CALL_INITIATE", targetId="bob", sdpOffer="offer")
        alice.expect_error("TARGET_NOT_FOUND")
