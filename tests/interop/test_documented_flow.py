"""The reference, played from REGISTER to CALL_END over the `websockets` package."""

import time

import pytest

from driver.client import Client, accept, establish, ring

CALL_REQUESTS = {
    "CALL_ACCEPT": {"sdpAnswer": "answer"},
    "CALL_REJECT": {},
    "CALL_END": {},
    "ICE_CANDIDATE": {"candidate": "candidate"},
}
REQUESTS_BEFORE_REGISTER = {
    "CALL_INITIATE": {"targetId": "bob", "sdpOffer": "offer"},
    "PKD_REGISTER": {"clientId": "alice", "publicKey": "key"},
    "PKD_LOOKUP": {"clientId": "alice"},
    **{kind: {"callId": "some-call", **fields} for kind, fields in CALL_REQUESTS.items()},
}


@pytest.fixture
def pair(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        yield alice, bob


def test_a_call_goes_from_register_to_call_end(pair):
    alice, bob = pair
    call_id = ring(alice, bob, offer="v=0 the offer")
    accept(alice, bob, call_id, answer="v=0 the answer")
    for number in range(20):
        alice.send("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
        bob.send("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
    for number in range(20):
        bob.expect("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
        alice.expect("ICE_CANDIDATE", callId=call_id, candidate=f"candidate:{number}")
    alice.send("CALL_END", callId=call_id)
    bob.expect("CALL_ENDED", callId=call_id)
    alice.expect_quiet()
    bob.expect_quiet()


def test_the_callee_may_end_the_call_too(pair):
    alice, bob = pair
    call_id = establish(alice, bob)
    bob.send("CALL_END", callId=call_id)
    alice.expect("CALL_ENDED", callId=call_id)
    bob.expect_quiet()


def test_a_rejected_call_is_told_to_the_caller_once(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    bob.send("CALL_REJECT", callId=call_id)
    alice.expect("CALL_REJECTED", callId=call_id)
    alice.expect_quiet()


def test_a_caller_who_hangs_up_early_stops_the_ringing(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    alice.close()
    bob.expect("CALL_ENDED", callId=call_id)


def test_a_key_is_registered_looked_up_and_unknown_ids_are_null(pair):
    alice, bob = pair
    alice.send("PKD_REGISTER", clientId="alice", publicKey="alice's key")
    alice.expect("PKD_RESULT", clientId="alice", publicKey="alice's key")
    bob.send("PKD_LOOKUP", clientId="alice")
    bob.expect("PKD_RESULT", clientId="alice", publicKey="alice's key")
    bob.send("PKD_LOOKUP", clientId="carol")
    bob.expect("PKD_RESULT", clientId="carol", publicKey=None)


@pytest.mark.parametrize("kind", REQUESTS_BEFORE_REGISTER)
def test_before_register_every_request_is_not_registered(server, kind):
    with Client(server.url) as client:
        client.send(kind, **REQUESTS_BEFORE_REGISTER[kind])
        client.expect_error("NOT_REGISTERED")
        client.register("alice")


def test_calling_an_absent_client_is_target_not_found(pair):
    alice, _ = pair
    alice.send("CALL_INITIATE", targetId="carol", sdpOffer="offer")
    alice.expect_error("TARGET_NOT_FOUND")
    alice.expect_quiet()


@pytest.mark.parametrize("kind", CALL_REQUESTS)
def test_a_made_up_call_id_is_call_not_found(pair, kind):
    alice, _ = pair
    alice.send(kind, callId="no-such-call", **CALL_REQUESTS[kind])
    alice.expect_error("CALL_NOT_FOUND")
    alice.expect_quiet()


@pytest.mark.parametrize("kind", CALL_REQUESTS)
def test_an_outsider_who_knows_the_call_id_is_told_call_not_found(server, pair, kind):
    alice, bob = pair
    call_id = establish(alice, bob)
    with Client(server.url, "mallory") as mallory:
        mallory.send(kind, callId=call_id, **CALL_REQUESTS[kind])
        mallory.expect_error("CALL_NOT_FOUND")
    alice.expect_quiet()
    bob.expect_quiet()


@pytest.mark.parametrize("kind", CALL_REQUESTS)
def test_a_call_that_ended_cannot_be_revived(pair, kind):
    alice, bob = pair
    call_id = establish(alice, bob)
    alice.send("CALL_END", callId=call_id)
    bob.expect("CALL_ENDED", callId=call_id)
    bob.send(kind, callId=call_id, **CALL_REQUESTS[kind])
    bob.expect_error("CALL_NOT_FOUND")
    alice.expect_quiet()


def test_a_second_accept_is_refused_and_not_forwarded(pair):
    alice, bob = pair
    call_id = establish(alice, bob)
    bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="another answer")
    bob.expect_error("INVALID_STATE")
    alice.expect_quiet()


def test_a_caller_cannot_accept_its_own_call(pair):
    alice, bob = pair
    call_id = ring(alice, bob)
    alice.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
    alice.expect_error("INVALID_STATE")
    accept(alice, bob, call_id)


def test_calling_oneself_is_an_invalid_message(pair):
    alice, _ = pair
    alice.send("CALL_INITIATE", targetId="alice", sdpOffer="offer")
    alice.expect_error("INVALID_MESSAGE")
    alice.expect_quiet()


def test_a_second_registration_under_another_id_is_invalid_state(pair):
    alice, bob = pair
    alice.send("REGISTER", clientId="carol")
    alice.expect_error("INVALID_STATE")
    alice.register("alice")
    ring(bob, alice)


def test_a_key_for_somebody_else_is_unauthorized(pair):
    alice, bob = pair
    bob.send("PKD_REGISTER", clientId="alice", publicKey="bob's key")
    bob.expect_error("UNAUTHORIZED")
    alice.send("PKD_LOOKUP", clientId="alice")
    alice.expect("PKD_RESULT", clientId="alice", publicKey=None)


def test_a_pinned_key_is_not_replaced_by_whoever_registers_the_id_next(server, pair):
    alice, bob = pair
    alice.send("PKD_REGISTER", clientId="alice", publicKey="first")
    alice.expect("PKD_RESULT", publicKey="first")
    with Client(server.url, "alice") as successor:
        successor.send("PKD_REGISTER", clientId="alice", publicKey="second")
        successor.expect_error("KEY_PINNED")
        successor.send("PKD_REGISTER", clientId="alice", publicKey="first")
        successor.expect("PKD_RESULT", clientId="alice", publicKey="first")
    bob.send("PKD_LOOKUP", clientId="alice")
    bob.expect("PKD_RESULT", clientId="alice", publicKey="first")


def test_too_many_requests_are_rate_limited_and_the_connection_stays(serve):
    server = serve("--directory-rate", "5/1", "--calls-rate", "5/1")
    with Client(server.url, "alice") as alice:
        for _ in range(20):
            alice.send("PKD_LOOKUP", clientId="carol")
        answers = [alice.receive() for _ in range(20)]
        assert [answer["type"] for answer in answers].count("PKD_RESULT") in (5, 6)
        assert {answer["payload"]["code"] for answer in answers if answer["type"] == "ERROR"} == {"RATE_LIMITED"}
        for _ in range(20):
            alice.send("CALL_INITIATE", targetId="carol", sdpOffer="offer")
        codes = [alice.expect("ERROR")["code"] for _ in range(20)]
        assert codes[:5] == ["TARGET_NOT_FOUND"] * 5
        assert codes[6:] == ["RATE_LIMITED"] * 14
        time.sleep(1)
        alice.expect_quiet()


def test_a_full_ice_gather_meets_no_limit(pair):
    alice, bob = pair
    call_id = establish(alice, bob)
    for number in range(300):
        alice.send("ICE_CANDIDATE", callId=call_id, candidate=str(number))
    for number in range(300):
        bob.expect("ICE_CANDIDATE", callId=call_id, candidate=str(number))
    alice.expect_quiet()


def test_the_newest_registration_of_an_id_wins(server, pair):
    alice, bob = pair
    with Client(server.url, "bob") as successor:
        bob.expect_close(4001)
        establish(alice, successor)


def test_clients_that_cannot_ping_may_send_heartbeats(pair):
    alice, _ = pair
    alice.send("HEARTBEAT")
    alice.expect("HEARTBEAT_ACK")


def test_an_answer_names_the_request_that_asked(pair):
    alice, _ = pair
    alice.send_text('{"type":"PKD_LOOKUP","id":"q-1","payload":{"clientId":"carol"}}')
    assert alice.receive()["replyTo"] == "q-1"
    alice.send_text('{"type":"CALL_INITIATE","id":"q-2","payload":{"targetId":"carol","sdpOffer":"offer"}}')
    assert alice.receive()["replyTo"] == "q-2"
