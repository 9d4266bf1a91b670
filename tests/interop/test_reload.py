"""SIGHUP: the settings file is read again, and what is in it counts at once, for connections that are open too."""

import json
import re
import signal
import socket
import subprocess
import time

import pytest

from driver.client import Client, establish, refused, ring
from driver.coturn import credential
from driver.dialect2 import Client as SecondClient
from driver.flood import flood_a_peer_who_does_not_read
from driver.frames import PING, RawSocket
from driver.server import REPOSITORY, binary, clean_environment, eventually

CHAINS = REPOSITORY / "vectors/identity/chains.json"


class Reloadable:
    """A server with a settings file of its own."""

    def __init__(self, serve, tmp_path, *options: str, **settings):
        self.file = tmp_path / "securecall.toml"
        self.settings = settings
        self._write()
        self.server = serve("--config", str(self.file), *options)
        self.read = 0

    def change(self, **settings) -> str:
        """Sets these, asks the server to read them, and gives what it says."""
        self.settings = {**self.settings, **settings}
        self._write()
        return self.reload()

    def reload(self) -> str:
        said = len(self.server.log())
        self.server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "SIGHUP: " in self.server.log()[said:], 5, every=0.01), "it does not answer"
        return self.server.log()[said:]

    def _write(self) -> None:
        """Keys are section__key."""
        lines = []
        for name, value in sorted(self.settings.items(), key=lambda item: "__" in item[0]):
            section, _, key = name.rpartition("__")
            text = value if isinstance(value, (int, list)) else f'"{value}"'
            lines.append(f"{section}.{key} = {text}" if section else f"{key} = {text}")
        self.file.write_text("\n".join(lines).replace("'", '"') + "\n")


@pytest.fixture
def reloadable(serve, tmp_path):
    return lambda *options, **settings: Reloadable(serve, tmp_path, *options, **settings)


def status(server, host: int = 1, **headers: str) -> int:
    return refused(server.url, source_address=(f"127.0.0.{host}", 0), additional_headers=headers).status_code


def limited(client: Client, kind: str, **payload) -> int:
    """How many such requests pass before one is refused, of five."""
    for passed in range(5):
        client.send(kind, **payload)
        answer = client.receive()
        if answer["type"] == "ERROR" and answer["payload"]["code"] == "RATE_LIMITED":
            return passed
    return 5


# Each setting that can change, and what it does to a server with alice and bob, who were connected before.
EFFECTS = {}


def effect(**settings):
    def register(test):
        (name,) = list(settings)[:1]
        EFFECTS[name] = (settings, test)
        return test
    return register


@effect(limits__message_bytes_max=8192)
def _(server, alice, bob):
    with Client(server.url, "carol") as carol:
        carol.send_text('{"type":"HEARTBEAT"' + " " * 9000 + "}")
        carol.expect_close(1009)
    alice.send("CALL_INITIATE", targetId="bob", sdpOffer="x" * 9000)
    alice.expect_error("INVALID_MESSAGE")


@effect(limits__register_timeout="200ms")
def _(server, alice, bob):
    Client(server.url).expect_close(4101, timeout=2)


@effect(limits__ping_after="200ms")
def _(server, alice, bob):
    raw = RawSocket(server.port)
    raw.register("carol")
    raw.socket.settimeout(2)
    assert raw.receive_frame()[0] == PING


@effect(limits__silence_timeout="400ms", limits__ping_after="200ms")
def _(server, alice, bob):
    raw = RawSocket(server.port)
    raw.register("carol")
    raw.socket.settimeout(2)
    assert raw.receive_close() == 4102


@effect(limits__request_timeout="200ms")
def _(server, alice, bob):
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as plain:
        plain.sendall(b"GET /signal HTTP/1.1\r\n")
        assert plain.recv(1) == b""


@effect(limits__request_head_bytes_max=1024)
def _(server, alice, bob):
    assert status(server, Cookie="c" * 2000) == 431


@effect(limits__request_fields_max=8)
def _(server, alice, bob):
    assert status(server, **{f"X{number}": "x" for number in range(9)}) == 431


@effect(limits__connections_max=2)
def _(server, alice, bob):
    assert status(server) == 503
    assert server.metrics()["securecall_connections_max"] == 2


@effect(limits__connections_per_address_max=2)
def _(server, alice, bob):
    assert status(server) == 429


@effect(limits__connection_burst=1, limits__connection_rate=0.001)
def _(server, alice, bob):
    Client(server.url).close()
    assert status(server) == 429


@effect(limits__connection_rate=0.01, limits__connection_burst=1)
def _(server, alice, bob):
    Client(server.url).close()
    response = refused(server.url)
    assert int(response.headers["Retry-After"]) > 90


@effect(limits__outbox_bytes_max=65536, calls__waiting_bytes_max=65536, limits__candidates="1000/1000", calls__grace="300ms")
def _(server, alice, bob):
    # 12 MB, which would fit into the outbox of before.
    slow = RawSocket(server.port, receive_buffer=4096)
    slow.register("slow")
    flood_a_peer_who_does_not_read(alice, slow)
    alice.expect("CALL_ENDED", timeout=10)
    assert slow.receive_close() == 1013


@effect(limits__calls="1/0.001")
def _(server, alice, bob):
    assert limited(alice, "CALL_INITIATE", targetId="nobody", sdpOffer="x") == 1


@effect(limits__hangups="20/1")
def _(server, alice, bob):
    for _ in range(21):
        alice.send("CALL_END", callId="none")
    answers = [alice.receive()["payload"]["code"] for _ in range(21)]
    assert answers == ["CALL_NOT_FOUND"] * 20 + ["RATE_LIMITED"]


@effect(limits__candidates="1/0.001")
def _(server, alice, bob):
    assert limited(alice, "ICE_CANDIDATE", callId="none", candidate="x") == 1


@effect(limits__directory="1/0.001")
def _(server, alice, bob):
    assert limited(alice, "PKD_LOOKUP", clientId="bob") == 1


@effect(limits__other="2/0.001")
def _(server, alice, bob):
    # The other one was the registration.
    assert limited(alice, "HEARTBEAT") == 1


@effect(limits__new_keys="1/0.001")
def _(server, alice, bob):
    alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
    alice.expect("PKD_RESULT")
    bob.send("PKD_REGISTER", clientId="bob", publicKey="key")
    bob.expect_error("RATE_LIMITED")


@effect(calls__ring_timeout="300ms")
def _(server, alice, bob):
    ring(alice, bob)
    alice.expect("CALL_ENDED", timeout=2)


@effect(calls__grace="200ms")
def _(server, alice, bob):
    establish(alice, bob)
    bob.lose_connection()
    alice.expect("CALL_ENDED", timeout=2)


@effect(calls__per_session_max=1)
def _(server, alice, bob):
    establish(alice, bob)
    alice.send("CALL_INITIATE", targetId="bob", sdpOffer="x")
    alice.expect_error("RATE_LIMITED")


@effect(calls__unanswered_max=1)
def _(server, alice, bob):
    ring(alice, bob)
    with Client(server.url, "carol") as carol:
        carol.send("CALL_INITIATE", targetId="bob", sdpOffer="x")
        carol.expect("CALL_REJECTED")


@effect(directory__replace="registered")
def _(server, alice, bob):
    for key in ("one", "two"):
        with Client(server.url, "carol") as carol:
            carol.send("PKD_REGISTER", clientId="carol", publicKey=key)
            carol.expect("PKD_RESULT", publicKey=key)


@effect(directory__key_bytes_max=32)
def _(server, alice, bob):
    alice.send("PKD_REGISTER", clientId="alice", publicKey="k" * 33)
    alice.expect_error("INVALID_MESSAGE")


@effect(directory__records_max=1)
def _(server, alice, bob):
    alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
    alice.expect("PKD_RESULT")
    bob.send("PKD_REGISTER", clientId="bob", publicKey="key")
    bob.expect_error("UNAVAILABLE")
    assert server.metrics()["securecall_directory_records_max"] == 1


@effect(turn__urls=["turn:other.example"])
def _(server, alice, bob):
    assert entry(alice)["urls"] == ["turn:other.example"]


@effect(turn__preset="metered")
def _(server, alice, bob):
    assert "turn:a.relay.metered.ca:443?transport=tcp" in entry(alice)["urls"]


@effect(turn__ttl="2m")
def _(server, alice, bob):
    alice.send("TURN_CREDENTIALS")
    assert alice.expect("TURN_CREDENTIALS")["ttlSeconds"] == 120


@effect(proxy__trusted=["127.0.0.0/8"], limits__connections_per_address_max=2)
def _(server, alice, bob):
    with Client(server.url, additional_headers={"X-Forwarded-For": "203.0.113.1"}):
        assert status(server) == 429


@effect(proxy__header="x-real-ip", proxy__trusted=["127.0.0.0/8"], limits__connections_per_address_max=2)
def _(server, alice, bob):
    with Client(server.url, additional_headers={"X-Real-Ip": "203.0.113.1"}):
        assert status(server, **{"X-Forwarded-For": "203.0.113.2"}) == 429


@effect(proxy__protocol="on", proxy__trusted=["127.0.0.0/8"])
def _(server, alice, bob):
    assert status(server) == 400
    establish(alice, bob)


@effect(drain__period="0s")
def _(server, alice, bob):
    # By default they would go over 2 seconds, one each 100 ms.
    crowd = [Client(server.url, f"client-{number}") for number in range(18)]
    began = time.monotonic()
    server.terminate()
    for client in [alice, bob, *crowd]:
        client.expect_close(1012)
    assert time.monotonic() - began < 1.5


@effect(identity__reset_delay="100h")
def _(server, alice, bob):
    (chain,) = (case for case in json.loads(CHAINS.read_text())["chains"] if case["name"] == "plain")
    record = json.dumps({"clientId": "alice", "links": chain["links"]})
    operate(server, "import", input=record)
    assert "reset in 4days 4h" in operate(server, "reset", "alice")


def operate(server, *arguments: str, input: str = "") -> str:
    """A command of the operator, beside the running server."""
    command = [binary(), "directory", *arguments, "--data-dir", str(server.data_dir)]
    done = subprocess.run(command, input=input, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


@effect(drain__timeout="1s", drain__period="1s")
def _(server, alice, bob):
    silent = RawSocket(server.port)
    server.terminate()
    assert server.process.wait(3) == 0
    silent.close()


def entry(client: Client) -> dict:
    client.send("TURN_CREDENTIALS")
    (entry,) = client.expect("TURN_CREDENTIALS")["iceServers"]
    return entry


@pytest.mark.parametrize("name", EFFECTS)
def test_it_counts_for_who_is_connected(reloadable, tmp_path, name):
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    changed, effect_of = EFFECTS[name]
    running = reloadable(turn__urls=["turn:turn.example"], turn__secret_file=str(secret), limits__outbox_bytes_max=33_554_432)
    with Client(running.server.url, "alice") as alice, Client(running.server.url, "bob") as bob:
        said = running.change(**changed)
        assert "SIGHUP: changed: " in said and name.replace("__", ".") in said
        effect_of(running.server, alice, bob)


def test_new_rates_are_announced_to_who_registers_again(reloadable):
    running = reloadable(limits__calls="20/1")
    with SecondClient(running.server.url) as alice:
        assert alice.register("alice")["rates"]["calls"] == {"burst": 20, "intervalMs": 1000}
        running.change(limits__calls="2/0.5")
        alice.expect_quiet()
        assert limited(alice, "CALL_ACCEPT", callId="no-such-call", sdpAnswer="x") == 2
        assert alice.register("alice")["rates"]["calls"] == {"burst": 2, "intervalMs": 2000}


def test_every_setting_is_either_tried_here_or_settled_at_the_start():
    # What waits for a client is of one value with the rest of its section; its own tests are in the core.
    of_the_core = {"calls.waiting_bytes_max", "calls.waiting_count_max", "calls.waiting_age_max", "turn.secret_file"}
    print_all = subprocess.run([binary(), "check-config", "--print"], capture_output=True, text=True, env=clean_environment())
    section, keys = "", set()
    for line in print_all.stdout.splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1] + "."
        elif found := re.match(r"#?(\w+) = ", line):
            keys.add(section + found[1])
    tried = {name.replace("__", ".") for name in EFFECTS}
    settled = {"listen", "data_dir", "workers", "log", "log_format", "admin.listen"}
    settled |= {key for key in keys if key.startswith(("tls.", "acme."))}
    assert keys - of_the_core == tried | settled


def test_a_secret_that_was_changed_signs_the_next_credential_of_a_live_connection(reloadable, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("old\n")
    secret.chmod(0o600)
    running = reloadable(turn__urls=["turn:turn.example"], turn__secret_file=str(secret))
    with Client(running.server.url, "alice") as alice, Client(running.server.url, "bob") as bob:
        before = entry(alice)
        secret.write_text("new\n")
        assert "SIGHUP: changed: the TURN secret" in running.reload()
        after = entry(alice)
        assert (before["username"], before["credential"]) != (after["username"], after["credential"])
        call_id = ring(alice, bob)
        assert call_id
    assert after["credential"] == credential("new", after["username"]).password
    assert "new" not in re.sub(r"SIGHUP: changed: ", "", running.server.log()), "no secret is in the log"


REFUSED = {
    "no TOML": "listen = = 1",
    "a misspelt name": 'limits.connection_max = 7',
    "a value out of range": "limits.connections_max = 0",
    "two that contradict each other": '[limits]\nconnections_per_address_max = 1\nping_after = "10m"',
    "half of TURN": '[limits]\nconnections_per_address_max = 1\n[turn]\nurls = ["turn:turn.example"]',
    "a file that is gone": None,
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_start_would_refuse_changes_nothing(reloadable, what):
    running = reloadable(limits__connections_per_address_max=2)
    with Client(running.server.url, "alice") as alice, Client(running.server.url, "bob") as bob:
        running.file.unlink() if REFUSED[what] is None else running.file.write_text(REFUSED[what] + "\n")
        said = running.reload()
        (line,) = [line for line in said.splitlines() if "SIGHUP" in line]
        assert "ERROR" in line and "the settings were not changed: " in line
        establish(alice, bob)
        assert status(running.server) == 429
    # It is mended.
    assert "limits.connections_per_address_max" in running.change(limits__connections_per_address_max=7)


def test_what_takes_a_restart_is_named_as_long_as_it_differs(reloadable):
    running = reloadable(workers=2)
    said = running.change(workers=1, limits__connections_per_address_max=7)
    assert "SIGHUP: changed: limits.connections_per_address_max\n" in said
    assert "SIGHUP: changed only by a restart: workers\n" in said
    said = running.reload()
    assert "nothing has changed" in said and "SIGHUP: changed only by a restart: workers\n" in said
    assert "restart" not in running.change(workers=2)


def test_flags_and_the_environment_still_win(reloadable):
    running = reloadable("--connections-per-address-max", "1")
    with Client(running.server.url, "alice"):
        assert "nothing has changed" in running.change(limits__connections_per_address_max=7)
        assert status(running.server) == 429


def test_a_server_that_is_asked_again_and_again_has_not_grown(reloadable):
    running = reloadable()
    with Client(running.server.url, "alice") as alice, Client(running.server.url, "bob") as bob:
        for number in range(20):
            running.change(limits__connections_per_address_max=100 + number)
        establish(alice, bob)
    descriptors = running.server.metrics()["process_open_fds"]
    running.reload()
    assert running.server.metrics()["process_open_fds"] <= descriptors
