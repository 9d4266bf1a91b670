"""The blocks of the pages, run. See README.md."""

import pytest

from home import Home


@pytest.fixture(scope="session")
def home_of(tmp_path_factory):
    """The home of a page: its unnamed blocks are run there in their order, as a reader would."""
    homes: dict[str, Home] = {}

    def get(page: str) -> Home:
        if page not in homes:
            homes[page] = Home(tmp_path_factory.mktemp("page"))
        return homes[page]

    yield get
    for home in homes.values():
        home.close()


@pytest.fixture
def home(tmp_path_factory):
    """A home for one test, with a short path: the control socket in its data folder has to fit."""
    home = Home(tmp_path_factory.mktemp("h"))
    yield home
    home.close()


@pytest.fixture
def neighbour(tmp_path, home):
    """A second home, at the server of the first."""
    return Home(tmp_path / "neighbour", neighbour=home)
