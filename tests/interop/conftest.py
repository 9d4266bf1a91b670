"""Black-box tests: real clients against a real `securecall serve` process. See README.md."""

import pytest

from driver.fixtures import machine_address, serve, server, small_disk  # noqa: F401


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="takes minutes: --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)
