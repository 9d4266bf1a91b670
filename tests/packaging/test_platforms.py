"""Files for hosting platforms: what each sets is what the image is run with, with a PORT of the platform's choice."""

import json
import tomllib
from dataclasses import dataclass

import pytest
import yaml

from conftest import PACKAGING
from driver.client import Client, establish
from driver.server import REPOSITORY, request

PLATFORMS = PACKAGING / "platforms"
DRAIN_TIMEOUT_SECONDS = 9


@dataclass
class Platform:
    containerfile: str
    """Relative to the repository."""
    environment: dict[str, str]
    user: str
    health_path: str
    mount_path: str
    stop_seconds: int


def fly() -> Platform:
    file = tomllib.loads((PLATFORMS / "fly.toml").read_text())
    assert file["kill_signal"] == "SIGTERM"
    [check], [mount] = file["http_service"]["checks"], file["mounts"]
    assert str(file["http_service"]["internal_port"]) == file["env"]["PORT"]
    # As `fly deploy` reads it: from the folder of the file.
    containerfile = (PLATFORMS / file["build"]["dockerfile"]).resolve().relative_to(REPOSITORY)
    return Platform(str(containerfile), file["env"], file["build"]["args"]["SERVER_USER"], check["path"],
                    mount["destination"], int(file["kill_timeout"].removesuffix("s")))


def render() -> Platform:
    [service] = yaml.safe_load((PLATFORMS / "render.yaml").read_text())["services"]
    variables = {variable["key"]: variable["value"] for variable in service["envVars"]}
    return Platform(service["dockerfilePath"], variables, variables["SERVER_USER"], service["healthCheckPath"],
                    service["disk"]["mountPath"], service["maxShutdownDelaySeconds"])


def railway() -> Platform:
    file = json.loads((PLATFORMS / "railway.json").read_text())
    lines = (PLATFORMS / "railway.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    deploy = file["deploy"]
    return Platform(file["build"]["dockerfilePath"], variables, f"{variables['RAILWAY_RUN_UID']}:0",
                    deploy["healthcheckPath"], deploy["requiredMountPath"], deploy["drainingSeconds"])


@pytest.mark.parametrize("platform", [fly(), render(), railway()], ids=["fly", "render", "railway"])
def test_the_image_runs_with_what_the_platform_sets(platform, container):
    assert (REPOSITORY / platform.containerfile).samefile(PACKAGING / "Containerfile")
    assert platform.stop_seconds > DRAIN_TIMEOUT_SECONDS
    running = container(user=platform.user, **{**platform.environment, "PORT": "10000"})
    assert running.environment["SECURECALL_DATA_DIR"] == platform.mount_path
    with running.network():
        assert request(10_000, platform.health_path)[0].status == 200
        header = platform.environment["SECURECALL_CLIENT_ADDRESS_HEADER"]
        url = "ws://127.0.0.1:10000/signal"
        with (Client(url, "alice", additional_headers={header: "192.0.2.1"}) as alice,
              Client(url, "bob", additional_headers={header: "192.0.2.2"}) as bob):
            establish(alice, bob)
    running.stop_server()
    assert running.server.returncode == 0
    assert " ERROR " not in running.said()


def test_the_containers_user_is_an_argument_that_the_file_has():
    text = (PACKAGING / "Containerfile").read_text()
    assert "ARG SERVER_USER=" in text and text.count("${SERVER_USER}") == 2
