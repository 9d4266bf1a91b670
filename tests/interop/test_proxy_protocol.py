"""The PROXY protocol, from real proxies: the client that they name is the one who is limited, and nobody else may say so."""

import socket
import ssl
import struct
import subprocess

import pytest

from driver import tcp_proxies
from driver.client import Client, establish, refused
from driver.server import binary, clean_environment, eventually
from driver.tcp_proxies import in_front, trusting  # noqa: F401

ON = ("--proxy-protocol", "on", "--trusted-proxies", "127.0.0.1")
TWO_AN_ADDRESS = ("--connections-per-address-max", "2")

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def naming(address: str, version: int = 1) -> bytes:
    """A header that names this client."""
    if version == 1:
        return f"PROXY TCP4 {address} 127.0.0.1 4711 443\r\n".encode()
    return SIGNATURE + b"\x21\x11" + struct.pack("!H4s4sHH", 12, socket.inet_aton(address), bytes(4), 4711, 443)


class Proxied:
    """The URL and options of clients behind a proxy."""

    def __init__(self, port: int, tls: bool):
        self.url = f"wss://127.0.0.1:{port}/signal" if tls else f"ws://127.0.0.1:{port}/signal"
        self.options = {"ssl": trusting()} if tls else {}

    def connect(self, host: int, client_id: str | None = None, **headers: str) -> Client:
        """A client at 127.0.0.`host`, as the proxy sees it; `headers` is what it claims."""
        return Client(self.url, client_id, source_address=(f"127.0.0.{host}", 0), additional_headers=headers,
                      **self.options)

    def refused(self, host: int, **headers: str):
        return refused(self.url, source_address=(f"127.0.0.{host}", 0), additional_headers=headers, **self.options)


def exchange(port: int, *pieces: bytes, host: int = 1) -> bytes:
    """What the server answers to these pieces until it closes; nothing if it resets."""
    with socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(f"127.0.0.{host}", 0)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        try:
            for piece in pieces:
                plain.sendall(piece)
            while more := plain.recv(4096):
                answer += more
        except OSError:
            pass
        return answer


@pytest.mark.parametrize("kind", tcp_proxies.PROXY_HEADER_SENDERS)
def test_the_client_that_a_proxy_names_is_the_one_that_is_limited(serve, in_front, kind):
    server = serve(*ON, *TWO_AN_ADDRESS)
    proxy, options = tcp_proxies.PROXY_HEADER_SENDERS[kind]
    proxied = Proxied(in_front(proxy, server.port, options).port, tls=proxy is not tcp_proxies.haproxy)
    claim = {"X-Forwarded-For": "203.0.113.9"}
    with proxied.connect(2, "alice") as alice, proxied.connect(2, **claim), proxied.connect(3, "bob") as bob:
        call_id = establish(alice, bob)
        alice.send("ICE_CANDIDATE", callId=call_id, candidate="x" * 60_000)
        bob.expect("ICE_CANDIDATE", callId=call_id)
        assert proxied.refused(2).status_code == 429
        assert proxied.refused(2, **claim).status_code == 429, "what the client claims is not believed"
        assert server.metrics()["securecall_addresses"] == 2
    # HAProxy has passed on as well whoever looked whether it listens, with whatever it was named.
    assert set(server.refusals()) <= {"address_full", "gone"}


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_tls_begins_behind_the_header(serve, in_front, tmp_path, options):
    pem = tcp_proxies.certificate(tmp_path)
    server = serve(*ON, *TWO_AN_ADDRESS, "--tls-certificate", str(pem), "--tls-key", str(pem))
    # HAProxy passes the client's TLS on.
    proxied = Proxied(in_front(tcp_proxies.haproxy, server.port, options).port, tls=True)
    with proxied.connect(2, "alice") as alice, proxied.connect(2), proxied.connect(3, "bob") as bob:
        establish(alice, bob)
        assert proxied.refused(2).status_code == 429


def test_handshakes_are_counted_for_the_client_that_is_named(serve, tmp_path):
    pem = tcp_proxies.certificate(tmp_path)
    server = serve(*ON, "--tls-certificate", str(pem), "--tls-key", str(pem),
                   "--connection-burst", "1", "--connection-rate", "0.001")

    def shake_hands(client: str) -> bool:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            plain.sendall(naming(client))
            try:
                trusting().wrap_socket(plain).close()
            except (OSError, ssl.SSLError):
                return False
            return True

    assert [shake_hands("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert shake_hands("192.0.2.2"), "others are not concerned"
    assert server.refusals()["handshakes_too_fast"] == 1


@pytest.mark.parametrize("options", ["send-proxy check inter 100ms", "send-proxy-v2 check inter 100ms"])
def test_the_health_checks_of_haproxy_pass(serve, in_front, options):
    server = serve(*ON)
    http = "option httpchk GET /health"
    proxy = in_front(tcp_proxies.haproxy_checking, server.port, options, http)
    assert eventually(lambda: proxy.says("L7OK"), 5), proxy.status()
    with Client(f"ws://127.0.0.1:{proxy.port}/signal", "alice"):
        pass
    assert not {"proxy_header_missing", "untrusted_peer"} & set(server.refusals())


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN and other words\r\n"])
def test_a_proxy_that_names_nobody_counts_itself_and_its_clients_cannot_name_one(serve, header):
    server = serve(*ON, *TWO_AN_ADDRESS)
    assert b'{"status":"ok"}' in exchange(server.port, header, HEALTH)
    upgrade = (b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"X-Forwarded-For: 203.0.113.%d\r\n\r\n")
    open_ones = []
    for number in range(3):
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        plain.sendall(header + upgrade % number)
        open_ones.append((plain, plain.recv(4096)[9:12]))
    assert [status for _, status in open_ones] == [b"101", b"101", b"429"]
    for plain, _ in open_ones:
        plain.close()


@pytest.mark.parametrize("version", [1, 2])
def test_a_header_may_come_byte_by_byte(serve, version):
    server = serve(*ON)
    pieces = [bytes([byte]) for byte in naming("192.0.2.1", version)]
    assert b'{"status":"ok"}' in exchange(server.port, *pieces, HEALTH)


def test_a_proxy_behind_the_proxy_is_believed_about_its_own_client(serve):
    """A PROXY header that names a trusted proxy, which has written X-Forwarded-For."""
    server = serve("--proxy-protocol", "on", "--trusted-proxies", "127.0.0.1,10.0.0.0/8", *TWO_AN_ADDRESS)
    upgrade = (b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"X-Forwarded-For: 203.0.113.%d\r\n\r\n")
    open_ones = []
    for host in (1, 1, 2, 1):
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        plain.sendall(naming("10.0.0.7") + upgrade % host)
        open_ones.append((plain, plain.recv(4096)[9:12]))
    assert [status for _, status in open_ones] == [b"101", b"101", b"101", b"429"]
    for plain, _ in open_ones:
        plain.close()


WITHOUT = {
    "http": HEALTH,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01",
    "broken-1": b"PROXY TCP4 192.0.2.300 192.0.2.2 4711 443\r\n" + HEALTH,
    "broken-2": SIGNATURE + b"\x21\x11\x00\x01x" + HEALTH,
    "endless-1": b"PROXY UNKNOWN " + b"x" * 200,
    "endless-2": SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 200,
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_a_connection_of_a_proxy_without_a_header_is_refused_counted_and_logged_once(serve, kind):
    server = serve(*ON)
    for _ in range(3):
        answer = exchange(server.port, WITHOUT[kind])
        assert answer.startswith(b"HTTP/1.1 400 ") and b"A PROXY protocol header is expected here" in answer
    assert server.refusals() == {"proxy_header_missing": 3}
    assert server.log().count("sends no valid PROXY protocol header") == 1


def test_a_second_header_is_no_request(serve):
    answer = exchange(serve(*ON).port, naming("192.0.2.1"), naming("192.0.2.2"), HEALTH)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"switch it off" not in answer


def test_a_header_has_its_time(serve):
    server = serve(*ON, "--request-timeout", "300ms")
    assert exchange(server.port, b"PROXY TCP4 192.0.2.1 ") == b""
    assert server.refusals() == {"timed_out": 1}


def test_a_client_that_a_proxy_names_has_so_many_requests_under_way_and_no_more(serve):
    server = serve(*ON)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(130)]
    for plain in silent:
        plain.sendall(naming("192.0.2.1"))
    assert eventually(lambda: server.refusals() == {"requests_full": 2}, 5)
    assert b'{"status":"ok"}' in exchange(server.port, naming("192.0.2.2"), HEALTH)
    for plain in silent:
        plain.close()


def test_whoever_is_no_trusted_proxy_is_refused_and_counted(serve, machine_address):
    server = serve("--proxy-protocol", "on", "--trusted-proxies", "198.51.100.0/24", listen="0.0.0.0")
    # The reset may come while it still connects.
    with pytest.raises(ConnectionResetError), socket.create_connection((machine_address, server.port), 5) as stranger:
        stranger.sendall(naming("192.0.2.7") + HEALTH)
        while stranger.recv(4096):
            pass
    assert eventually(lambda: server.refusals() == {"untrusted_peer": 1}, 2)


def test_this_machine_may_ask_for_its_health_and_name_nobody(serve):
    server = serve("--proxy-protocol", "on", "--trusted-proxies", "192.0.2.0/24")
    assert b'{"status":"ok"}' in exchange(server.port, LOCAL, HEALTH)
    assert exchange(server.port, naming("192.0.2.7"), HEALTH) == b""
    assert server.refusals() == {"untrusted_peer": 1}


@pytest.mark.parametrize("tls", [False, True])
def test_securecall_health_works_with_the_same_settings(serve, tmp_path, tls):
    options = ["--proxy-protocol", "on", "--trusted-proxies", "192.0.2.0/24"]
    if tls:
        pem = str(tcp_proxies.certificate(tmp_path))
        options += ["--tls-certificate", pem, "--tls-key", pem]
    server = serve(*options)
    asked = subprocess.run(
        [binary(), "health", "--listen", f"127.0.0.1:{server.port}", *options],
        capture_output=True, text=True, env=clean_environment(), timeout=10,
    )
    assert (asked.returncode, asked.stdout) == (0, "ok\n"), asked.stderr
    assert server.refusals() == {}


def test_without_trusted_proxies_it_does_not_start(tmp_path):
    refusal = subprocess.run([binary(), "check-config", "--proxy-protocol", "on"], cwd=tmp_path,
                             capture_output=True, text=True, env=clean_environment())
    assert refusal.returncode == 2
    assert "proxy.protocol (flag --proxy-protocol) is set without proxy.trusted" in refusal.stderr
