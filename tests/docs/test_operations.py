"""Blocks of docs/operations.md that need more than a new user's home."""

import re
import tempfile
from pathlib import Path

from blocks import block, takes
from driver.server import Server
from terminal import Terminal
from transcripts import commands, pattern

PAGE = "docs/operations.md"


@takes(PAGE, "reset", "look at the new key")
def test_a_lost_device(home, tmp_path):
    """Alice's first key is forgotten by the operator, and her second one is taken."""
    keys = []
    for device in ("phone", "new phone"):
        identity = f"--identity '{tmp_path}/{device}/identity.json'"
        home.succeeds(f"securecall keys new alice {identity}")
        keys.append(home.succeeds(f"securecall keys show {identity} | sed -n 's/^fingerprint *//p'").strip())
        with Terminal(home) as alice:
            alice.types(f"securecall listen {identity}\n")
            alice.shows("waiting for calls")
        if device == "phone":
            [(command, printed)] = commands(block(PAGE, "reset").text)
            assert pattern(printed).fullmatch(home.succeeds(command))
    [(command, _)] = commands(block(PAGE, "look at the new key").text)
    assert keys[1] in home.succeeds(command) and keys[0] != keys[1]


@takes(PAGE, "refusals")
def test_a_refused_start_says_what_to_do(home):
    beside = f"--data-dir {home.server.data_dir} --listen 127.0.0.1:1"
    commands_that_fail = ["securecall --turn-urls turn:turn.example.org", "SECURECALL_GRAC=1s securecall", f"securecall {beside}"]
    for line, command in zip(block(PAGE, "refusals").text.splitlines(), commands_that_fail, strict=True):
        refused = home.run(command)
        expected = line.replace("folder securecall-data", f"folder {home.server.data_dir}")
        assert refused.returncode != 0 and refused.stderr == f"{expected}\n"


@takes(PAGE, "data folder")
def test_the_data_folder_holds_what_the_page_shows(tmp_path):
    """In a folder with a short path, as the control socket wants it."""
    root, *entries = block(PAGE, "data folder").text.splitlines()
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short) / "securecall-data"
        server = Server(tmp_path, data_dir=folder)
        shown = dict(re.fullmatch(r"[├└]── (\S+) +(.*)", entry).groups() for entry in entries)
        try:
            assert {path.name for path in folder.iterdir()} == shown.keys()
            assert mode(folder) == root.split()[1]
            for name, what in shown.items():
                assert not what.startswith("0") or mode(folder / name) == what[:4], name
        finally:
            server.stop()


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:04o}"


@takes(PAGE, "why refused")
def test_a_refusal_is_seen_with_its_reason(home):
    home.server.http("/nowhere")
    assert 'reason="' in home.succeeds(block(PAGE, "why refused").text)


@takes(PAGE, "restore")
def test_a_backup_is_restored_into_an_empty_folder(home, tmp_path):
    home.succeeds("securecall keys new alice")
    with Terminal(home) as alice:
        alice.types("securecall listen\n")
        alice.shows("waiting for calls")
    home.succeeds("securecall directory export keys.jsonl --data-dir /var/lib/securecall")
    home.succeeds(block(PAGE, "restore").text.replace("/var/lib/securecall", f"{tmp_path}/new"))
    home.succeeds(f"securecall directory export again.jsonl --data-dir {tmp_path}/new && cmp keys.jsonl again.jsonl")
