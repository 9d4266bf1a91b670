"""OkHttp, the Android client's WebSocket: its pings every 8 seconds are all that keeps an idle phone reachable."""

import json
import subprocess
from pathlib import Path

import pytest

from driver import documented

SOURCE = Path(__file__).parent / "java" / "OkHttpCall.java"
JARS = "/usr/share/java/okhttp.jar:/usr/share/java/okio.jar"


def check_messages(output: str) -> None:
    """What either side said, as the client has printed it."""
    messages = [line.split(" ", 1) for line in output.splitlines() if line.startswith(("client ", "server "))]
    assert len(messages) == 14
    for sender, text in messages:
        documented.check(json.loads(text), sender, dialect=1)


@pytest.fixture(scope="module")
def okhttp_call(tmp_path_factory):
    """Compiles the client once; gives a function that runs it."""
    classes = tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-cp", JARS, "-d", classes, SOURCE], check=True, timeout=60)

    def run(url: str, idle_seconds: int) -> str:
        done = subprocess.run(
            ["java", "-cp", f"{JARS}:{classes}", "OkHttpCall", url, str(idle_seconds)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=idle_seconds + 30,
        )
        assert done.returncode == 0, done.stdout
        check_messages(done.stdout)
        return done.stdout

    return run


def test_a_phone_that_only_pings_outlives_a_short_silence_limit_and_takes_a_call(serve, okhttp_call):
    # Its own pings keep it: the server's would come after 11 seconds, its patience ends after 12.
    server = serve("--ping-after", "11s", "--silence-timeout", "12s")
    assert "one call from offer to end" in okhttp_call(server.url, 20)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_phone_stays_for_three_minutes_at_the_documented_limits(server, okhttp_call):
    assert "one call from offer to end" in okhttp_call(server.url, 180)
