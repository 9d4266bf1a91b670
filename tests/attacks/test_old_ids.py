"""The id of a call that was over before a restart: whoever brings it up again misleads nobody."""

import pytest

from walk.call import Call, State
from walk.world import SETTINGS, World

KINDS = {"CALL_END": {}, "CALL_REJECT": {}, "CALL_ACCEPT": {"sdpAnswer": "answer 1"}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("was", ["cancelled", "ended"])
@pytest.mark.parametrize("dialects", [(1, 1, 1), (1, 2, 2)])
def test_a_caller_who_rings_somebody_else_hears_nothing_of_an_old_call(serve, dialects, was, kind):
    world = World(serve(*SETTINGS), 0, dialects)
    alice, bob, carol = world.walkers
    for walker in world.walkers:
        walker.connect()
    old = begun(world, alice, bob)
    if was == "ended":
        bob.accept(old)
        world.settle()
        bob.end(old)
    else:
        alice.close()
    world.settle()
    world.kill_and_restart()
    for walker in world.walkers:
        walker.connect()
    new = begun(world, alice, carol)
    # The model refuses whatever alice could take for news of the new call.
    bob.revive(kind, old, KINDS[kind])
    world.settle()
    carol.accept(new)
    world.settle()
    assert {view.state for view in new.views.values()} == {State.ACTIVE}


def begun(world: World, caller, callee) -> Call:
    caller.call(callee)
    world.settle()
    return world.calls[-1]
