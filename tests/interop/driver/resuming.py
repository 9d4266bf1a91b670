"""An aiortc peer that speaks dialect 2 and takes a lost connection up again where it broke off."""

import asyncio

from websockets.asyncio.client import connect

from driver.dialect2 import Memory
from driver.webrtc import Peer


class ResumingPeer(Peer):
    dialect = 2

    def __init__(self, url: str, client_id: str):
        super().__init__(url, client_id)
        self.memory = Memory()

    async def __aenter__(self):
        await self._connect()
        return self

    async def receive(self) -> dict:
        message = await super().receive()
        if "seq" in message:
            assert message["seq"] == self.memory.last_seq + 1, f"after {self.memory.last_seq}: {message}"
            self.memory.last_seq = message["seq"]
        return message

    async def lose_connection(self, until: asyncio.Event) -> None:
        """No close frame, just the end of the TCP connection; it comes back at `until`, and must be resumed."""
        self.socket.transport.abort()
        await until.wait()
        assert await self._connect()

    async def _connect(self) -> bool:
        """Whether the registration before was resumed."""
        self.socket = await connect(self.url, proxy=None)
        await self.send("REGISTER", clientId=self.client_id, **self.memory.registration())
        registered = await self.expect("REGISTERED")
        self.memory.token = registered["resumeToken"]
        return registered["resumed"]
