"""Clients of both dialects walk by chance, beside a model: a seed is the same steps always.

    pytest test_walk.py --walks 4711          # this seed again
    pytest test_walk.py --walks 1000..1100    # seeds that nobody walked before
"""

import pytest

from walk.call import Broken
from walk.world import SETTINGS, World


def pytest_generate_tests(metafunc):
    first, _, end = metafunc.config.getoption("--walks").partition("..")
    metafunc.parametrize("seed", range(int(first), int(end or int(first) + 1)))


def test_a_walk_meets_nothing_that_the_protocol_does_not_promise(serve, seed):
    server = serve(*SETTINGS, "--log", "debug")
    world = World(server, seed)
    try:
        world.run()
    except (Broken, AssertionError, TimeoutError) as found:
        print("\n".join(world.trace))
        pytest.fail(f"seed {seed}, after {len(world.trace)} events: {found}", pytrace=not isinstance(found, Broken))
    logs = "".join(log.read_text() for log in server.folder.glob("start-*.log"))
    for secret in ("walker-", "offer ", "answer ", *(call.id for call in world.calls if call.id)):
        assert secret not in logs, "the log says who calls whom, or with what"
