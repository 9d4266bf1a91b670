"""Two aiortc peers find each other through the server and talk without it."""

import asyncio

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
