"""One address floods at the default limits: others hardly notice, memory has a ceiling, and what was taken is given back.

The floods are prepared while the server is stopped: each of 250 connections has a backlog in the kernel, and sends nothing
more. What is measured then is the server alone, not how fast this program can send.
"""

import json
import re
import socket

import pytest

from crowd import (
    Contention,
    Honest,
    Watch,
    connect,
    fill,
    register,
    resident_bytes,
    self_signed,
    slowness_of_build,
    stopped,
)
from driver.frames import CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from driver.server import Server, eventually

# The limit of an address is 256; its rate lets as many connect at once.
FLOODING = 250
BACKLOG_BYTES_MAX = 256 * 1024

# What others may notice, where the server has the processors for itself.
LATENCY_MS_MAX = 20

# What else runs on the machine can spoil a measurement of 2 s, with a new server each time, but hardly three in a row. A
# server that lets a backlog hold others up fails all of them: it misses the limit by tens of times.
measured_again = pytest.mark.flaky(reruns=2, only_rerun="others are held up")


def tiny(opcode: int, payload: bytes = b"", fin: bool = True) -> bytes:
    return frame(opcode, payload, fin)


FLOODS = {
    "pings": (b"", tiny(PING)),
    "pongs": (b"", tiny(PONG)),
    "empty texts": (b"", tiny(TEXT)),
    "texts that are no JSON": (b"", tiny(TEXT, b"{")),
    "JSON that is no message": (b"", tiny(TEXT, b"{}")),
    "empty fragments": (tiny(TEXT, fin=False), tiny(CONTINUATION, fin=False)),
    "fragments with pings between": (tiny(TEXT, fin=False), tiny(CONTINUATION, fin=False) + tiny(PING)),
    "heartbeats over the rate": (b"", tiny(TEXT, b'{"type":"HEARTBEAT","payload":{}}')),
    "long texts that are no message": (b"", tiny(TEXT, b'{"x":[' + b"1," * 30_000 + b"1]}")),
    "frames behind a broken rule": (tiny(TEXT, b"\xff"), tiny(PONG)),
}


# A turn handles one whole text at least. Of 250 that come at once each costs up to 0.4 ms, and somebody waits for all.
LONG_TEXTS_MS_MAX = 100


@measured_again
@pytest.mark.parametrize("flood", FLOODS)
def test_a_backlog_of_frames_does_not_hold_others_up(server, flood):
    latency_ms_max = LONG_TEXTS_MS_MAX if "long texts" in flood else LATENCY_MS_MAX
    hold_others_up(server, *FLOODS[flood], latency_ms_max=latency_ms_max)


# In one record, and in all. Small ones take this program long, and the server stands still meanwhile.
TLS_RECORDS = {"a record for each ping": (6, 12 * 1024), "records full of pings": (16_384, BACKLOG_BYTES_MAX)}


@measured_again
@pytest.mark.parametrize("records", TLS_RECORDS)
def test_nor_does_a_backlog_of_tls_records(serve, tmp_path, records):
    at_once, bytes_max = TLS_RECORDS[records]
    flags, tls = self_signed(tmp_path)
    hold_others_up(serve(*flags), *FLOODS["pings"], bytes_max=bytes_max, tls=tls, at_once=at_once)


def hold_others_up(
    server: Server,
    first: bytes,
    repeated: bytes,
    bytes_max: int = BACKLOG_BYTES_MAX,
    tls=None,
    at_once: int = 65536,
    latency_ms_max: int = LATENCY_MS_MAX,
) -> None:
    honest = Honest(server, tls=tls)
    flooding = [connect(server, tls=tls) for _ in range(FLOODING)]
    baseline = honest.measure(seconds=1)
    with stopped(server):
        backlogs = [fill(connection, first, repeated, bytes_max, at_once) for connection in flooding]
    with Contention(server) as contention:
        beside = honest.measure(seconds=2)
    allowed = latency_ms_max * contention.factor * slowness_of_build() + 4 * baseline.p99
    print(f"a backlog of {sum(backlogs) / 1e6:.0f} MB; before: {baseline}; beside it: {beside}; "
          f"every second of work took it {contention.factor:.1f} s; {allowed:.0f} ms allowed")
    assert beside.p99 < allowed, "others are held up"
    for connection in flooding:
        connection.close()
    connections = len(honest.connections)
    assert eventually(lambda: server.metrics()["securecall_connections"] == connections, 10), "a connection is leaked"


# What may stay of all floods together: pages that the allocator keeps for the next one.
KEPT_BYTES_MAX = 10_000_000


def hold_unfinished_messages(server, flooding: list[socket.socket]) -> None:
    """As long a message as may be, all but its last byte, in the long way: a fragment."""
    unfinished = frame(TEXT, b"x" * 65_535, fin=False)
    for connection in flooding:
        connection.sendall(unfinished)


def read_nothing(server, flooding: list[socket.socket]) -> None:
    """Each is in a call whose other end sends it more than the kernel and the server together hold."""
    for number, deaf in enumerate(flooding):
        with connect(server, "127.0.1.9") as talker:
            register(talker, f"talker-{number}")
            call_id = establish(talker, deaf, f"flooding-{number}")
            candidate = message("ICE_CANDIDATE", callId=call_id, candidate="x" * 60_000)
            for _ in range(90):
                talker.sendall(candidate)


def establish(caller: socket.socket, callee: socket.socket, callee_id: str) -> str:
    caller.sendall(message("CALL_INITIATE", targetId=callee_id, sdpOffer="offer"))
    call_id = CALL_ID.search(callee.recv(65536))[1].decode()
    callee.sendall(message("CALL_ACCEPT", callId=call_id, sdpAnswer="answer"))
    assert b'"CALL_ACCEPTED"' in caller.recv(65536)
    return call_id


def message(kind: str, **payload) -> bytes:
    return frame(TEXT, json.dumps({"type": kind, "payload": payload}).encode())


def hold_offers(server, flooding: list[socket.socket]) -> None:
    """Everybody rings the next one with an offer of 60 KB, as often as the rate lets through."""
    for number, connection in enumerate(flooding):
        callee = (number + 1) % len(flooding)
        offer = message("CALL_INITIATE", targetId=f"flooding-{callee}", sdpOffer="x" * 60_000)
        for _ in range(3):
            connection.sendall(offer)


def fill_replay_buffers(server, flooding: list[socket.socket]) -> None:
    """Clients of dialect 2 that acknowledge nothing: what they were sent is kept, to be sent again."""
    lookup = frame(TEXT, b'{"type":"TURN_CREDENTIALS","payload":{},"id":"' + b"x" * 60 + b'"}')
    for connection in flooding:
        connection.sendall(lookup * 3_000)


# What one connection may hold at its worst (docs/operations.md, "Size"), its dialect, and the address that it comes from.
HOLDS = [
    (read_nothing, 1, "127.0.1.1", 40, 400_000),
    (hold_unfinished_messages, 1, "127.0.1.2", FLOODING, 90_000),
    (hold_offers, 1, "127.0.1.3", FLOODING, 300_000),
    # 330,000, and pages that the flood before it has left.
    (fill_replay_buffers, 2, "127.0.1.4", FLOODING, 450_000),
]
CALL_ID = re.compile(rb'"callId":"([^"]+)"')
GONE_FOR_GOOD = frame(CLOSE, (1000).to_bytes(2, "big"))


def test_memory_has_a_ceiling_and_is_given_back(server):
    honest = Honest(server)
    before = resident_bytes(server)
    for attack, dialect, address, count, bytes_max in HOLDS:
        # Beside what was there before all of them: pages of the last one are taken again.
        held = most_that_is_held(server, honest, attack, dialect, address, count) - before
        print(f"{attack.__name__}: {held / count:.0f} B a connection at most")
        assert held < count * bytes_max, f"{attack.__name__}: more is held than the documents say"
    eventually(lambda: resident_bytes(server) < before + KEPT_BYTES_MAX, 60, every=0.5)
    kept = resident_bytes(server) - before
    print(f"{kept / 1e6:.1f} MB kept")
    assert kept < KEPT_BYTES_MAX, "memory is not given back"


def most_that_is_held(server: Server, honest: Honest, attack, dialect: int, address: str, count: int) -> int:
    flooding = [connect(server, address, receive_buffer=4096) for _ in range(count)]
    for number, connection in enumerate(flooding):
        register(connection, f"flooding-{number}", protocol=dialect)
    with Watch(server) as watch:
        attack(server, flooding)
        honest.measure(seconds=2)
    for connection in flooding:
        fill(connection, GONE_FOR_GOOD, b"", 0)
        connection.close()
    connections = len(honest.connections)
    assert eventually(lambda: server.metrics()["securecall_connections"] == connections, 10), "a connection is leaked"
    return watch.most
