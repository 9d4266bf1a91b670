"""Packages, each built, installed and run. See README.md."""

import os
import subprocess
from pathlib import Path

import pytest

from driver.fixtures import serve, server  # noqa: F401
from driver.server import REPOSITORY, binary

PACKAGING = REPOSITORY / "packaging"


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        pytest.exit("namespaces and packages need root", returncode=2)
    assert items


@pytest.fixture(scope="session")
def static_binary() -> Path:
    """SECURECALL_STATIC_BIN, as `packaging/build --static` makes it."""
    chosen = os.environ.get("SECURECALL_STATIC_BIN")
    assert chosen, "set SECURECALL_STATIC_BIN to what packaging/build --static makes"
    return Path(chosen).resolve()


@pytest.fixture(scope="session")
def build_deb(tmp_path_factory):
    """Makes the package of the server under test, of a version to choose."""
    def build(version: str) -> Path:
        folder = tmp_path_factory.mktemp(f"deb-{version}")
        # Compressed it would be the same package, a minute later.
        environment = {**os.environ, "SECURECALL_VERSION": version, "DPKG_DEB_COMPRESSOR_TYPE": "none"}
        subprocess.run([PACKAGING / "deb", binary(), folder], env=environment, check=True, timeout=170)
        return next(folder.glob("*.deb"))
    return build


def packaging(*command: object, **options) -> str:
    """The standard output of one of the commands in packaging/."""
    done = subprocess.run([PACKAGING / command[0], *command[1:]], stdout=subprocess.PIPE, text=True, check=True, **options)
    return done.stdout


