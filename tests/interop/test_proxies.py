"""The files of examples/proxies, each run as it stands: whoever copies one has what the page promises."""

import time
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException

from driver.client import Client, establish, refused
from driver.proxies import EXAMPLES, PROXIES, Proxy
from driver.server import eventually
from driver.tcp_proxies import certificate, trusting

TRUSTED = ("--trusted-proxies", "127.0.0.1")
TWO_AN_ADDRESS = ("--connections-per-address-max", "2")
# The first message through a proxy that a loaded machine has just started.
ANSWER_SECONDS_MAX = 15


@pytest.fixture
def behind(serve, tmp_path):
    """Starts a server with the options that the example names, and the proxy in front of it."""
    started: list[Proxy] = []

    def start(name: str, *options: str) -> Proxy:
        if name == "haproxy-tcp":
            pem = certificate(tmp_path)
            options += ("--proxy-protocol", "on", "--tls-certificate", str(pem), "--tls-key", str(pem))
        server = serve(*TRUSTED, *options)
        started.append(PROXIES[name](tmp_path / f"{name}-{len(started)}", server.port))
        started[-1].server = server
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()
        print(f"--- {proxy.file}\n{proxy.log()[-3000:]}")


def options(host: int, **forwarded: str) -> dict:
    return {"source_address": (f"127.0.0.{host}", 0), "additional_headers": forwarded, "ssl": trusting(),
            "open_timeout": ANSWER_SECONDS_MAX}


def connect(proxy: Proxy, host: int = 1, client_id: str | None = None, **forwarded: str) -> Client:
    """A client at 127.0.0.`host`, as the proxy sees it; `forwarded` is what it claims itself."""
    return Client(proxy.url, client_id, **options(host, **forwarded))


def health(proxy: Proxy) -> bytes:
    url = f"https://127.0.0.1:{proxy.port}/health"
    with urllib.request.urlopen(url, context=trusting(), timeout=ANSWER_SECONDS_MAX) as answer:
        return answer.read()


def is_healthy(proxy: Proxy) -> bool:
    """A proxy that has just started answers 503 by itself until it has seen the server."""
    try:
        return health(proxy) == b'{"status":"ok"}'
    except OSError:
        return False


def lets_in(proxy: Proxy) -> bool:
    try:
        connect(proxy, 4).close()
        return True
    except (OSError, WebSocketException):
        return False


def is_open(client: Client) -> bool:
    try:
        client.send("HEARTBEAT")
        client.expect("HEARTBEAT_ACK")
        return True
    except (ConnectionClosed, OSError):
        return False


@pytest.mark.parametrize("name", PROXIES)
def test_whoever_copies_the_example_has_calls_limits_by_client_and_health(behind, name):
    proxy = behind(name, *TWO_AN_ADDRESS)
    assert eventually(lambda: is_healthy(proxy), 10)
    spoofed = {"X-Forwarded-For": "203.0.113.1"}
    with connect(proxy, 2, "alice") as alice, connect(proxy, 2, **spoofed), connect(proxy, 3, "bob") as bob:
        call_id = establish(alice, bob)
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="x" * 60_000)
        bob.expect("ICE_CANDIDATE", callId=call_id)
        assert refused(proxy.url, **options(2)).status_code == 429
        assert refused(proxy.url, **options(2, **spoofed)).status_code == 429, "what a client claims is not believed"
        # The reload of the proxy.
        proxy.reload()
        if proxy.reload_keeps:
            time.sleep(1)
            assert is_open(alice) and is_open(bob)
        else:
            assert eventually(lambda: not (is_open(alice) or is_open(bob)), 15, every=0.5)
    assert eventually(lambda: lets_in(proxy), 10), "after the reload clients can come"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_idle_client_outlives_the_timeouts_of_every_proxy(behind):
    """Clients that say nothing at all but the pongs of their library, for longer than any default timeout."""
    proxies = [behind(name) for name in PROXIES]
    idle = [connect(proxy, client_id="idle") for proxy in proxies]
    time.sleep(130)
    assert {proxy.file: is_open(client) for proxy, client in zip(proxies, idle)} == {proxy.file: True for proxy in proxies}


def test_each_example_is_tried_here():
    tried = {PROXIES[name].file for name in PROXIES} | {"hitch.conf"}
    assert {path.name for path in EXAMPLES.iterdir()} == tried
