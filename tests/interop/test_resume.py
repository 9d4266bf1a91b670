"""Resumption: everything that was missed comes once and in order, or the client is told that it does not."""

import time

import pytest

from driver.client import accept, establish, ring
from driver.dialect2 import Client, Memory
from driver.server import Server, eventually


def gone(server: Server, connections: int) -> bool:
    """Whether the server has noticed that only so many connections are left."""
    return eventually(lambda: server.metrics()["securecall_connections"] == connections, 2, every=0.01)


def send_candidates(client: Client, call_id: str, numbers: range) -> None:
    for number in numbers:
        client.send("ICE_CANDIDATE", callId=call_id, candidate=str(number))


def expect_candidates(client: Client, call_id: str, numbers: range) -> None:
    """The driver checks besides that their numbers have no gap and no repetition."""
    for number in numbers:
        client.expect("ICE_CANDIDATE", callId=call_id, candidate=str(number))


@pytest.mark.parametrize("noticed", [True, False], ids=["after the loss", "before the server has noticed it"])
def test_what_was_sent_and_not_seen_and_what_came_meanwhile_arrives_once_in_order(server, noticed):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        send_candidates(alice, call_id, range(3))
        expect_candidates(bob, call_id, range(1))  # 1 and 2 are on the wire, and bob never looks
        alice.expect_quiet()
        if noticed:
            bob.lose_connection()
            assert gone(server, 1)
            send_candidates(alice, call_id, range(3, 6))
            alice.expect_quiet()
        with bob.come_back(server.url) as again:
            assert again.resumed
            if not noticed:
                send_candidates(alice, call_id, range(3, 6))
            expect_candidates(again, call_id, range(1, 6))
            again.expect_quiet()
            again.send("ICE_CANDIDATE", callId=call_id, candidate="and back")
            alice.expect("ICE_CANDIDATE", callId=call_id, candidate="and back")


def test_a_connection_lost_again_and_again_loses_nothing(server):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        for turn in range(5):
            send_candidates(alice, call_id, range(turn * 4, turn * 4 + 4))
            expect_candidates(bob, call_id, range(turn * 4, turn * 4 + 2))
            if turn % 2:
                bob.acknowledge()
            bob.lose_connection()
            bob = bob.come_back(server.url)
            assert bob.resumed
            expect_candidates(bob, call_id, range(turn * 4 + 2, turn * 4 + 4))
        bob.expect_quiet()
        bob.close()


def test_an_end_that_came_meanwhile_is_told(server):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        assert gone(server, 1)
        alice.send("CALL_END", callId=call_id)
        alice.expect_quiet()
        with bob.come_back(server.url) as again:
            assert again.resumed
            again.expect("CALL_ENDED", callId=call_id, reason="hangup")
            again.expect_quiet()


def test_a_caller_hears_an_answer_that_came_while_it_was_away(server):
    with Client(server.url, "bob") as bob:
        alice = Client(server.url, "alice")
        call_id = ring(alice, bob)
        alice.lose_connection()
        assert gone(server, 1)
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
        bob.expect_quiet()
        with alice.come_back(server.url) as again:
            assert again.resumed
            again.expect("CALL_ACCEPTED", callId=call_id, sdpAnswer="answer")


def test_a_repeated_accept_after_a_resumption_is_harmless(server):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        with bob.come_back(server.url) as again:
            again.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
            again.expect_error("INVALID_STATE")
            alice.expect_quiet()


def expect_a_new_beginning(server: Server, alice: Client, memory: Memory, call_id: str) -> None:
    """`resumed: false`, and bob's running call is his again because he presents it."""
    with Client(server.url, "bob", memory=memory) as again:
        assert again.resumed is False
        again.send("ICE_CANDIDATE", callId=call_id, candidate="back")
        alice.expect("ICE_CANDIDATE", callId=call_id, candidate="back")


@pytest.mark.parametrize("token", ["wrong", "another client's", "of an earlier registration"])
def test_a_wrong_token_begins_anew(server, token):
    with Client(server.url, "alice") as alice:
        earlier = Client(server.url, "bob")
        earlier_token = earlier.memory.token
        earlier.close()
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        own_token = bob.memory.token
        bob.memory.token = {"wrong": "x" * 22, "another client's": alice.memory.token}.get(token, earlier_token)
        with Client(server.url, "bob", memory=bob.memory) as again:
            assert again.resumed is False
            again.expect("CALL_ENDED", callId=call_id, reason="unreachable")
            again.send("CALL_END", callId=call_id)
            again.expect_error("CALL_NOT_FOUND")
            alice.expect_quiet()
        bob.memory.token, bob.memory.calls = own_token, {call_id: True}
        expect_a_new_beginning(server, alice, bob.memory, call_id)


@pytest.mark.parametrize("last_seq", [100, 1 << 50])
def test_a_number_that_was_never_sent_begins_anew(server, last_seq):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        bob.memory.last_seq = last_seq
        expect_a_new_beginning(server, alice, bob.memory, call_id)


def test_what_was_acknowledged_cannot_be_asked_for_again(server):
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        send_candidates(alice, call_id, range(3))
        expect_candidates(bob, call_id, range(3))
        bob.acknowledge()
        bob.expect_quiet()
        bob.lose_connection()
        bob.memory.last_seq = 1
        expect_a_new_beginning(server, alice, bob.memory, call_id)


def test_after_the_grace_it_begins_anew_and_the_call_is_over(serve):
    server = serve("--grace", "300ms")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        alice.expect("CALL_ENDED", callId=call_id, reason="unreachable")
        with bob.come_back(server.url) as again:
            assert again.resumed is False
            again.expect("CALL_ENDED", callId=call_id)
            again.expect_quiet()


def test_after_a_restart_it_begins_anew_and_the_presented_call_goes_on(serve):
    server = serve()
    alice, bob = Client(server.url, "alice"), Client(server.url, "bob")
    call_id = establish(alice, bob)
    server.crash()
    server.restart()
    with alice.come_back(server.url) as alice, bob.come_back(server.url) as bob:
        assert (alice.resumed, bob.resumed) == (False, False)
        for one, other in ((alice, bob), (bob, alice)):
            one.send("CALL_SIGNAL", callId=call_id, data="restart ICE")
            other.expect("CALL_SIGNAL", callId=call_id, data="restart ICE")


def test_somebody_else_who_registers_the_id_ends_the_token_and_the_call_nobody_presents(serve):
    server = serve("--ring-timeout", "400ms", "--grace", "400ms")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        with Client(server.url, "bob") as intruder:
            assert intruder.resumed is False
            bob.expect_close(4001)
            alice.expect("CALL_ENDED", callId=call_id, reason="superseded")
            with bob.come_back(server.url) as again:
                assert again.resumed is False


def test_more_messages_than_are_kept_are_told_to_be_lost(serve):
    server = serve("--candidates-rate", "5000/5000")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        seen = bob.memory.last_seq
        send_candidates(alice, call_id, range(1_100))
        expect_candidates(bob, call_id, range(1_100))
        bob.lose_connection()
        bob.memory.last_seq = seen
        expect_a_new_beginning(server, alice, bob.memory, call_id)


def test_more_bytes_than_are_kept_are_told_to_be_lost_and_what_is_kept_is_resumed(serve):
    server = serve("--waiting-bytes-max", "20000", "--message-bytes-max", "8000")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        for number in range(30):
            alice.send("ICE_CANDIDATE", callId=call_id, candidate=f"{number:-<1000}")
        for number in range(30):
            bob.expect("ICE_CANDIDATE", candidate=f"{number:-<1000}")
        newest = bob.memory.last_seq
        bob.lose_connection()
        bob.memory.last_seq = newest - 3
        bob = bob.come_back(server.url)
        assert bob.resumed
        for number in range(27, 30):
            bob.expect("ICE_CANDIDATE", candidate=f"{number:-<1000}")
        bob.lose_connection()
        bob.memory.last_seq = newest - 25
        expect_a_new_beginning(server, alice, bob.memory, call_id)


def test_a_client_that_misses_more_than_is_kept_loses_the_call_and_is_told(serve):
    server = serve("--waiting-bytes-max", "20000", "--message-bytes-max", "8000")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        bob.lose_connection()
        assert gone(server, 1)
        for number in range(30):
            alice.send("ICE_CANDIDATE", callId=call_id, candidate=f"{number:-<1000}")
        while (message := alice.receive())["type"] == "ERROR":
            assert message["payload"]["code"] == "CALL_NOT_FOUND"
        assert message["payload"] == {"callId": call_id, "reason": "unreachable"}
        with bob.come_back(server.url) as again:
            assert again.resumed
            missed = 0
            while (message := again.receive())["type"] == "ICE_CANDIDATE":
                assert message["payload"]["candidate"] == f"{missed:-<1000}"
                missed += 1
            assert message["payload"] == {"callId": call_id, "reason": "unreachable"}
            assert 10 < missed < 20
            again.expect_quiet()


def test_what_is_too_old_is_told_to_be_lost(serve):
    server = serve("--waiting-age-max", "200ms")
    with Client(server.url, "alice") as alice:
        bob = Client(server.url, "bob")
        call_id = establish(alice, bob)
        seen = bob.memory.last_seq
        send_candidates(alice, call_id, range(3))
        expect_candidates(bob, call_id, range(3))
        time.sleep(0.3)
        send_candidates(alice, call_id, range(3, 4))
        expect_candidates(bob, call_id, range(3, 4))
        bob.lose_connection()
        bob.memory.last_seq = seen
        expect_a_new_beginning(server, alice, bob.memory, call_id)
