"""A dialect 1 client over the `websockets` package. Whatever it sends and receives must be documented."""

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from driver import documented

# On loopback an answer takes well under a millisecond; this is when we stop believing in it.
ANSWER_SECONDS_MAX = 5


class Client:
    dialect = 1

    def __init__(self, url: str, client_id: str | None = None, **options):
        # `max_queue` as well: a client that stops reading could not see the end of a close.
        options = {"max_size": None, "max_queue": None, "proxy": None, "open_timeout": ANSWER_SECONDS_MAX, **options}
        self.socket = connect(url, **options).__enter__()
        self.client_id = client_id
        if client_id:
            self.register(client_id)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def register(self, client_id: str) -> None:
        self.send("REGISTER", clientId=client_id)
        self.expect("REGISTERED", clientId=client_id)
        self.client_id = client_id

    def send(self, kind: str, request_id: str | None = None, **payload) -> None:
        self.send_text(documented.write(kind, payload, self.dialect, request_id))

    def send_wrong(self, kind: str, **payload) -> None:
        """What the document does not allow."""
        with pytest.raises(AssertionError, match="undocumented"):
            documented.write(kind, payload, self.dialect)
        self.send_text(json.dumps({"type": kind, "payload": payload}))

    def send_text(self, text: str) -> None:
        """Any text, unchecked."""
        self.socket.send(text)

    def receive_text(self, timeout: float = ANSWER_SECONDS_MAX) -> str:
        text = self.socket.recv(timeout=timeout)
        assert isinstance(text, str), "the server sent a binary message"
        return text

    def receive(self, timeout: float = ANSWER_SECONDS_MAX) -> dict:
        return documented.read(self.receive_text(timeout), self.dialect)

    def expect(self, kind: str, timeout: float = ANSWER_SECONDS_MAX, **fields) -> dict:
        """The next message must be of this type and carry these values; gives its payload."""
        message = self.receive(timeout)
        assert message["type"] == kind, f"wanted {kind}, got {message}"
        assert fields.items() <= message["payload"].items(), f"wanted {fields}, got {message}"
        return message["payload"]

    def expect_error(self, code: str) -> None:
        self.expect("ERROR", code=code)

    def expect_quiet(self) -> None:
        """Nothing is on its way: the answer to a fresh question is the next thing that arrives."""
        self.send("PKD_LOOKUP", clientId="nobody-has-this-id")
        self.expect("PKD_RESULT", clientId="nobody-has-this-id", publicKey=None)

    def expect_close(self, code: int, timeout: float = ANSWER_SECONDS_MAX) -> None:
        """The server must close with this code, whatever messages come first."""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.receive_text(timeout)
        assert closed.value.rcvd is not None, "the connection broke without a close frame"
        assert closed.value.rcvd.code == code

    def close(self) -> None:
        self.socket.close()

    def lose_connection(self) -> None:
        """The network goes away: no close frame, just the end of the TCP connection."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)


def refused(url: str, **options):
    """The HTTP response that refused the WebSocket upgrade."""
    with pytest.raises(InvalidStatus) as refusal:
        Client(url, **options)
    return refusal.value.response


def ring(caller: Client, callee: Client, offer: str = "offer") -> str:
    """The caller calls, the callee's device rings; gives the callId."""
    caller.send("CALL_INITIATE", targetId=callee.client_id, sdpOffer=offer)
    if caller.dialect == 2:
        caller.expect("CALL_INITIATED", targetId=callee.client_id)
    return callee.expect("INCOMING_CALL", callerId=caller.client_id, sdpOffer=offer)["callId"]


def accept(caller: Client, callee: Client, call_id: str, answer: str = "answer") -> None:
    callee.send("CALL_ACCEPT", callId=call_id, sdpAnswer=answer)
    caller.expect("CALL_ACCEPTED", callId=call_id, sdpAnswer=answer)


def establish(caller: Client, callee: Client) -> str:
    """A call up to the point where both sides may talk; gives the callId."""
    call_id = ring(caller, callee)
    accept(caller, callee, call_id)
    return call_id
