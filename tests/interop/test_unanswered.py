"""Whoever rings has bounds of its own: it keeps nobody from calling, being called, or declining."""

from contextlib import ExitStack

import pytest

from driver import dialect2
from driver.client import Client, accept, establish, ring

RING_MAX = 8
OF_ONE_CALLER_MAX = 2


@pytest.fixture
def clients(serve):
    """Makes clients of one server, each by its name."""
    server = serve()
    with ExitStack() as stack:
        yield lambda name, dialect=Client: stack.enter_context(dialect(server.url, name))


def expect_busy(caller: Client, callee: Client) -> None:
    caller.send("CALL_INITIATE", targetId=callee.client_id, sdpOffer="offer")
    caller.expect("CALL_REJECTED")
    callee.expect_quiet()


def test_one_caller_rings_twice_and_everybody_else_gets_through(clients):
    bob, mallory, alice = clients("bob"), clients("mallory"), clients("alice")
    for _ in range(OF_ONE_CALLER_MAX):
        ring(mallory, bob)
    for _ in range(10):
        expect_busy(mallory, bob)
    establish(alice, bob)


def test_as_many_ring_as_may_and_the_client_still_calls_and_answers(clients):
    bob, alice, carol = clients("bob"), clients("alice"), clients("carol")
    callers = [clients(f"caller-{number}") for number in range(RING_MAX // OF_ONE_CALLER_MAX)]
    calls = [(caller, ring(caller, bob)) for caller in callers for _ in range(OF_ONE_CALLER_MAX)]
    expect_busy(alice, bob)
    establish(bob, carol)
    accept(calls[0][0], bob, calls[0][1])
    bob.send("CALL_REJECT", callId=calls[1][1])
    calls[1][0].expect("CALL_REJECTED")
    ring(alice, bob)


@pytest.mark.parametrize("dialect", [Client, dialect2.Client])
def test_declining_what_rings_takes_nothing_from_own_calls(clients, dialect):
    """Four callers ring their whole burst; the callee says that it rings, and declines, each time."""
    bob, alice = clients("bob", dialect), clients("alice")
    for number in range(4):
        caller = clients(f"caller-{number}")
        for _ in range(20):
            call_id = ring(caller, bob)
            if dialect is dialect2.Client:
                bob.send("CALL_RINGING", callId=call_id)
            bob.send("CALL_REJECT", callId=call_id)
            caller.expect("CALL_REJECTED", callId=call_id)
    establish(bob, alice)


def test_a_server_may_let_more_or_less_end(serve):
    server = serve("--calls-rate", "3/0.001", "--hangups-rate", "5/0.001", "--calls-unanswered-max", "1")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob, Client(server.url, "carol") as carol:
        ring(alice, bob)
        expect_busy(carol, bob)
        for _ in range(5):
            bob.send("CALL_END", callId="no-such-call")
            bob.expect_error("CALL_NOT_FOUND")
        bob.send("CALL_REJECT", callId="no-such-call")
        bob.expect_error("RATE_LIMITED")
        bob.send("CALL_INITIATE", targetId="nobody", sdpOffer="offer")
        bob.expect_error("TARGET_NOT_FOUND")
