"""The ten lines of the README, in Node and in the console of Chromium, print what stands below them, and end."""

import json
import re
import subprocess

from blocks import block, takes
from driver import node
from transcripts import line_pattern


def assert_printed(lines: list[str]) -> None:
    expected = block("README.md", "ten lines print").text.splitlines()
    assert len(lines) == len(expected), lines
    for line, written in zip(lines, expected):
        assert re.fullmatch(line_pattern(written), line), f"{line}\ninstead of\n{written}"


@takes("README.md", "ten lines", "ten lines print")
def test_in_node_they_end_by_themselves(home, tmp_path):
    before = "" if has_websocket() else f'import WebSocket from "{node.FOLDER}/node_modules/ws/wrapper.mjs";\n'
    (tmp_path / "call.mjs").write_text(before + home.localized(block("README.md", "ten lines").text))
    done = subprocess.run(["node", "call.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert_printed(done.stdout.splitlines())


def has_websocket() -> bool:
    asked = subprocess.run(["node", "-p", "typeof WebSocket"], capture_output=True, text=True, check=True)
    return asked.stdout == "function\n"


def test_in_the_console_of_chromium(home):
    lines = node.run("console.mjs", f"http://127.0.0.1:{home.server.port}", home.localized(block("README.md", "ten lines").text))
    assert_printed(json.loads(lines))
