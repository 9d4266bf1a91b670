"""A server that dies, or a connection that breaks, at every moment of a call: afterwards the two talk, or both know that
they do not. Nothing hangs."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from driver.server import Server, free_port
from driver.telephone import Telephone

RING_SECONDS = 0.6
LIMITS = ("--ring-timeout", f"{RING_SECONDS}s", "--grace", f"{RING_SECONDS}s")
# A dialect 1 client has a ring timer of its own, a little over the server's.
PATIENCE_SECONDS = 0.8
# An end waits for one deadline of the server at most, after another when it was told nothing; the rest is for a slow machine.
SETTLED_SECONDS_MAX = 6
# More than any call here takes: what is to happen at the last ones does not happen.
MESSAGES_MAX = 24
PAIRS = list(itertools.product((1, 2), repeat=2))


class Fuse:
    """Calls `blow` at the `length`-th message of either client."""

    def __init__(self, length: int, blow: Callable[[], None]):
        self.left, self.blow = length, blow

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.blow()

    @property
    def has_blown(self) -> bool:
        return self.left <= 0


class Restart:
    """Kills the server, and starts it again without holding up the clients."""

    def __init__(self, server: Server):
        self.server = server
        self.starting: asyncio.Task | None = None

    def __call__(self) -> None:
        self.server.crash()
        self.starting = asyncio.create_task(asyncio.to_thread(self.server.restart))

    async def done(self) -> None:
        if self.starting:
            await self.starting


@pytest.mark.parametrize("late", ["alice", "bob"])
@pytest.mark.parametrize("dialects", PAIRS, ids=lambda pair: f"{pair[0]} calls {pair[1]}")
def test_the_server_is_killed_and_started_again(serve, dialects, late):
    async def one_moment(server: Server, length: int) -> tuple[Fuse, str]:
        restart = Restart(server)
        fuse = Fuse(length, restart)
        alice, bob = (Telephone(server.url, name, dialect, fuse.burn) for name, dialect in zip(("alice", "bob"), dialects))
        # Who comes back later than the other one.
        (alice if late == "alice" else bob).pause = 0.25
        outcome = await play(alice, bob)
        await restart.done()
        return fuse, outcome

    async def every_moment() -> list[tuple[Fuse, str]]:
        return await asyncio.gather(*(one_moment(server, at) for at, server in enumerate(servers, start=1)))

    servers = [serve(*LIMITS, port=free_port()) for _ in range(MESSAGES_MAX)]
    judge(asyncio.run(every_moment()))


@pytest.mark.parametrize("loser", ["alice", "bob"])
@pytest.mark.parametrize("dialects", PAIRS, ids=lambda pair: f"{pair[0]} calls {pair[1]}")
def test_one_connection_breaks(serve, dialects, loser):
    server = serve(*LIMITS)

    async def one_moment(length: int) -> tuple[Fuse, str]:
        fuse = Fuse(length, lambda: (alice if loser == "alice" else bob).lose_connection())
        alice = Telephone(server.url, f"alice-{length}", dialects[0], fuse.burn)
        bob = Telephone(server.url, f"bob-{length}", dialects[1], fuse.burn)
        # In dialect 1 what was on the wire when a connection broke is lost. A caller is told the answer again, but nobody
        # the candidates. Whoever lacks them sees that nobody is there, as a real client sees that ICE fails, and hangs up.
        for phone in (alice, bob):
            phone.media_patience = PATIENCE_SECONDS if 1 in dialects else None
        return fuse, await play(alice, bob)

    async def every_moment() -> list[tuple[Fuse, str]]:
        return await asyncio.gather(*(one_moment(at) for at in range(1, MESSAGES_MAX + 1)))

    judge(asyncio.run(every_moment()))


def judge(results: list[tuple[Fuse, str]]) -> None:
    for number, (fuse, outcome) in enumerate(results, start=1):
        print(f"at message {number}: {outcome}" if fuse.has_blown else f"without any trouble: {outcome}")
    outcomes = [outcome for _, outcome in results]
    assert not [outcome for outcome in outcomes if outcome.startswith("HANGS")]
    untroubled = [outcome for fuse, outcome in results if not fuse.has_blown]
    assert untroubled and set(untroubled) == {"they talked"}
    # Before the call there may be nobody to ring; from the moment it rings it must come about.
    assert outcomes.count("they talked") > MESSAGES_MAX / 2


async def play(alice: Telephone, bob: Telephone) -> str:
    """One call; what became of it."""
    running = [asyncio.create_task(each.run()) for each in (alice, bob)]
    try:
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            return await call(alice, bob)
    except TimeoutError:
        return f"HANGS: {alice}; {bob}"
    finally:
        await end(running)


async def call(alice: Telephone, bob: Telephone) -> str:
    for phone in (alice, bob):
        await phone.registered.wait()
    await alice.dial(bob.client_id, PATIENCE_SECONDS)
    await until(lambda: alice.talks_with(bob) and bob.talks_with(alice) or neither_knows_a_call(alice, bob))
    if not alice.answered:
        return f"alice was told {alice.told}, bob {bob.told}"
    await alice.hang_up()
    await until(lambda: neither_knows_a_call(alice, bob))
    return "they talked"


def neither_knows_a_call(alice: Telephone, bob: Telephone) -> bool:
    return alice.knows_no_call() and bob.knows_no_call()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def end(running: list[asyncio.Task]) -> None:
    """Cancels them; what went wrong in one of them goes wrong here."""
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for task in running:
        if not task.cancelled():
            task.result()
