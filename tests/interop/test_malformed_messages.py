"""Wrong input costs its sender an ERROR, and nobody a connection."""

import json

import pytest

from driver.client import Client, establish

NOT_A_MESSAGE = {
    "empty": "",
    "blank": " \n\t ",
    "null": "null",
    "number": "17",
    "string": '"REGISTER"',
    "array": '["REGISTER",{}]',
    "truncated": '{"type":"PKD_LOOKUP","payload":{"clientId":"bo',
    "two values": '{"type":"PKD_LOOKUP","payload":{"clientId":"bob"}} {}',
    "trailing comma": '{"type":"PKD_LOOKUP","payload":{"clientId":"bob"},}',
    "control character": '{"type":"PKD_LOOKUP","payload":{"clientId":"bo\nb"}}',
    "NaN": '{"type":"PKD_LOOKUP","payload":NaN}',
    "deep": "[" * 30_000,
    "deep objects": '{"a":' * 10_000,
    "no type": '{"payload":{"clientId":"bob"}}',
    "type null": '{"type":null,"payload":{}}',
    "type object": '{"type":{},"payload":{}}',
    "type prototype": '{"type":"__proto__"}',
    "type constructor": '{"type":"constructor","payload":{}}',
    "type in lower case": '{"type":"pkd_lookup","payload":{"clientId":"bob"}}',
    "type of the server's": '{"type":"CALL_ACCEPTED","payload":{"callId":"x","sdpAnswer":"y"}}',
    "no payload": '{"type":"PKD_LOOKUP"}',
    "payload null": '{"type":"PKD_LOOKUP","payload":null}',
    "payload array": '{"type":"PKD_LOOKUP","payload":["bob"]}',
    "payload string": '{"type":"PKD_LOOKUP","payload":"bob"}',
    "field missing": '{"type":"PKD_LOOKUP","payload":{}}',
    "field null": '{"type":"PKD_LOOKUP","payload":{"clientId":null}}',
    "field number": '{"type":"PKD_LOOKUP","payload":{"clientId":7}}',
    "answer missing": '{"type":"CALL_ACCEPT","payload":{"callId":"x"}}',
    "candidate number": '{"type":"ICE_CANDIDATE","payload":{"callId":"x","candidate":1}}',
    "offer missing": '{"type":"CALL_INITIATE","payload":{"targetId":"bob"}}',
}
NOT_AN_ID = ["", " ", "a b", "é", "a\n", "a\u0000", "a.b", "a/b", "../x", "a" * 65, "а"]


@pytest.fixture
def alice(serve):
    with Client(serve("--other-rate", "1000/1000").url, "alice") as client:
        yield client


@pytest.mark.parametrize("name", NOT_A_MESSAGE)
def test_what_is_no_message_is_answered_and_the_connection_lives(alice, name):
    alice.send_text(NOT_A_MESSAGE[name])
    alice.expect_error("INVALID_MESSAGE")
    alice.expect_quiet()


@pytest.mark.parametrize("client_id", NOT_AN_ID, ids=repr)
def test_an_id_out_of_format_is_an_invalid_message(serve, client_id):
    with Client(serve().url) as client:
        client.send_wrong("REGISTER", clientId=client_id)
        client.expect_error("INVALID_MESSAGE")
        client.register("a" * 64)
        client.send_wrong("CALL_INITIATE", targetId=client_id, sdpOffer="offer")
        client.expect_error("INVALID_MESSAGE")
        client.send_wrong("PKD_LOOKUP", clientId=client_id)
        client.expect_error("INVALID_MESSAGE")


def test_malformed_messages_do_not_end_a_running_call(serve):
    server = serve("--other-rate", "1000/1000")
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        call_id = establish(alice, bob)
        for text in NOT_A_MESSAGE.values():
            alice.send_text(text)
            alice.expect_error("INVALID_MESSAGE")
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="still here")
        bob.expect("ICE_CANDIDATE", callId=call_id, candidate="still here")


def test_unknown_fields_are_ignored_and_never_forwarded(serve):
    server = serve()
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        alice.send_text(
            '{"version":3,"type":"CALL_INITIATE","payload":'
            '{"note":{"deep":[1,2]},"targetId":"bob","sdpOffer":"offer","callerId":"mallory"},"extra":null}'
        )
        call_id = bob.expect("INCOMING_CALL", callerId="alice", sdpOffer="offer")["callId"]
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer", iceServers=[])
        alice.expect("CALL_ACCEPTED", callId=call_id, sdpAnswer="answer")


def test_keys_may_come_in_any_order_and_with_any_white_space(serve):
    server = serve()
    with Client(server.url) as alice:
        alice.send_text('\r\n{ "payload" : { "clientId"\t:\n"alice" } , "type":"REGISTER" }  ')
        alice.expect("REGISTERED", clientId="alice")


def test_escaped_names_mean_the_same_as_plain_ones(serve):
    with Client(serve().url) as client:
        client.send_text('{"type":"REGI\\u0053TER","payload":{"client\\u0049d":"\\u0061lice"}}')
        client.expect("REGISTERED", clientId="alice")


@pytest.mark.parametrize("text", [
    '{"type":"CALL_PAUSE","payload":{},"id":"7"}', '{"id":"7"}', '{"type":"PKD_LOOKUP","payload":{},"id":"7"}',
])
def test_what_cannot_be_read_is_refused_by_the_name_it_has(alice, text):
    alice.send_text(text)
    message = alice.receive()
    assert (message["payload"]["code"], message["replyTo"]) == ("INVALID_MESSAGE", "7")


@pytest.mark.parametrize("name", ["7", "null", '{"of":"mine"}', '""', f'"{"x" * 65}"'])
def test_an_id_that_is_none_of_ours_is_an_unknown_field_to_dialect_1(alice, name):
    alice.send_text(f'{{"type":"HEARTBEAT","payload":{{}},"id":{name}}}')
    assert "replyTo" not in alice.receive()
    alice.expect_quiet()


def test_an_error_message_does_not_carry_the_offending_text_back(alice):
    alice.send_text(json.dumps({"type": "<script>secret</script>", "payload": {}}))
    assert "secret" not in alice.expect("ERROR", code="INVALID_MESSAGE")["message"]
