"""The load test of its page: a server with raised limits, a run, its report."""

import re

from blocks import block, takes
from driver.server import Server, free_port

PAGE = "docs/load.md"


@takes(PAGE, "serve", "load", "report")
def test_a_first_load_test(home, tmp_path):
    # The page's own flags, but for its port.
    words = block(PAGE, "serve").text.replace("\\\n", " ").split()
    assert words[:4] == ["securecall", "serve", "--listen", "127.0.0.1:8080"]
    server = Server(tmp_path, *words[4:], port=free_port())
    try:
        home.server = server
        command = home.localized(block(PAGE, "load").text).rstrip()
        assert f"--server-pid {server.process.pid}" in command
        said = home.succeeds(f"{command} --url {server.url} --duration 1s", merged=True)
    finally:
        server.stop()
    assert (home.folder / "report.html").exists()
    for line in block(PAGE, "report").text.splitlines():
        label = re.match(r"(\w[\w+ ]*?)(?:\s{2,}|:|$)", line)
        assert not label or label[1] in said, f"{label[1]} is missing in\n{said}"
