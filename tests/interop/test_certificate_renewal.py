"""A renewed certificate that was of no use at first."""

import os
import signal
import ssl
from pathlib import Path

from driver.server import Server, eventually
from driver.tcp_proxies import certificate

# Root reads what nobody may, unless it cannot have that capability.
AS_OTHERS_ARE = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def shown(server: Server) -> str:
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=5)


def renew(pem: Path, folder: Path, mode: int) -> str:
    """Puts another certificate in the place of this one. Gives the new one."""
    folder.mkdir()
    renewed = certificate(folder)
    renewed.chmod(mode)
    own = (folder / "cert").read_text()
    os.rename(renewed, pem)
    return own


def test_one_that_could_not_be_read_is_shown_when_it_can(serve, tmp_path):
    pem = certificate(tmp_path)
    server = serve("--tls-certificate", str(pem), "--tls-key", str(pem), under=AS_OTHERS_ARE)
    first = shown(server)
    renewed = renew(pem, tmp_path / "renewed", mode=0o000)
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: "Permission denied" in server.log(), 3)
    assert "the certificate was not changed, valid until 20" in server.log()
    assert shown(server) == first
    pem.chmod(0o600)
    assert eventually(lambda: shown(server) == renewed, 10)
    assert server.log().count("the certificate was not changed") == 1


def test_one_that_is_there_at_once_needs_no_signal(serve, tmp_path):
    pem = certificate(tmp_path)
    server = serve("--tls-certificate", str(pem), "--tls-key", str(pem))
    shown(server)
    renewed = renew(pem, tmp_path / "renewed", mode=0o600)
    assert eventually(lambda: shown(server) == renewed, 35, every=0.5)
