"""An address that is not quite right, or a server that cannot keep a key: one true sentence, from real servers."""

import os
import subprocess

import pytest

from driver.disk import fill
from driver.server import accepts, binary, clean_environment, eventually, free_port

NO_TLS = "this port speaks no TLS, which wss:// needs: an address without TLS is ws://"
TLS_PORT = "this port speaks TLS, which ws:// is without: an address with TLS is wss://"
UNANSWERED = "the connection was closed without an answer: if this port speaks TLS, the address is wss://"
AUTHORITY = "the server shows the certificate of an authority (CA:TRUE) as its own"


def certificate(folder, constraint: str | None = None):
    """A certificate and key for this machine. `openssl req -x509` by itself makes one of an authority."""
    files = folder / "certificate.pem", folder / "key.pem"
    constraints = ["-addext", f"basicConstraints=critical,{constraint}"] if constraint else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-out", files[0], "-keyout", files[1], "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         *constraints], check=True, capture_output=True)
    return files


def tls(files) -> tuple[str, ...]:
    return "--tls-certificate", str(files[0]), "--tls-key", str(files[1])


def says(*arguments: str, code: int = 1, **environment: str) -> str:
    """What the command prints."""
    done = subprocess.run([binary(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=90, env=clean_environment(**environment))
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def alice(tmp_path) -> dict[str, str]:
    """The environment of somebody with an identity."""
    home = tmp_path / "alice"
    home.mkdir()
    says("keys", "new", "alice", code=0, HOME=str(home))
    return {"HOME": str(home)}


@pytest.fixture
def nginx(tmp_path):
    """Starts an nginx with one server block; returns its port."""
    processes = []

    def start(listen: str, *directives: str) -> int:
        port = free_port()
        block = " ".join([f"listen 127.0.0.1:{port} {listen};", *directives])
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; user root; pid {tmp_path}/nginx.pid; error_log {tmp_path}/nginx.log; events {{}}\n"
            f"http {{ access_log off; server {{ {block} }} }}\n")
        processes.append(subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", tmp_path / "nginx.log"],
                                          stderr=subprocess.DEVNULL))
        assert eventually(lambda: accepts(port), seconds=10)
        return port

    yield start
    for process in processes:
        process.terminate()
        process.wait()


def test_tls_on_a_port_without_it(server, alice):
    url = server.url.replace("ws:", "wss:")
    assert NO_TLS in says("probe", url)
    assert says("call", "bob", "--server", url, **alice).endswith(f"error: the server: {NO_TLS}\n")


def test_no_tls_on_a_port_with_it(serve, alice, tmp_path):
    url = serve(*tls(certificate(tmp_path, "CA:FALSE"))).url
    assert TLS_PORT in says("probe", url)
    assert says("call", "bob", "--server", url, **alice).endswith(f"error: the server: {TLS_PORT}\n")
    assert TLS_PORT in says("directory", "lookup", "bob", "--server", url, **alice)


def test_no_tls_on_a_port_of_nginx_with_it(nginx, tmp_path):
    files = certificate(tmp_path, "CA:FALSE")
    port = nginx("ssl", f"ssl_certificate {files[0]};", f"ssl_certificate_key {files[1]};")
    assert TLS_PORT in says("probe", f"ws://127.0.0.1:{port}/signal")


def test_a_port_with_tls_that_closes_without_a_word(tmp_path):
    files = certificate(tmp_path, "CA:FALSE")
    (tmp_path / "all.pem").write_text(files[0].read_text() + files[1].read_text())
    ports = free_port(), free_port()
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
        f"frontend tls\n  bind 127.0.0.1:{ports[0]} ssl crt {tmp_path}/all.pem\n")
    (tmp_path / "stunnel.conf").write_text(
        f"foreground = yes\npid =\n[tls]\naccept = 127.0.0.1:{ports[1]}\nconnect = 127.0.0.1:9\n"
        f"cert = {files[0]}\nkey = {files[1]}\n")
    commands = ["haproxy", "-f", tmp_path / "haproxy.cfg"], ["stunnel", tmp_path / "stunnel.conf"]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    try:
        for port in ports:
            assert eventually(lambda: accepts(port), seconds=10)
            assert UNANSWERED in says("probe", f"ws://127.0.0.1:{port}/signal")
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def test_the_certificate_of_an_authority_in_place_of_the_servers(serve, tmp_path):
    files = certificate(tmp_path)
    url = serve(*tls(files)).url.replace("ws:", "wss:")
    said = says("probe", url, SSL_CERT_FILE=str(files[0]))
    assert AUTHORITY in said and "does not trust" not in said


def test_health_says_what_probe_says(serve, server, tmp_path):
    files = certificate(tmp_path)
    port = serve(*tls(files)).port
    for url in f"https://127.0.0.1:{port}/health", f"wss://127.0.0.1:{port}/signal":
        said = says("health", url, SSL_CERT_FILE=str(files[0]))
        assert said.startswith(f"error: {url}: {AUTHORITY}"), said
    assert says("health", f"http://127.0.0.1:{port}") == f"error: http://127.0.0.1:{port}: {TLS_PORT}\n"
    url = server.url.replace("ws:", "https:")
    assert says("health", url) == f"error: {url}: {NO_TLS}\n"
    url = f"http://127.0.0.1:{free_port()}/health"
    assert says("health", url) == f"error: {url}: Connection refused (os error 111); is it running, and on that port?\n"


def test_health_finds_the_tls_that_flags_have_set(serve, tmp_path):
    port = serve(*tls(certificate(tmp_path, "CA:FALSE"))).port
    assert says("health", "--listen", f"127.0.0.1:{port}", code=0) == "ok\n"


def test_health_takes_no_address_of_another_kind():
    assert 'error: URL: "ftp://x": not a ws://' in says("health", "ftp://x", code=2)


def test_a_certificate_that_nobody_has_signed_is_refused_in_words(serve, tmp_path):
    url = serve(*tls(certificate(tmp_path, "CA:FALSE"))).url.replace("ws:", "wss:")
    for command in "probe", "health":
        said = says(command, url)
        assert "this machine does not trust the certificate: no authority that this machine trusts has signed it" in said
        assert "{" not in said and "UnknownIssuer" not in said


def test_a_file_of_authorities_that_is_of_no_use_is_named(serve, tmp_path):
    url = "wss://127.0.0.1:9/signal"
    (tmp_path / "empty.pem").write_text("")
    for name, why in ("none.pem", "cannot be read"), ("empty.pem", "has no certificate"):
        file = str(tmp_path / name)
        for command in "probe", "health":
            said = says(command, url, SSL_CERT_FILE=file, SSL_CERT_DIR="/etc/ssl/certs")
            assert f"SSL_CERT_FILE {file}: {why}" in said
    said = says("health", url, SSL_CERT_DIR=str(tmp_path / "nowhere"))
    assert "this machine has no certificate authorities" in said


def test_an_address_without_its_path(server, alice):
    url = server.url.removesuffix("/signal")
    sentence = "the server answered with HTTP status 200: the address ends in /signal, unless a proxy renames it"
    assert sentence in says("probe", url)
    assert says("call", "bob", "--server", url, **alice).endswith(f"error: the server: {sentence}\n")


def test_the_certificate_of_an_authority_is_worth_a_warning(serve, tmp_path):
    files = certificate(tmp_path)
    said = says("check-config", *tls(files), code=0)
    assert f"warning: tls.certificate {files[0]} is the certificate of an authority (CA:TRUE)" in said


def test_a_redirect_names_the_address_to_give(nginx):
    port = nginx("", "return 301 https://example.org$request_uri;")
    said = says("probe", f"ws://127.0.0.1:{port}/signal")
    assert "the server redirects to wss://example.org/signal, and redirects are not followed: give that address" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_disk_that_is_full_at_the_server(serve, small_disk, alice):
    server = serve(data_dir=small_disk / "state")
    fill(small_disk)
    said = says("listen", "--accept-known", "--server", server.url, "--connect-timeout", "5s", **alice)
    sentence = "the server cannot store a key now: its disk or its directory is full"
    assert f"\n{sentence}; trying again\n" in said
    assert said.endswith(f"error: the server: {server.url}: {sentence}\n")
    assert "all 17 steps succeeded, 1 skipped" in says("probe", server.url, code=0)


def test_a_probe_leaves_no_key_behind(serve):
    server = serve()
    assert says("probe", server.url, code=0).endswith("\nall 17 steps succeeded, 1 skipped\n")
    assert says("directory", "export", "--data-dir", str(server.data_dir), code=0) == "0 records exported\n"
