"""A dialect 2 client: it keeps what docs/protocol.md tells it to keep, and checks every number."""

import json
from dataclasses import dataclass, field

from driver import client, documented
from driver.client import ANSWER_SECONDS_MAX


@dataclass
class Memory:
    """What a client keeps over its connections."""

    token: str | None = None
    last_seq: int = 0
    calls: dict[str, bool] = field(default_factory=dict)
    """Of each call that it is in: whether it was answered."""

    def registration(self) -> dict:
        """The fields with which it registers."""
        if self.token is None:
            return {"protocol": 2}
        calls = [{"callId": call_id, "answered": answered} for call_id, answered in self.calls.items()]
        return {"protocol": 2, "resumeToken": self.token, "lastSeq": self.last_seq, "calls": calls}


class Client(client.Client):
    """With the `memory` of another client it is the same one on a new connection."""

    dialect = 2

    def __init__(self, url: str, client_id: str | None = None, memory: Memory | None = None, **options):
        self.memory = memory or Memory()
        self.resumed: bool | None = None
        super().__init__(url, client_id, **options)

    def register(self, client_id: str) -> dict:
        self.send("REGISTER", clientId=client_id, **self.memory.registration())
        return self.expect_registered(client_id)

    def expect_registered(self, client_id: str) -> dict:
        registered = self.expect("REGISTERED", clientId=client_id)
        self.client_id = client_id
        self.resumed = registered["resumed"]
        self.memory.token = registered["resumeToken"]
        if not self.resumed:
            self.memory.last_seq = 0
        return registered

    def come_back(self, url: str) -> "Client":
        """The same client on a new connection; the old one is left as it is."""
        return Client(url, self.client_id, memory=self.memory)

    def receive(self, timeout: float = ANSWER_SECONDS_MAX) -> dict:
        message = json.loads(self.receive_text(timeout))
        # Until it is registered, it is spoken to in dialect 1.
        speaks_2 = self.client_id is not None or message["type"] == "REGISTERED"
        documented.check(message, "server", 2 if speaks_2 else 1)
        if "seq" in message:
            assert message["seq"] == self.memory.last_seq + 1, f"after {self.memory.last_seq}: {message}"
            self.memory.last_seq = message["seq"]
        self._remember(message["type"], message["payload"])
        return message

    def send(self, kind: str, request_id: str | None = None, **payload) -> None:
        super().send(kind, request_id, **payload)
        match kind:
            case "CALL_ACCEPT":
                self.memory.calls[payload["callId"]] = True
            case "CALL_END" | "CALL_REJECT":
                self.memory.calls.pop(payload["callId"], None)

    def acknowledge(self) -> None:
        self.send("ACK", seq=self.memory.last_seq)

    def _remember(self, kind: str, payload: dict) -> None:
        match kind:
            case "CALL_INITIATED" | "INCOMING_CALL":
                self.memory.calls.setdefault(payload["callId"], False)
            case "CALL_ACCEPTED":
                self.memory.calls[payload["callId"]] = True
            case "CALL_ENDED" | "CALL_REJECTED":
                self.memory.calls.pop(payload["callId"], None)
