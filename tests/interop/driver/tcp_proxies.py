"""Proxies that pass TCP on without looking into it: Debian's haproxy, stunnel and hitch."""

import csv
import io
import os
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from driver.server import accepts, eventually, free_port

HAPROXY = """
global
  stats timeout 10s
  stats socket {folder}/stats
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  {backend}
  server securecall 127.0.0.1:{upstream} {options}
"""

STUNNEL = """
foreground = yes
pid =
{protocol}
[securecall]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{upstream}
cert = {certificate}
"""


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that is signed by itself, with its key, in one file."""
    path = folder / "proxy.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", folder / "cert"],
        check=True, capture_output=True,
    )
    path.write_text(path.read_text() + (folder / "cert").read_text())
    return path


def trusting() -> ssl.SSLContext:
    """A client's TLS that takes any certificate: these tests are about addresses."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TcpProxy:
    """A proxy process in front of the server on port `upstream`."""

    def __init__(self, folder: Path, command: list[str | Path], port: int):
        self.folder = folder
        self.port = port
        with (folder / "proxy.log").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        if not eventually(lambda: accepts(port), seconds=10):
            self.stop()
            raise TimeoutError((folder / "proxy.log").read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class CheckingHaproxy(TcpProxy):
    """An HAProxy that asks the server by itself whether it is well."""

    def status(self) -> str:
        """What the last check of the server gave."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self.folder / "stats"))
            stats.sendall(b"show stat\n")
            table = b""
            while more := stats.recv(65536):
                table += more
        rows = csv.DictReader(io.StringIO(table.decode()))
        return next(row["check_status"] for row in rows if row["svname"] == "securecall")

    def says(self, status: str) -> bool:
        return self.status() == status


def haproxy(folder: Path, upstream: int, options: str = "", backend: str = "", kind: type = TcpProxy) -> TcpProxy:
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(port=port, upstream=upstream, options=options, backend=backend, folder=folder))
    return kind(folder, ["haproxy", "-db", "-f", configuration], port)


def haproxy_checking(folder: Path, upstream: int, options: str, backend: str) -> CheckingHaproxy:
    return haproxy(folder, upstream, options, backend, CheckingHaproxy)


def stunnel(folder: Path, upstream: int, options: str = "") -> TcpProxy:
    port = free_port()
    configuration = folder / "stunnel.conf"
    pem = certificate(folder)
    configuration.write_text(STUNNEL.format(port=port, upstream=upstream, protocol=options, certificate=pem))
    return TcpProxy(folder, ["stunnel", configuration], port)


def hitch(folder: Path, upstream: int, options: str = "") -> TcpProxy:
    port = free_port()
    command = ["hitch", "--quiet", f"--frontend=[127.0.0.1]:{port}", f"--backend=[127.0.0.1]:{upstream}",
               "--workers=1", *options.split()]
    if os.geteuid() == 0:
        command += ["--user=nobody"]
    return TcpProxy(folder, [*command, certificate(folder)], port)


@pytest.fixture
def in_front(tmp_path):
    """Starts proxies in front of servers."""
    proxies = []

    def start(proxy, upstream: int, *options: str):
        folder = tmp_path / f"proxy-{len(proxies)}"
        folder.mkdir()
        proxies.append(proxy(folder, upstream, *options))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.stop()


# Proxies that send a PROXY header: by which function they start, and with which option.
PROXY_HEADER_SENDERS = {
    "haproxy-1": (haproxy, "send-proxy"),
    "haproxy-2": (haproxy, "send-proxy-v2"),
    "stunnel-1": (stunnel, "protocol = proxy"),
    "hitch-1": (hitch, "--write-proxy-v1"),
    "hitch-2": (hitch, "--write-proxy-v2"),
}
