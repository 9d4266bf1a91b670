"""An aiortc peer behind the documented flow, with trickled candidates, as a telephone app would be.

Both peers send `PAYLOAD_BYTES` over the data channel once it is open, preceded by its SHA-256, and check what they get.
"""

import asyncio
import hashlib
import json
import os

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from websockets.asyncio.client import connect

from driver import documented

PAYLOAD_BYTES = 2 * 1024 * 1024
CHUNK_BYTES = 16 * 1024


class Peer:
    """One registered client and its peer connection. Use as `async with Peer(url, id) as peer`."""

    dialect = 1

    def __init__(self, url: str, client_id: str):
        self.url = url
        self.client_id = client_id
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.call_id: str | None = None
        self.following: asyncio.Task | None = None

    async def __aenter__(self):
        self.socket = await connect(self.url, proxy=None)
        await self.send("REGISTER", clientId=self.client_id)
        await self.expect("REGISTERED")
        return self

    async def __aexit__(self, *_):
        if self.following:
            self.following.cancel()
        await self.connection.close()
        await self.socket.close()

    async def send(self, kind: str, **payload) -> None:
        await self.socket.send(documented.write(kind, payload, self.dialect))

    async def receive(self) -> dict:
        return documented.read(await self.socket.recv(), self.dialect)

    async def expect(self, kind: str) -> dict:
        message = await self.receive()
        assert message["type"] == kind, message
        return message["payload"]

    async def call(self, target_id: str) -> "Transfer":
        """Offers, waits for the answer, trickles; gives what went over the data channel."""
        channel = self.connection.createDataChannel("bytes")
        transfer = Transfer(channel)
        offer, candidates = await self._describe(await self.connection.createOffer())
        await self.send("CALL_INITIATE", targetId=target_id, sdpOffer=offer)
        if self.dialect == 2:
            await self.expect("CALL_INITIATED")
        accepted = await self.expect("CALL_ACCEPTED")
        self.call_id = accepted["callId"]
        await self.connection.setRemoteDescription(RTCSessionDescription(accepted["sdpAnswer"], "answer"))
        await self._trickle(candidates, transfer)
        return transfer

    async def answer(self) -> "Transfer":
        """Takes the next call; gives what went over the data channel."""
        channels: asyncio.Future = asyncio.get_running_loop().create_future()
        self.connection.on("datachannel", lambda channel: channels.set_result(Transfer(channel)))
        incoming = await self.expect("INCOMING_CALL")
        self.call_id = incoming["callId"]
        await self.connection.setRemoteDescription(RTCSessionDescription(incoming["sdpOffer"], "offer"))
        answer, candidates = await self._describe(await self.connection.createAnswer())
        await self.send("CALL_ACCEPT", callId=self.call_id, sdpAnswer=answer)
        return await self._trickle(candidates, channels)

    async def hang_up(self) -> None:
        await self.send("CALL_END", callId=self.call_id)

    async def wait_for_the_end(self) -> None:
        """Returns when the peer hung up."""
        await asyncio.wait_for(self.following, 5)

    async def before_candidates(self) -> None:
        """The offer and the answer are exchanged, the own candidates are not sent yet."""

    async def after_candidates(self) -> None:
        """The own candidates are sent, those of the peer are not read yet."""

    async def _describe(self, description) -> tuple[str, list[str]]:
        """Sets the local description; gives its SDP without candidates, and the candidates by themselves."""
        await self.connection.setLocalDescription(description)
        lines = self.connection.localDescription.sdp.splitlines()
        candidates = [line[2:] for line in lines if line.startswith("a=candidate:")]
        bare = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
        return "\r\n".join(bare) + "\r\n", candidates

    async def _trickle(self, candidates: list[str], channel) -> "Transfer":
        """Sends own candidates one by one and takes the peer's until the bytes went both ways."""
        await self.before_candidates()
        for candidate in candidates:
            init = {"candidate": candidate, "sdpMid": "0", "sdpMLineIndex": 0}
            await self.send("ICE_CANDIDATE", callId=self.call_id, candidate=json.dumps(init))
        await self.after_candidates()
        self.following = asyncio.create_task(self._follow_the_call())
        transfer = await channel if isinstance(channel, asyncio.Future) else channel
        await transfer.done()
        return transfer

    async def _follow_the_call(self) -> None:
        """Takes the peer's candidates until the peer hangs up."""
        while (message := await self.receive())["type"] == "ICE_CANDIDATE":
            assert message["payload"]["callId"] == self.call_id
            await self._add_candidate(json.loads(message["payload"]["candidate"]))
        assert (message["type"], message["payload"]["callId"]) == ("CALL_ENDED", self.call_id)

    async def _add_candidate(self, init: dict) -> None:
        if not init["candidate"]:
            return  # the browser's "no more of them"
        candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = init["sdpMid"], init["sdpMLineIndex"]
        await self.connection.addIceCandidate(candidate)


class Transfer:
    """Random bytes both ways over one data channel: first the hash as text, then the chunks."""

    def __init__(self, channel):
        self.channel = channel
        self.received = bytearray()
        self.expected_hash: str | None = None
        self.all_received = asyncio.Event()
        self.peer_has_all = asyncio.Event()
        channel.on("message", self._take)
        if channel.readyState == "open":
            self._send()
        else:
            channel.on("open", self._send)

    async def done(self) -> None:
        """Returns once everything from the peer is here and the peer said that it has everything too."""
        await asyncio.wait_for(asyncio.gather(self.all_received.wait(), self.peer_has_all.wait()), 40)
        assert hashlib.sha256(self.received).hexdigest() == self.expected_hash

    def _send(self) -> None:
        payload = os.urandom(PAYLOAD_BYTES)
        self.channel.send(hashlib.sha256(payload).hexdigest())
        for start in range(0, len(payload), CHUNK_BYTES):
            self.channel.send(payload[start : start + CHUNK_BYTES])

    def _take(self, message) -> None:
        if message == "received":
            self.peer_has_all.set()
        elif isinstance(message, str):
            self.expected_hash = message
        else:
            self.received += message
            if len(self.received) == PAYLOAD_BYTES:
                self.all_received.set()
                self.channel.send("received")
