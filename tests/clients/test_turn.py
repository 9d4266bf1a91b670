"""TURN credentials, tried on a real coturn: fresh ones work, expired ones do not, and secrets rotate."""

import json
import time

import pytest

from driver import node
from driver.client import Client, ring
from driver.coturn import Coturn, Credential, credential

CURRENT, PREVIOUS = "the current secret", "the previous secret"


@pytest.fixture
def coturn(tmp_path):
    started = []

    def start(secret: str) -> Coturn:
        started.append(Coturn(tmp_path / f"coturn-{len(started)}", secret))
        return started[-1]

    yield start
    for turnserver in started:
        turnserver.stop()


def turn_url(turnserver: Coturn) -> str:
    return f"turn:127.0.0.1:{turnserver.port}?transport=tcp"


def serve_turn(serve, url: str, *options: str, previous: str | None = None):
    secrets = {"SECURECALL_TURN_SECRET": CURRENT}
    if previous:
        secrets["SECURECALL_TURN_SECRET_PREVIOUS"] = previous
    return serve("--turn-urls", url, *options, environment=secrets)


def issued(entry: dict) -> Credential:
    return Credential(entry["username"], entry["credential"])


def ask(client: Client) -> dict:
    client.send("TURN_CREDENTIALS")
    return client.expect("TURN_CREDENTIALS")


def test_call_setup_provisions_both_ends_with_credentials_of_their_own(serve):
    server = serve_turn(serve, "turn:turn.example:443?transport=tcp", "--turn-ttl", "10m")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        alice.send("CALL_INITIATE", targetId="bob", sdpOffer="offer")
        incoming = bob.expect("INCOMING_CALL")
        bob.send("CALL_ACCEPT", callId=incoming["callId"], sdpAnswer="answer")
        accepted = alice.expect("CALL_ACCEPTED")
        for client_id, message in (("bob", incoming), ("alice", accepted)):
            (entry,) = message["iceServers"]
            assert entry["urls"] == ["turn:turn.example:443?transport=tcp"]
            expiry, _, name = entry["username"].partition(":")
            assert name == client_id
            assert 590 <= int(expiry) - time.time() <= 601
            assert issued(entry) == credential(CURRENT, entry["username"])


def test_without_turn_no_message_mentions_it(server):
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        alice.send("CALL_INITIATE", targetId="bob", sdpOffer="offer")
        incoming = bob.expect("INCOMING_CALL")
        assert "iceServers" not in incoming
        bob.send("CALL_ACCEPT", callId=incoming["callId"], sdpAnswer="answer")
        assert "iceServers" not in alice.expect("CALL_ACCEPTED")


def test_the_metered_preset_is_what_the_reference_names(serve):
    server = serve("--turn-preset", "metered", environment={"SECURECALL_TURN_SECRET": CURRENT})
    with Client(server.url, "alice") as alice:
        (entry,) = ask(alice)["iceServers"]
        assert entry["urls"] == ["turn:a.relay.metered.ca:443?transport=tcp"]


def test_the_secret_itself_never_leaves_the_server(serve):
    server = serve_turn(serve, "turn:turn.example", "--log", "trace")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        ring(alice, bob)
        assert CURRENT not in json.dumps(ask(alice))
    assert CURRENT not in server.log()


def test_a_fresh_credential_allocates_on_a_real_coturn(serve, coturn):
    turnserver = coturn(CURRENT)
    server = serve_turn(serve, turn_url(turnserver), "--turn-ttl", "5m")
    with Client(server.url, "alice") as alice:
        answer = ask(alice)
        assert answer["ttlSeconds"] == 300
        (entry,) = answer["iceServers"]
        assert turnserver.allocates(issued(entry))


def test_an_expired_or_altered_credential_is_refused_by_coturn(serve, coturn):
    turnserver = coturn(CURRENT)
    server = serve_turn(serve, turn_url(turnserver))
    past, future = (f"{int(time.time()) + offset}:alice" for offset in (-5, 86400))
    assert not turnserver.allocates(credential(CURRENT, past))
    with Client(server.url, "alice") as alice:
        (entry,) = ask(alice)["iceServers"]
        assert not turnserver.allocates(Credential(future, entry["credential"])), "the expiry is not signed"


@pytest.mark.long
@pytest.mark.timeout(120)
def test_an_issued_credential_dies_with_its_time(serve, coturn):
    turnserver = coturn(CURRENT)
    server = serve_turn(serve, turn_url(turnserver), "--turn-ttl", "1m")
    with Client(server.url, "alice") as alice:
        (entry,) = ask(alice)["iceServers"]
    assert turnserver.allocates(issued(entry))
    time.sleep(62)
    assert not turnserver.allocates(issued(entry))


def test_while_a_secret_rotates_a_coturn_that_knows_either_accepts_one_entry(serve, coturn):
    updated, outdated = coturn(CURRENT), coturn(PREVIOUS)
    server = serve_turn(serve, turn_url(updated), previous=PREVIOUS)
    with Client(server.url, "alice") as alice:
        entries = [issued(entry) for entry in ask(alice)["iceServers"]]
    assert len(entries) == 2
    assert [updated.allocates(entry) for entry in entries].count(True) == 1
    assert [outdated.allocates(entry) for entry in entries].count(True) == 1


def test_two_pages_talk_over_the_relay_with_nothing_but_issued_credentials(serve, coturn):
    server = serve_turn(serve, turn_url(coturn(CURRENT)))
    paths = json.loads(node.run("browser.mjs", server.url, "--relay", "alice:calls:bob", "bob:answers"))
    assert paths == ["relay", "relay"]
