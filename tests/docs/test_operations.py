"""Blocks of docs/operations.md that need more than a new user's home."""

import shutil
import subprocess

from blocks import block, takes
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


@takes(PAGE, "Caddyfile")
def test_caddy_takes_the_file(tmp_path):
    (tmp_path / "Caddyfile").write_text(block(PAGE, "Caddyfile").text)
    checked = subprocess.run(
        ["caddy", "validate", "--config", "Caddyfile", "--adapter", "caddyfile"], cwd=tmp_path, capture_output=True, text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/sbin"})
    assert checked.returncode == 0, checked.stderr


@takes(PAGE, "unit")
def test_systemd_takes_the_unit(tmp_path, home):
    """The program is installed where the unit says only in a test of packages."""
    text = block(PAGE, "unit").text.replace("/usr/local/bin/securecall", shutil.which("true"))
    (tmp_path / "securecall.service").write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "securecall.service"], capture_output=True, text=True)
    assert checked.returncode == 0 and "securecall.service" not in checked.stderr, checked.stderr
