"""kill -9: what was acknowledged is still there, and a call in the middle of its setup goes on."""

from driver.client import Client, accept, establish, ring


def test_an_acknowledged_key_survives_kill_9(serve):
    server = serve()
    for number in range(10):
        with Client(server.url, f"client-{number}") as client:
            client.send("PKD_REGISTER", clientId=f"client-{number}", publicKey=f"key {number}")
            client.expect("PKD_RESULT", publicKey=f"key {number}")
            server.crash()
        server.restart()
    with Client(server.url, "reader") as reader:
        for number in range(10):
            reader.send("PKD_LOOKUP", clientId=f"client-{number}")
            reader.expect("PKD_RESULT", publicKey=f"key {number}")


def test_keys_survive_an_orderly_stop_too(serve):
    server = serve("--drain-period", "0s")
    with Client(server.url, "alice") as alice:
        alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
        alice.expect("PKD_RESULT")
    server.terminate()
    assert server.process.wait(20) == 0
    server.restart()
    with Client(server.url, "bob") as bob:
        bob.send("PKD_LOOKUP", clientId="alice")
        bob.expect("PKD_RESULT", publicKey="key")


def test_a_call_that_rang_when_the_server_died_is_accepted_after_both_come_back(serve):
    server = serve()
    call_id = ring(Client(server.url, "alice"), Client(server.url, "bob"))
    server.crash()
    server.restart()
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        accept(alice, bob, call_id, answer="late but welcome")
        alice.expect_quiet()
        for sender, receiver in ((alice, bob), (bob, alice)):
            sender.send("ICE_CANDIDATE", callId=call_id, candidate="after the restart")
            receiver.expect("ICE_CANDIDATE", callId=call_id, candidate="after the restart")
        alice.send("CALL_END", callId=call_id)
        bob.expect("CALL_ENDED", callId=call_id)


def test_an_active_call_goes_on_once_both_ends_present_it_after_the_crash(serve):
    server = serve()
    call_id = establish(Client(server.url, "alice"), Client(server.url, "bob"))
    server.crash()
    server.restart()
    with Client(server.url, "alice") as alice, Client(server.url, "bob") as bob:
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="alice is back")
        alice.expect_quiet()
        bob.send("ICE_CANDIDATE", callId=call_id, candidate="bob is back")
        alice.expect("ICE_CANDIDATE", callId=call_id, candidate="bob is back")
        bob.expect("ICE_CANDIDATE", callId=call_id, candidate="alice is back")
        bob.send("CALL_END", callId=call_id)
        alice.expect("CALL_ENDED", callId=call_id)


def test_an_outsider_gets_nothing_of_a_call_after_the_crash(serve):
    server = serve()
    call_id = ring(Client(server.url, "alice"), Client(server.url, "bob"))
    server.crash()
    server.restart()
    with Client(server.url, "alice") as alice, Client(server.url, "mallory") as mallory:
        mallory.send("CALL_ACCEPT", callId=call_id, sdpAnswer="mallory's answer")
        mallory.expect_error("CALL_NOT_FOUND")
        alice.expect_quiet()


def test_a_call_id_of_another_deployment_is_not_found(serve):
    elsewhere, here = serve(), serve()
    call_id = ring(Client(elsewhere.url, "alice"), Client(elsewhere.url, "bob"))
    with Client(here.url, "alice"), Client(here.url, "bob") as bob:
        bob.send("CALL_ACCEPT", callId=call_id, sdpAnswer="answer")
        bob.expect_error("CALL_NOT_FOUND")
