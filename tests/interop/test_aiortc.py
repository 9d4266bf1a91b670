"""Two aiortc peers find each other through the server and talk without it."""

import asyncio

from driver.resuming import ResumingPeer
from driver.webrtc import PAYLOAD_BYTES, Peer


async def call_and_hang_up(url: str) -> tuple[bytes, bytes]:
    async with Peer(url, "alice") as alice, Peer(url, "bob") as bob:
        at_alice, at_bob = await asyncio.gather(alice.call("bob"), bob.answer())
        await alice.hang_up()
        await bob.wait_for_the_end()
        return bytes(at_alice.received), bytes(at_bob.received)


def test_a_data_channel_carries_megabytes_both_ways(server):
    at_alice, at_bob = asyncio.run(asyncio.wait_for(call_and_hang_up(server.url), 50))
    assert len(at_alice) == len(at_bob) == PAYLOAD_BYTES
    assert at_alice != at_bob


async def call_over_two_losses(url: str) -> tuple[bytes, bytes]:
    """Neither peer has the other's candidates when it loses its connection, and ICE needs them."""
    alice_trickled, bob_trickled = asyncio.Event(), asyncio.Event()
    async with ResumingPeer(url, "alice") as alice, ResumingPeer(url, "bob") as bob:

        async def alice_is_away() -> None:
            alice_trickled.set()
            await alice.lose_connection(until=bob_trickled)

        async def bob_is_away() -> None:
            await bob.lose_connection(until=alice_trickled)

        async def bob_has_trickled() -> None:
            bob_trickled.set()

        alice.after_candidates, bob.before_candidates, bob.after_candidates = alice_is_away, bob_is_away, bob_has_trickled
        at_alice, at_bob = await asyncio.gather(alice.call("bob"), bob.answer())
        await alice.hang_up()
        await bob.wait_for_the_end()
        return bytes(at_alice.received), bytes(at_bob.received)


def test_a_call_survives_that_both_lose_their_connection_in_the_middle_of_ice(server):
    at_alice, at_bob = asyncio.run(asyncio.wait_for(call_over_two_losses(server.url), 50))
    assert len(at_alice) == len(at_bob) == PAYLOAD_BYTES
