"""Behind proxies that pass TCP on: who is believed, and what their PROXY protocol header leads to."""

import socket
import ssl

import pytest

from driver import tcp_proxies
from driver.client import Client, refused
from driver.server import eventually
from driver.tcp_proxies import in_front, trusting  # noqa: F401

TRUSTED = ("--trusted-proxies", "127.0.0.1")
TWO_AN_ADDRESS = ("--connections-per-address-max", "2")


def ask(port: int, tls: bool) -> bytes:
    """The answer to a request for /health."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        stream = trusting().wrap_socket(plain) if tls else plain
        stream.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        try:
            while piece := stream.recv(4096):
                answer += piece
        except ssl.SSLError:
            pass
        return answer


@pytest.mark.parametrize("kind", tcp_proxies.PROXY_HEADER_SENDERS)
def test_a_proxy_protocol_header_is_named_counted_and_logged_once(serve, in_front, kind):
    server = serve()
    proxy, options = tcp_proxies.PROXY_HEADER_SENDERS[kind]
    port = in_front(proxy, server.port, options).port
    answers = {ask(port, tls=proxy is not tcp_proxies.haproxy) for _ in range(3)}
    # The answer comes before hitch has passed the request on, and one in a hundred times it loses it then.
    answers -= {b""} if proxy is tcp_proxies.hitch else set()
    (answer,) = answers
    assert answer.startswith(b"HTTP/1.1 400 ") and b"PROXY protocol is not read here" in answer
    # HAProxy has passed on as well whoever looked whether it listens.
    assert eventually(lambda: server.refusals()["proxy_header"] in (3, 4), 2)
    assert server.log().count("a proxy sends the PROXY protocol") == 1


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_a_proxy_protocol_header_before_tls_is_named_as_well(serve, in_front, tmp_path, options):
    pem = tcp_proxies.certificate(tmp_path)
    server = serve("--tls-certificate", str(pem), "--tls-key", str(pem))
    # In clear: TLS has not begun when it is refused.
    answer = ask(in_front(tcp_proxies.haproxy, server.port, options).port, tls=False)
    assert b"PROXY protocol is not read here" in answer
    assert eventually(lambda: server.refusals().get("proxy_header") in (1, 2), 2)
    assert "not_tls" not in server.refusals()


@pytest.mark.parametrize("proxy", [tcp_proxies.stunnel, tcp_proxies.hitch, tcp_proxies.haproxy])
def test_what_the_documents_say_of_a_trusted_proxy_that_only_passes_tcp_on_is_so(serve, in_front, proxy):
    """Its clients choose their address. That is why it must not be trusted, and why the log says so."""
    server = serve(*TRUSTED, *TWO_AN_ADDRESS)
    port = in_front(proxy, server.port).port
    tls = proxy is not tcp_proxies.haproxy
    url, options = (f"wss://127.0.0.1:{port}/signal", {"ssl": trusting()}) if tls else (f"ws://127.0.0.1:{port}/signal", {})
    claims = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(3)]
    clients = [Client(url, additional_headers=claim, **options) for claim in claims]
    for client in clients:
        client.close()
    assert "each proxy there has to set that header itself" in server.log()

    untrusting = serve(*TWO_AN_ADDRESS)
    port = in_front(proxy, untrusting.port).port
    url = url.rsplit(":", 1)[0] + f":{port}/signal"
    with Client(url, additional_headers=claims[0], **options), Client(url, additional_headers=claims[1], **options):
        assert refused(url, additional_headers=claims[2], **options).status_code == 429
    assert "has to set that header" not in untrusting.log()


def test_a_trusted_proxy_that_never_writes_the_header_is_warned_about_once(serve):
    server = serve(*TRUSTED)
    said = lambda: server.log().count("came from trusted proxies without x-forwarded-for")
    for _ in range(63):
        Client(server.url).close()
    assert said() == 0
    for _ in range(65):
        Client(server.url).close()
    assert said() == 1


def test_a_proxy_that_writes_the_header_is_not_warned_about(serve):
    server = serve(*TRUSTED)
    for number in range(130):
        claim = {"X-Forwarded-For": "192.0.2.1"} if number % 60 == 0 else {}
        Client(server.url, additional_headers=claim).close()
    assert "without x-forwarded-for" not in server.log()
