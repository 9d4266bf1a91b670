"""Behind a real reverse proxy: who is limited is the client, and nobody chooses who that is."""

import pytest

from driver.client import Client, establish, refused
from driver.nginx import Nginx
from driver.server import request

TRUSTED = ("--trusted-proxies", "127.0.0.1")
TWO_AN_ADDRESS = ("--connections-per-address-max", "2")


@pytest.fixture
def behind_nginx(serve, tmp_path):
    """Starts a server and an nginx in front of it."""
    proxies = []

    def start(*options: str) -> Nginx:
        proxies.append(Nginx(tmp_path / "nginx", serve(*options).port))
        return proxies[-1]

    yield start
    for nginx in proxies:
        nginx.stop()


def connect(nginx: Nginx, host: int, **forwarded: str) -> Client:
    """A client at 127.0.0.`host`, as nginx sees it; `forwarded` is what it claims itself."""
    return Client(nginx.url, source_address=(f"127.0.0.{host}", 0), additional_headers=forwarded)


def test_a_call_goes_through_nginx(behind_nginx):
    nginx = behind_nginx(*TRUSTED)
    with Client(nginx.url, "alice") as alice, Client(nginx.url, "bob") as bob:
        call_id = establish(alice, bob)
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="x" * 60_000)
        bob.expect("ICE_CANDIDATE", callId=call_id)
        alice.send("CALL_END", callId=call_id)
        bob.expect("CALL_ENDED", callId=call_id)
    assert request(nginx.port, "/health")[1] == b'{"status":"ok"}'


def test_two_addresses_behind_one_proxy_are_limited_separately(behind_nginx):
    nginx = behind_nginx(*TRUSTED, *TWO_AN_ADDRESS)
    with connect(nginx, 2), connect(nginx, 2), connect(nginx, 3), connect(nginx, 3):
        response = refused(nginx.url, source_address=("127.0.0.2", 0))
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("spoofed", ["203.0.113.{}", "127.0.0.1, 203.0.113.{}", "not an address, {}", "2001:db8::{}"])
def test_a_spoofed_forwarded_address_is_not_believed(behind_nginx, spoofed):
    nginx = behind_nginx(*TRUSTED, *TWO_AN_ADDRESS)
    claims = [{"X-Forwarded-For": spoofed.format(number)} for number in range(1, 4)]
    with connect(nginx, 2, **claims[0]), connect(nginx, 2, **claims[1]):
        response = refused(nginx.url, source_address=("127.0.0.2", 0), additional_headers=claims[2])
        assert response.status_code == 429


def test_naming_somebody_else_does_not_use_up_their_connections(behind_nginx):
    nginx = behind_nginx(*TRUSTED, *TWO_AN_ADDRESS)
    victim = {"X-Forwarded-For": "127.0.0.9"}
    with connect(nginx, 2, **victim), connect(nginx, 2, **victim), connect(nginx, 9), connect(nginx, 9):
        pass


def test_without_trusted_proxies_the_header_is_ignored(serve):
    server = serve(*TWO_AN_ADDRESS)
    claims = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(1, 4)]
    with Client(server.url, additional_headers=claims[0]), Client(server.url, additional_headers=claims[1]):
        assert refused(server.url, additional_headers=claims[2]).status_code == 429


def test_behind_a_proxy_nobody_trusts_everybody_shares_its_address(behind_nginx):
    nginx = behind_nginx(*TWO_AN_ADDRESS)
    with connect(nginx, 2), connect(nginx, 3):
        assert refused(nginx.url, source_address=("127.0.0.4", 0)).status_code == 429
