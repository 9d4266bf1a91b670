"""A peer who does not keep up with what is sent to it."""

import json

from driver.client import Client
from driver.frames import RawSocket


def flood_a_peer_who_does_not_read(alice: Client, slow: RawSocket) -> str:
    """A call to `slow`, accepted, and then far more candidates than kernel and outbox together can hold."""
    alice.send("CALL_INITIATE", targetId="slow", sdpOffer="offer")
    call_id = json.loads(slow.receive_frame()[1])["payload"]["callId"]
    slow.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
    alice.expect("CALL_ACCEPTED", callId=call_id)
    for _ in range(200):
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="x" * 60_000)
    return call_id
