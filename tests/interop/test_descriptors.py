"""The listener for operators beside silent connections, and a process without file descriptors."""

import os
import re
import resource
import socket
import time

from driver.client import Client
from driver.server import eventually


def test_silent_connections_do_not_hold_metrics_up(server):
    silent = [socket.create_connection(("127.0.0.1", server.admin_port)) for _ in range(15)]
    began = time.monotonic()
    assert server.metrics()["securecall_connections"] == 0
    assert time.monotonic() - began < 0.5
    for plain in silent:
        plain.close()


def test_many_silent_connections_hold_metrics_up_for_seconds_at_most(server):
    """16 are served at a time; the oldest makes room when it has had a second."""
    silent = [socket.create_connection(("127.0.0.1", server.admin_port)) for _ in range(40)]
    began = time.monotonic()
    assert server.metrics()["securecall_connections"] == 0
    assert time.monotonic() - began < 4
    for plain in silent:
        plain.close()


def open_descriptors(pid: int) -> int:
    return max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1


def test_without_descriptors_the_log_has_a_line_and_not_ten_a_second(server):
    pid = server.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_descriptors(pid), limits[1]))
    waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    time.sleep(2)
    lines = re.findall(r"cannot accept connections.*Too many open files", server.log())
    assert len(lines) == 1, server.log()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    for plain in waiting:
        plain.close()
    assert eventually(lambda: server.http("/health")[0].status == 200, 3)
    with Client(server.url, "alice"):
        assert server.metrics()["securecall_connections"] == 1
