"""Packages, each built, installed and run. See README.md."""

import os
import subprocess
from pathlib import Path

import pytest

from container import Container
from containerfile import lay_out, stages
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
def package(tmp_path_factory) -> Path:
    """The Debian package of the server under test."""
    folder = tmp_path_factory.mktemp("deb")
    # Compressed it would be the same package, a minute later.
    environment = {**os.environ, "SECURECALL_VERSION": "1.0.0", "DPKG_DEB_COMPRESSOR_TYPE": "none"}
    subprocess.run([PACKAGING / "deb", binary(), folder], env=environment, check=True, timeout=170)
    return next(folder.glob("*.deb"))


@pytest.fixture(scope="session")
def image(static_binary, tmp_path_factory):
    """The root file system of the image, made by the commands that the Containerfile runs."""
    folder = tmp_path_factory.mktemp("image")
    built, root = folder / "built", folder / "root"
    [build, final] = stages()
    # The build itself needs the registry of its base; what it runs after the compiler is run here.
    assert build.one("RUN").endswith("packaging/image-root /securecall /image")
    subprocess.run([PACKAGING / "image-root", static_binary, built / "image"], check=True, timeout=120)
    lay_out(final, built, root)
    return root


@pytest.fixture
def container(image, tmp_path):
    started = []

    def start(*arguments: str, root: Path = image, **environment: str) -> Container:
        folder = tmp_path / f"container-{len(started)}"
        folder.mkdir()
        started.append(Container(root, folder, **environment))
        started[-1].start(*arguments)
        return started[-1]

    yield start
    for container in started:
        container.stop()


def packaging(*command: object, **options) -> str:
    """The standard output of one of the commands in packaging/."""
    done = subprocess.run([PACKAGING / command[0], *command[1:]], stdout=subprocess.PIPE, text=True, check=True, **options)
    return done.stdout
