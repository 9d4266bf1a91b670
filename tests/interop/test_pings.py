"""Silence: the server is never silent for longer than it says, and a client that answers late is not given up."""

import time

from driver.frames import PING, PONG, RawSocket, frame

PING_AFTER = 0.6
SILENCE = ("--ping-after", "600ms", "--silence-timeout", "1500ms")
# What a machine that does other things adds.
SLACK = 0.25


def gaps(raw: RawSocket, seconds: float, answer) -> list[float]:
    """The silences of the server, in seconds. `answer` is called for each ping."""
    times = [time.monotonic()]
    while times[-1] - times[0] < seconds:
        opcode, payload = raw.receive_frame()
        times.append(time.monotonic())
        assert opcode == PING, "the server closed"
        answer(payload)
    return [after - before for before, after in zip(times, times[1:])]


def test_an_idle_client_hears_from_the_server_in_time(serve):
    raw = RawSocket(serve(*SILENCE).port)
    raw.register("alice")
    silences = gaps(raw, 4, lambda payload: raw.send_frame(PONG, payload))
    assert max(silences) < PING_AFTER + SLACK


def test_a_client_whose_pong_leaves_with_the_next_frame_that_comes_stays(serve):
    # As libcurl does.
    raw = RawSocket(serve(*SILENCE).port)
    raw.register("alice")
    held: list[bytes] = []

    def answer(payload: bytes) -> None:
        if held:
            raw.send_frame(PONG, held.pop())
        held.append(payload)

    assert max(gaps(raw, 5, answer)) < PING_AFTER + SLACK


def test_a_client_that_talks_without_being_answered_hears_from_the_server_in_time(serve):
    raw = RawSocket(serve(*SILENCE).port)
    raw.register("alice")
    raw.socket.settimeout(0.1)
    last, began = time.monotonic(), time.monotonic()
    while time.monotonic() - began < 3:
        raw.socket.sendall(frame(PONG, b""))
        try:
            assert raw.receive_frame()[0] == PING
        except TimeoutError:
            continue
        assert time.monotonic() - last < PING_AFTER + 0.1 + SLACK
        last = time.monotonic()
    assert time.monotonic() - last < PING_AFTER + 0.1 + SLACK
