"""Clients of both dialects walk by chance, beside a model: a seed is the same steps always.

    pytest test_walk.py --walks 4711          # this seed again
    pytest test_walk.py --walks 1000..1100    # seeds that nobody walked before
"""

import pytest

from walk.call import Broken
from walk.world import SETTINGS, World
from witness import ADDRESS


def pytest_generate_tests(metafunc):
    first, _, end = metafunc.config.getoption("--walks").partition("..")
    metafunc.parametrize("seed", range(int(first), int(end or int(first) + 1)))


def test_a_walk_meets_nothing_that_the_protocol_does_not_promise(serve, seed):
    server = serve(*SETTINGS)
    world = World(server, seed)
    began = len(server.log())
    try:
        world.run()
    except (Broken, AssertionError, TimeoutError) as found:
        print("\n".join(world.trace))
        pytest.fail(f"seed {seed}, after {len(world.trace)} events: {found}", pytrace=not isinstance(found, Broken))
    log = server.log()[began if server.starts == 1 else 0:]
    assert "walker-" not in log and "offer " not in log
