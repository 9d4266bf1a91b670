"""Two clients who call each other at once, in hundreds of rounds, because what matters is which message overtakes which."""

import pytest

from walk.call import Call
from walk.world import SETTINGS, World

ROUNDS = 250


@pytest.mark.parametrize("dialects", [(2, 2), (1, 2), (1, 1)])
def test_calls_that_cross_leave_the_same_call_at_both_ends(serve, dialects):
    world = World(serve(*SETTINGS), 0, dialects)
    alice, bob = world.walkers
    alice.connect()
    bob.connect()
    for _ in range(ROUNDS):
        alice.call(bob)
        bob.call(alice)
        # Of calls that nobody disturbs it checks that both ends have them, or neither, and that glare leaves one.
        world.settle()
        assert live(world), "both calls ended, and nobody has ended one"
        world.end_all()
        world.settle()
        assert not live(world)


@pytest.mark.parametrize("dialects", [(2, 2), (2, 1)])
@pytest.mark.parametrize("heard", [True, False], ids=["told that nobody is there", "at the same moment"])
def test_calling_back_who_lost_the_line_while_ringing_leaves_one_call(serve, dialects, heard):
    world = World(serve(*SETTINGS), 0, dialects)
    alice, bob = world.walkers
    alice.connect()
    bob.connect()
    for _ in range(8):
        alice.call(bob)
        world.settle()
        alice.lose_connection()
        bob.call(alice)
        if heard:
            world.settle()
        alice.connect()
        world.expect_rest()
        assert live(world), f"both calls ended: {world.calls[-2]}, {world.calls[-1]}"
        world.end_all()
        world.settle()


def live(world: World) -> list[Call]:
    return [call for call in world.calls if not call.is_over()]
