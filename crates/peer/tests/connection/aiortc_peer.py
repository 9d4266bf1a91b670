"""The other end, by aiortc: offers, says hello, sends a file, takes one. Lines of JSON on standard input and output."""

import asyncio
import hashlib
import json
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

CONTENT = bytes(range(256)) * 800


async def main() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = connection.createDataChannel("securecall-chat-1")
    done = asyncio.Event()
    received = bytearray()

    @channel.on("open")
    def on_open():
        frame(type="text", text="hello from aiortc")
        frame(type="file", id=1, name="from-aiortc.bin", size=len(CONTENT))
        for start in range(0, len(CONTENT), 16384):
            channel.send(CONTENT[start : start + 16384])
        frame(type="file-end", id=1, sha256=hashlib.sha256(CONTENT).hexdigest())

    @channel.on("message")
    def on_message(message):
        if isinstance(message, bytes):
            received.extend(message)
            return
        message = json.loads(message)
        print(json.dumps(message), flush=True)
        if message["type"] == "file-end":
            assert message["sha256"] == hashlib.sha256(received).hexdigest()
            frame(type="file-received", id=message["id"])
            done.set()

    def frame(**fields):
        channel.send(json.dumps(fields))

    await connection.setLocalDescription(await connection.createOffer())
    print(json.dumps({"sdp": connection.localDescription.sdp}), flush=True)
    answer = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    for init in map(json.loads, answer["candidates"]):
        candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
        candidate.sdpMLineIndex = init["sdpMLineIndex"]
        await connection.addIceCandidate(candidate)
    await asyncio.wait_for(done.wait(), 60)
    await asyncio.sleep(0.5)
    await connection.close()


asyncio.run(main())
