"""Attacks on a real `securecall serve` process, at its default limits. See README.md."""

import pytest

from driver.fixtures import serve, server  # noqa: F401
from driver.server import Server
from witness import Witness


def pytest_addoption(parser):
    parser.addoption("--walks", default="0..10", help="the seeds of the random walks: one, or FIRST..END")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for all attacks of a file: none of them may harm it."""
    server = Server(tmp_path_factory.mktemp("server"), "--log", "debug")
    yield server
    server.stop()
    print(server.log())


@pytest.fixture(scope="module")
def shared_witness(shared_server):
    witness = Witness(shared_server)
    yield witness
    witness.leave()


@pytest.fixture
def attacked(shared_server, shared_witness):
    """The server to attack. After the test: it lives, has answered an honest client, and nothing of the attack is left."""
    yield shared_server
    shared_witness.assert_unharmed(secrets=("attacker", "victim"))
