"""No client fills the disk: the directory has a bound, and each address a rate of new records."""

import subprocess

from driver import dialect2
from driver.client import Client
from driver.server import binary, clean_environment


def put_key(url: str, client_id: str, key: str = "key", **options) -> dict:
    """The answer to a registration of this key, on a connection of its own."""
    with dialect2.Client(url, client_id, **options) as client:
        client.send("PKD_REGISTER", clientId=client_id, publicKey=key)
        return client.receive()


def test_one_address_sets_first_keys_as_fast_as_its_rate_and_no_faster(serve):
    server = serve("--new-keys-rate", "5/0.01")
    answers = [put_key(server.url, f"client-{number}", "k" * 4096) for number in range(30)]
    assert [answer["type"] for answer in answers] == ["PKD_RESULT"] * 5 + ["ERROR"] * 25
    assert {answer["payload"]["code"] for answer in answers[5:]} == {"RATE_LIMITED"}
    assert 90_000 < answers[5]["payload"]["retryAfterMs"] <= 100_000
    assert server.metrics()["securecall_directory_records"] == 5
    # Whoever has a key goes on: the same one again, and another from its owner.
    assert put_key(server.url, "client-0", "k" * 4096)["type"] == "PKD_RESULT"
    assert put_key(server.url, "client-0", "another")["payload"]["code"] == "KEY_PINNED"


def test_the_same_key_again_and_another_of_its_owner_cost_nothing(serve):
    server = serve("--new-keys-rate", "2/0.01", "--directory-rate", "1000/1000")
    with Client(server.url, "alice") as alice:
        for number in range(100):
            for _ in range(2):
                alice.send("PKD_REGISTER", clientId="alice", publicKey=f"key {number}")
                alice.expect("PKD_RESULT", publicKey=f"key {number}")
    assert put_key(server.url, "bob")["type"] == "PKD_RESULT"
    assert put_key(server.url, "carol")["payload"]["code"] == "RATE_LIMITED"


def test_addresses_behind_a_proxy_count_by_themselves_and_ipv6_by_its_64(serve):
    server = serve("--new-keys-rate", "1/0.01", "--trusted-proxies", "127.0.0.1/32")

    def put(client_id: str, address: str) -> str:
        return put_key(server.url, client_id, additional_headers={"X-Forwarded-For": address})["type"]

    assert put("a", "192.0.2.1") == "PKD_RESULT"
    assert put("b", "192.0.2.1") == "ERROR"
    assert put("b", "192.0.2.2") == "PKD_RESULT"
    assert put("c", "2001:db8:1:2::1") == "PKD_RESULT"
    assert put("d", "2001:db8:1:2:ffff::2") == "ERROR"
    assert put("d", "2001:db8:1:3::1") == "PKD_RESULT"


def test_a_full_directory_says_so_and_an_operator_makes_room(serve):
    server = serve("--directory-records-max", "5")
    answers = [put_key(server.url, f"client-{number}") for number in range(8)]
    assert [answer["type"] for answer in answers] == ["PKD_RESULT"] * 5 + ["ERROR"] * 3
    assert {answer["payload"]["code"] for answer in answers[5:]} == {"UNAVAILABLE"}
    assert put_key(server.url, "client-4")["type"] == "PKD_RESULT"
    samples = server.metrics()
    assert samples["securecall_directory_records"] == samples["securecall_directory_records_max"] == 5
    assert server.log().count("the directory is nearly full") == 1, "at the fourth, and not again"
    reset = [binary(), "directory", "reset", "client-0", "client-1", "--data-dir", server.data_dir]
    subprocess.run(reset, check=True, timeout=30, env=clean_environment())
    assert server.metrics()["securecall_directory_records"] == 3
    assert put_key(server.url, "client-7")["type"] == "PKD_RESULT"
    server.crash()
    server.restart()
    assert server.metrics()["securecall_directory_records"] == 4
    assert server.log().count("the directory is nearly full") == 1, "once at each start"
