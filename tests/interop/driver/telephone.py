"""A telephone that does by itself what docs/protocol.md tells a client to do, over any number of lost connections.

It makes or takes one call, and is at rest once it talks or knows that the call is over.
"""

import asyncio
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from driver import documented
from driver.dialect2 import Memory

RECONNECT_SECONDS = 0.02


class Telephone:
    """`on_message` is called at every message, after it was sent or before it is acted upon."""

    def __init__(self, url: str, client_id: str, dialect: int, on_message=lambda: None):
        self.url, self.client_id, self.dialect, self.on_message = url, client_id, dialect, on_message
        self.memory = Memory()
        self.socket = None
        self.connections = 0
        self.pause = 0.0
        """How long it stays away before it reconnects, in seconds."""
        self.registered = asyncio.Event()
        self.media_patience: float | None = None
        """After how many seconds without a word of the peer it ends a call that was answered. None: never."""
        self.target: str | None = None
        self.call_id: str | None = None
        self.answered = False
        self.ended: str | None = None
        """The call that it has ended itself."""
        self.heard: set[str] = set()
        self.told: list[str] = []
        self.timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Stays connected until it is cancelled."""
        while True:
            # The server may die in the middle of the handshake, too.
            with suppress(ConnectionClosed, InvalidMessage, OSError):
                async with connect(self.url, proxy=None, open_timeout=2) as self.socket:
                    await self._register()
                    await self._follow()
            self.registered.clear()
            await asyncio.sleep(self.pause or RECONNECT_SECONDS)

    async def dial(self, target: str, patience: float) -> None:
        """Calls; in dialect 1 it gives up by itself when nothing was heard for `patience` seconds."""
        self.target = target
        if self.dialect == 1:
            self._start_timer(patience, lambda: self._forget("own ring timer"))
        with suppress(ConnectionClosed):
            await self._initiate()

    async def hang_up(self) -> None:
        self.ended = self.call_id
        self._forget("hung up")
        with suppress(ConnectionClosed):
            await self._say("CALL_END", callId=self.ended)

    def lose_connection(self) -> None:
        """The network goes away: no close frame, just the end of the TCP connection."""
        if self.socket:
            self.socket.transport.abort()

    def talks_with(self, peer: "Telephone") -> bool:
        """Whether it is in the call and has heard the peer over the peer's present connection."""
        return self.answered and self.call_id == peer.call_id and peer.own_candidate() in self.heard

    def own_candidate(self) -> str:
        return f"{self.client_id} on connection {self.connections}"

    def knows_no_call(self) -> bool:
        return self.call_id is None and self.target is None

    def __str__(self) -> str:
        return (f"{self.client_id} in {self.call_id and self.call_id[-6:]}, answered: {self.answered}, heard {self.heard}, "
                f"told {self.told}, on connection {self.connections}")

    async def _say(self, kind: str, request_id: str | None = None, **payload) -> None:
        await self.socket.send(documented.write(kind, payload, self.dialect, request_id))
        self.on_message()

    async def _register(self) -> None:
        fields = self.memory.registration() if self.dialect == 2 else {}
        await self._say("REGISTER", clientId=self.client_id, **fields)

    async def _follow(self) -> None:
        async for text in self.socket:
            message = documented.read(text, self.dialect)
            if "seq" in message:
                assert message["seq"] == self.memory.last_seq + 1, f"after {self.memory.last_seq}: {text}"
                self.memory.last_seq = message["seq"]
            self.on_message()
            await getattr(self, f"_on_{message['type'].lower()}")(message["payload"])

    async def _on_registered(self, payload: dict) -> None:
        self.connections += 1
        if self.dialect == 2:
            self.memory.token = payload["resumeToken"]
            if not payload["resumed"]:
                self.memory.last_seq = 0
        self.registered.set()
        if self.ended:
            await self._say("CALL_END", callId=self.ended)
        if self.call_id:
            await self._take_up_the_call()
        elif self.target and self.dialect == 2:
            await self._say("HEARTBEAT", request_id="was it lost?")

    async def _take_up_the_call(self) -> None:
        """An answer and candidates may have been lost with the connection: they are sent again."""
        if self.target is None:
            await self._accept()
        await self._say("ICE_CANDIDATE", callId=self.call_id, candidate=self.own_candidate())

    async def _on_heartbeat_ack(self, _: dict) -> None:
        """CALL_INITIATED did not come before it: the CALL_INITIATE was lost."""
        if self.target and not self.call_id:
            await self._initiate()

    async def _initiate(self) -> None:
        await self._say("CALL_INITIATE", targetId=self.target, sdpOffer="offer")

    async def _on_call_initiated(self, payload: dict) -> None:
        if self.call_id in (None, payload["callId"]):
            self._know(payload["callId"], answered=self.answered)
            await self._say("ICE_CANDIDATE", callId=self.call_id, candidate=self.own_candidate())
        else:
            await self._say("CALL_END", callId=payload["callId"])

    async def _on_incoming_call(self, payload: dict) -> None:
        if self.answered and payload["callId"] != self.call_id:
            return await self._say("CALL_REJECT", callId=payload["callId"])
        self._know(payload["callId"], answered=False)
        if self.dialect == 2:
            await self._say("CALL_RINGING", callId=self.call_id)
        await self._accept()
        await self._say("ICE_CANDIDATE", callId=self.call_id, candidate=self.own_candidate())

    async def _accept(self) -> None:
        self._know(self.call_id, answered=True)
        await self._say("CALL_ACCEPT", callId=self.call_id, sdpAnswer="answer")

    async def _on_call_ringing(self, _: dict) -> None:
        pass

    async def _on_call_accepted(self, payload: dict) -> None:
        if self.target is None or self.call_id not in (None, payload["callId"]):
            return await self._say("CALL_END", callId=payload["callId"])
        self._know(payload["callId"], answered=True)
        await self._say("ICE_CANDIDATE", callId=self.call_id, candidate=self.own_candidate())

    async def _on_ice_candidate(self, payload: dict) -> None:
        if payload["callId"] == self.call_id:
            self._stop_timer()
            self.heard.add(payload["candidate"])
            if self.dialect == 2:
                await self._say("ACK", seq=self.memory.last_seq)

    async def _on_call_ended(self, payload: dict) -> None:
        # A caller of dialect 1 learns the id of the call that it has just begun from its end.
        if payload["callId"] == self.call_id or (self.dialect == 1 and self.call_id is None):
            self._forget(payload.get("reason", "ended"))

    _on_call_rejected = _on_call_ended

    async def _on_error(self, payload: dict) -> None:
        """In dialect 1 an error is all that a client is told of a call that is gone, or never was."""
        is_gone = payload["code"] in ("CALL_NOT_FOUND", "TARGET_NOT_FOUND")
        if self.dialect == 1 and is_gone:
            self._forget(payload["code"])
        assert is_gone or payload["code"] == "INVALID_STATE", payload

    def _know(self, call_id: str, answered: bool) -> None:
        self.call_id, self.answered = call_id, answered
        self.memory.calls = {call_id: answered}
        if answered:
            self._stop_timer()
            if self.media_patience and not self.heard:
                self._start_timer(self.media_patience, lambda: asyncio.ensure_future(self.hang_up()))

    def _forget(self, why: str) -> None:
        self.told.append(why)
        self.call_id, self.target, self.answered, self.memory.calls = None, None, False, {}
        self._stop_timer()

    def _start_timer(self, seconds: float, then) -> None:
        self.timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self.timer:
            self.timer.cancel()
