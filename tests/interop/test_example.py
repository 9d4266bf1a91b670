"""The example of docs/protocol.md, as it stands there: it works, and no candidate of the other end stops it."""

import asyncio
import json

from aiortc import RTCSessionDescription

from driver import node
from driver.webrtc import Peer

ODD_CANDIDATES = [
    "no JSON",
    json.dumps({"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0}),
    json.dumps({"candidate": "candidate:1 1 udp 2130706431 nobody.invalid 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}),
    json.dumps({"candidate": "candidate:1 1 quic 1 192.0.2.1 9 typ host", "sdpMid": "7", "sdpMLineIndex": 7}),
    json.dumps({"sdpMid": "0", "sdpMLineIndex": 0}),
    json.dumps(None),
]


def test_the_example_prints_what_its_page_says(server):
    assert node.run("example.mjs", f"http://127.0.0.1:{server.port}") == "bob hears: hello\n"


class OddPeer(Peer):
    """Calls, sends what no stack can use, and its own candidates only then, as they stand in SDP."""

    async def call(self, target_id: str) -> str:
        channel = self.connection.createDataChannel("chat")
        said = asyncio.get_running_loop().create_future()
        channel.on("message", said.set_result)
        offer, candidates = await self._describe(await self.connection.createOffer())
        await self.send("CALL_INITIATE", targetId=target_id, sdpOffer=offer)
        accepted = await self.expect("CALL_ACCEPTED")
        self.call_id = accepted["callId"]
        from_sdp = [json.dumps({"candidate": f"a={line}", "sdpMid": "0", "sdpMLineIndex": 0}) for line in candidates]
        for candidate in ODD_CANDIDATES + from_sdp:
            await self.send("ICE_CANDIDATE", callId=self.call_id, candidate=candidate)
        await self.connection.setRemoteDescription(RTCSessionDescription(accepted["sdpAnswer"], "answer"))
        self.following = asyncio.create_task(self._follow_the_call())
        return await said


def test_candidates_that_no_stack_can_use_stop_neither_the_next_ones_nor_the_end_of_the_call(server):
    async def talk() -> tuple[str, str]:
        async with OddPeer(server.url, "alice") as alice:
            process = await page(f"http://127.0.0.1:{server.port}", "bob")
            said = await alice.call("bob")
            await alice.hang_up()
            alice.following.cancel()
            # The peer connection stays: it is CALL_ENDED that closes the page's.
            output, _ = await asyncio.wait_for(process.communicate(), 10)
            return said, output.decode()

    assert asyncio.run(asyncio.wait_for(talk(), 50)) == ("hello", "closed\n")


async def page(*arguments: str) -> asyncio.subprocess.Process:
    """The example in a page, registered."""
    process = await asyncio.create_subprocess_exec(
        "node", "example.mjs", *arguments, cwd=node.FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    while (line := await process.stderr.readline()) != b"the page is registered\n":
        assert line, "the page did not register"
    return process
