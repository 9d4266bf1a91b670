"""Black-box tests: real clients against a real `securecall serve` process. See README.md."""

from pathlib import Path

import pytest

from driver.server import Server


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="takes minutes: --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def serve(tmp_path: Path):
    """Starts servers with the given flags; ends them after the test. pytest shows their logs if it failed."""
    servers: list[Server] = []

    def start(*options: str, **settings) -> Server:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, *options, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        for log in sorted(server.folder.glob("start-*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')}")


@pytest.fixture
def server(serve) -> Server:
    """A server with every default."""
    return serve()
