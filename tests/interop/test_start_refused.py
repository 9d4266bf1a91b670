"""A server that cannot keep its promises does not start, says why, and leaves what it found as it was."""

import re

import pytest

from driver.client import Client
from driver.server import StartRefused


def refusal(serve_again) -> str:
    """What the process said before it ended with a failure."""
    with pytest.raises(StartRefused) as refused:
        serve_again()
    text = str(refused.value)
    code = int(re.search(r"exit code (-?\d+)", text)[1])
    assert 0 < code < 100, f"not an orderly refusal: {text}"
    assert "panicked" not in text
    return text


@pytest.fixture
def stopped(serve):
    """A server that kept one key and was stopped."""
    server = serve()
    with Client(server.url, "alice") as alice:
        alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
        alice.expect("PKD_RESULT")
    server.crash()
    return server


def test_everybody_trusted_with_a_header_that_clients_write_to(serve):
    text = refusal(lambda: serve("--trusted-proxies", "0.0.0.0/0"))
    assert "0.0.0.0/0" in text and "x-forwarded-for" in text


def largest_file(folder):
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def test_a_data_folder_below_a_regular_file(serve, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    below = tmp_path / "file" / "state"
    assert str(below) in refusal(lambda: serve(data_dir=below))


def test_a_directory_file_full_of_rubbish_stays_as_it_is(stopped):
    path = largest_file(stopped.data_dir)
    rubbish = b"\xa5" * path.stat().st_size
    path.write_bytes(rubbish)
    assert path.name in refusal(stopped.restart)
    assert path.read_bytes() == rubbish


def test_a_directory_file_cut_short(stopped):
    path = largest_file(stopped.data_dir)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    assert path.name in refusal(stopped.restart)
    assert path.read_bytes() == half


def test_turn_urls_without_a_secret(serve):
    assert "turn" in refusal(lambda: serve("--turn-urls", "turn:127.0.0.1:3478")).lower()


def test_a_turn_secret_without_urls(serve):
    assert "turn" in refusal(lambda: serve(environment={"SECURECALL_TURN_SECRET": "secret"})).lower()


def test_a_turn_secret_file_that_is_not_there(serve, tmp_path):
    missing = str(tmp_path / "missing")
    assert missing in refusal(lambda: serve("--turn-urls", "turn:127.0.0.1:3478", "--turn-secret-file", missing))


def test_a_port_that_is_taken(serve):
    taken = serve()
    assert str(taken.port) in refusal(lambda: serve(port=taken.port))


@pytest.mark.parametrize("option, value", [
    ("--register-timeout", "soon"), ("--calls-rate", "20"), ("--connections-max", "-1"),
    ("--trusted-proxies", "everybody"), ("--listen-to", "127.0.0.1:1"), ("--workers", "0"),
])
def test_a_setting_that_means_nothing(serve, option, value):
    refusal(lambda: serve(option, value))
