"""The Compose file: valid by the specification, and what it sets works with a real coturn."""

import subprocess

import compose_spec
import pytest

import compose
from driver.client import Client
from driver.coturn import Credential
from driver.server import REPOSITORY, accepts, eventually, free_port

SECRET = "5e9c1f2d"


def test_it_is_valid_and_a_misspelt_key_would_not_be():
    compose_spec.PyCompose.from_yaml(compose.text()).validate()
    with pytest.raises(ValueError):
        compose_spec.PyCompose.from_yaml(compose.text().replace("read_only:", "read_onyl:"))


def test_what_has_to_be_set_is_asked_for_and_stands_in_the_example():
    example = compose.example_variables()
    compose.interpolated(example)
    for name in example:
        with pytest.raises(compose.Missing, match=rf"set {name} in \.env"):
            compose.interpolated({key: value for key, value in example.items() if key != name})


def test_the_image_is_built_from_the_containerfile_of_this_repository():
    build = compose.interpolated(compose.example_variables())["services"]["securecall"]["build"]
    context = compose.FOLDER / build["context"]
    assert context.samefile(REPOSITORY) and (context / build["dockerfile"]).exists()


def test_the_volume_is_where_the_image_has_its_data():
    service = compose.interpolated(compose.example_variables())["services"]["securecall"]
    assert service["volumes"] == ["data:/data"] and service["ports"] == ["8080:8080"]


@pytest.fixture
def turnserver(tmp_path):
    """coturn with the configuration of the Compose file; what forbids a test on loopback is changed."""
    file = compose.interpolated({"TURN_HOST": "127.0.0.1", "TURN_SECRET": SECRET})
    port = free_port()
    lines = file["configs"]["turnserver"]["content"].splitlines()
    kept = [line for line in lines if not line.startswith(("denied-peer-ip=127", "listening-port", "log-file"))]
    assert len(lines) - len(kept) == 3
    ours = [f"listening-port={port}", "listening-ip=127.0.0.1", "relay-ip=127.0.0.1", "allow-loopback-peers",
            f"userdb={tmp_path}/turndb", f"pidfile={tmp_path}/pid", f"log-file={tmp_path}/turnserver.log", "simple-log"]
    configuration = tmp_path / "turnserver.conf"
    configuration.write_text("\n".join(kept + ours) + "\n")
    process = subprocess.Popen(["turnserver", "-c", configuration], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert eventually(lambda: accepts(port), 10)
        yield port
    finally:
        process.kill()
        # What it does not know it says, and goes on.
        assert b"Bad configuration format" not in process.communicate()[0]


def test_a_credential_of_the_server_gets_a_relay_of_coturn(turnserver, serve):
    file = compose.interpolated({"TURN_HOST": "127.0.0.1", "TURN_SECRET": SECRET})
    server = serve(environment=file["services"]["securecall"]["environment"])
    with Client(server.url, "alice") as alice:
        alice.send("TURN_CREDENTIALS")
        [entry] = alice.expect("TURN_CREDENTIALS")["iceServers"]
    assert entry["urls"] == ["turn:127.0.0.1:3478", "turn:127.0.0.1:3478?transport=tcp"]
    good = Credential(entry["username"], entry["credential"])
    assert allocates(turnserver, good)
    assert not allocates(turnserver, Credential(good.username, "bm90IHRoZSByaWdodCBvbmU="))


def allocates(port: int, credential: Credential) -> bool:
    done = subprocess.run(
        ["turnutils_uclient", "-y", "-c", "-n", "2", "-m", "1", "-p", str(port), "-u", credential.username,
         "-w", credential.password, "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40,
    )
    carried = done.returncode == 0 and "Total lost packets 0" in done.stdout
    assert carried or "Cannot complete Allocation" in done.stdout, done.stdout
    return carried
