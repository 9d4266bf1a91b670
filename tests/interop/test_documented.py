"""The check against docs/asyncapi.json, which every client here runs on every message, can fail."""

import json

import pytest

from driver import documented
from driver.client import Client

ENDED = {"type": "CALL_ENDED", "payload": {"callId": "c"}}
ENDED_2 = {"type": "CALL_ENDED", "payload": {"callId": "c", "reason": "hangup"}, "seq": 1}

WRONG_FROM_THE_SERVER = {
    "unknown type": (1, {"type": "CALL_PAUSED", "payload": {"callId": "c"}}),
    "a client's type": (1, {"type": "CALL_END", "payload": {"callId": "c"}}),
    "no type": (1, {"payload": {}}),
    "no payload": (1, {"type": "HEARTBEAT_ACK"}),
    "field missing": (1, {"type": "CALL_ENDED", "payload": {}}),
    "field too many": (1, {"type": "CALL_ENDED", "payload": {"callId": "c", "at": 1}}),
    "key too many": (1, {**ENDED, "at": 1}),
    "call id with a line break": (1, {"type": "CALL_ENDED", "payload": {"callId": "c\n"}}),
    "client id out of format": (1, {"type": "REGISTERED", "payload": {"clientId": "a b"}}),
    "unknown code": (1, {"type": "ERROR", "payload": {"code": "OOPS", "message": "words"}}),
    "reason in dialect 1": (1, {"type": "CALL_ENDED", "payload": {"callId": "c", "reason": "hangup"}}),
    "seq in dialect 1": (1, {**ENDED, "seq": 1}),
    "CALL_RINGING in dialect 1": (1, {"type": "CALL_RINGING", "payload": {"callId": "c"}}),
    "retryAfterMs in dialect 1": (
        1, {"type": "ERROR", "payload": {"code": "RATE_LIMITED", "message": "words", "retryAfterMs": 1}}),
    "replyTo where nobody asked": (1, {**ENDED, "replyTo": "7"}),
    "no reason in dialect 2": (2, {**ENDED, "seq": 1}),
    "unknown reason": (2, {**ENDED_2, "payload": {"callId": "c", "reason": "bored"}}),
    "no seq in dialect 2": (2, {"type": "CALL_ENDED", "payload": ENDED_2["payload"]}),
    "seq 0": (2, {**ENDED_2, "seq": 0}),
    "REGISTERED of dialect 1 in dialect 2": (2, {"type": "REGISTERED", "payload": {"clientId": "a"}}),
}


@pytest.mark.parametrize("name", WRONG_FROM_THE_SERVER)
def test_a_wrong_message_of_the_server_is_noticed(name):
    dialect, message = WRONG_FROM_THE_SERVER[name]
    with pytest.raises(AssertionError, match="undocumented"):
        documented.read(json.dumps(message), dialect)


def test_right_messages_are_not_refused():
    assert documented.read(json.dumps(ENDED), 1) == ENDED
    assert documented.read(json.dumps(ENDED_2), 2) == ENDED_2


@pytest.mark.parametrize("kind, payload", [
    ("CALL_PAUSE", {}),
    ("CALL_END", {}),
    ("PKD_LOOKUP", {"clientId": "a b"}),
    ("CALL_RINGING", {"callId": "c"}),
])
def test_a_wrong_message_of_a_client_is_noticed_before_it_is_sent(kind, payload):
    with pytest.raises(AssertionError, match="undocumented"):
        documented.write(kind, payload, dialect=1)


def test_a_client_of_the_wrong_dialect_would_fail_the_test_that_met_it(server):
    with Client(server.url) as client:
        client.send_text('{"type":"REGISTER","payload":{"clientId":"alice","protocol":2}}')
        with pytest.raises(AssertionError, match="undocumented"):
            client.receive()
