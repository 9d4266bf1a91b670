"""TURN credentials, tried on a real coturn: fresh ones work, expired ones do not, and the secret can be changed."""

import asyncio
import json
import re
import time

import pytest
from aioice.turn import create_turn_endpoint
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from driver import node
from driver.client import Client, ring
from driver.coturn import Coturn, Credential, credential

CURRENT, NEXT = "the current secret", "the next secret"
NAME = re.compile(r"[A-Za-z0-9_-]{16}")


@pytest.fixture
def coturn(tmp_path):
    started = []

    def start(secret: str, **more_options: object) -> Coturn:
        started.append(Coturn(tmp_path / f"coturn-{len(started)}", secret, **more_options))
        return started[-1]

    yield start
    for turnserver in started:
        turnserver.stop()


def turn_url(turnserver: Coturn, transport: str = "tcp") -> str:
    return f"turn:127.0.0.1:{turnserver.port}?transport={transport}"


def serve_turn(serve, url: str, *options: str):
    return serve("--turn-urls", url, *options, environment={"SECURECALL_TURN_SECRET": CURRENT})


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
        names = set()
        for client_id, message in (("bob", incoming), ("alice", accepted)):
            (entry,) = message["iceServers"]
            assert entry["urls"] == ["turn:turn.example:443?transport=tcp"]
            expiry, _, name = entry["username"].partition(":")
            assert NAME.fullmatch(name) and client_id not in name
            names.add(name)
            assert 590 <= int(expiry) - time.time() <= 601
            assert issued(entry) == credential(CURRENT, entry["username"])
        assert len(names) == 2


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


def test_the_last_expiry_that_is_ever_issued_before_2038_is_taken_by_coturn(coturn):
    turnserver = coturn(CURRENT)
    assert turnserver.allocates(credential(CURRENT, f"{2**31 - 1}:a"))


def test_neither_the_network_nor_the_log_of_coturn_has_a_client_id(serve, coturn):
    turnserver = coturn(NEXT)  # it refuses the credential, which it writes down
    server = serve_turn(serve, turn_url(turnserver))
    with Client(server.url, "alice-at-home") as alice:
        (entry,) = ask(alice)["iceServers"]
        assert not turnserver.allocates(issued(entry))
    assert entry["username"] in turnserver.said()
    assert "alice" not in turnserver.said()


def test_the_quota_of_coturn_counts_by_client_over_all_its_credentials(serve, coturn):
    turnserver = coturn(CURRENT, user_quota=1)
    server = serve_turn(serve, turn_url(turnserver), "--turn-ttl", "10m")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        (first,) = ask(alice)["iceServers"]
        time.sleep(1.1)
        (second,) = ask(alice)["iceServers"]
        (of_another,) = ask(bob)["iceServers"]
    assert first["username"] != second["username"]

    async def allocate(entry: dict):
        address = ("127.0.0.1", turnserver.port)
        return await create_turn_endpoint(
            asyncio.DatagramProtocol, server_addr=address, transport="tcp",
            username=entry["username"], password=entry["credential"],
        )

    async def all_three() -> None:
        held = [(await allocate(first))[0]]
        with pytest.raises(Exception, match="486"):
            await allocate(second)
        held.append((await allocate(of_another))[0])
        for transport in held:
            transport.close()

    asyncio.run(asyncio.wait_for(all_three(), 20))


def test_a_list_that_leaves_some_stacks_without_a_relay_is_warned_about(serve):
    server = serve_turn(serve, "turn:turn.example?transport=tcp")
    assert "no URL gives a relay over UDP" in server.log()


async def aiortc_gathers(entries: list[dict]) -> set[str]:
    """The kinds of candidates that aiortc finds."""
    connection = RTCPeerConnection(RTCConfiguration([RTCIceServer(**entry) for entry in entries]))
    connection.createDataChannel("any")
    await connection.setLocalDescription(await connection.createOffer())
    kinds = set(re.findall(r"^a=candidate:.* typ (\w+)", connection.localDescription.sdp, re.MULTILINE))
    await connection.close()
    return kinds


def assert_calls_have_relays(server) -> Credential:
    """Chromium and aiortc get their relays over UDP, with what the server issues now."""
    paths = json.loads(node.run("browser.mjs", server.url, "--relay", "alice:calls:bob", "bob:answers"))
    assert paths == ["relay", "relay"]
    with Client(server.url, "carol") as carol:
        entries = ask(carol)["iceServers"]
    assert "relay" in asyncio.run(asyncio.wait_for(aiortc_gathers(entries), 20))
    (entry,) = entries
    return issued(entry)


@pytest.mark.timeout(240)
def test_in_each_state_of_a_change_of_the_secret_calls_have_their_relays(serve, coturn):
    turnserver = coturn(CURRENT)
    server = serve_turn(serve, turn_url(turnserver, "udp"))
    assert_calls_have_relays(server)

    turnserver.learn(NEXT)
    from_before = assert_calls_have_relays(server)

    server.crash()
    server.environment["SECURECALL_TURN_SECRET"] = NEXT
    server.restart()
    assert_calls_have_relays(server)
    assert turnserver.allocates(from_before), "a call that was prepared before the change"

    turnserver.forget(CURRENT)
    assert_calls_have_relays(server)
    assert not turnserver.allocates(from_before)


def test_two_pages_talk_over_a_relay_that_they_reach_by_tcp(serve, coturn):
    server = serve_turn(serve, turn_url(coturn(CURRENT)))
    paths = json.loads(node.run("browser.mjs", server.url, "--relay", "alice:calls:bob", "bob:answers"))
    assert paths == ["relay", "relay"]
