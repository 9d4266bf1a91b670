"""A crowd for our server: clients that are registered while others are measured.

A process may hold 20,000 descriptors, so most of the crowd is away. It comes in waves, in pairs
that ring each other and are cut off: such a session stays, with its call and its timer, for as long
as the server's `--grace`. What is left of the descriptors is present and idle.

    python3 -m comparison.crowd PORT PRESENT AWAY

prints `ready` when all are there, and holds those that are present until it is ended.
"""

import json
import signal
import socket
import struct
import sys

WAVE = 100
"""Connections that are opened at once; an address may have 128 requests under way."""

HANDSHAKE = (
    b"GET /signal HTTP/1.1\r\nHost: crowd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def frame(message: dict) -> bytes:
    """A text frame of under 64 KiB, masked with zeros."""
    payload = json.dumps(message, separators=(",", ":")).encode()
    length = len(payload)
    header = bytes([0x81, 0x80 | length]) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length)
    return header + bytes(4) + payload


def register(client_id: str) -> bytes:
    return frame({"type": "REGISTER", "payload": {"clientId": client_id}})


def ring(target_id: str) -> bytes:
    payload = {"targetId": target_id, "sdpOffer": "v=0"}
    return frame({"type": "CALL_INITIATE", "payload": payload})


def expect(client: socket.socket, text: bytes) -> None:
    """Reads until this has come."""
    received = b""
    while text not in received:
        part = client.recv(4096)
        if not part:
            raise ConnectionError(f"the server closed before {text.decode()}: {received!r}")
        received += part


def come(port: int, client_ids: list[str]) -> list[socket.socket]:
    """Connects and registers them all."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in client_ids]
    for client, client_id in zip(clients, client_ids):
        client.sendall(HANDSHAKE + register(client_id))
    for client in clients:
        expect(client, b'"REGISTERED"')
    return clients


def come_and_go(port: int, client_ids: list[str]) -> None:
    """They come, ring each other in pairs, and are cut off."""
    clients = come(port, client_ids)
    callers, callees = clients[::2], clients[1::2]
    for caller, callee_id in zip(callers, client_ids[1::2]):
        caller.sendall(ring(callee_id))
    for callee in callees:
        expect(callee, b'"INCOMING_CALL"')
    for client in clients:
        client.close()


def waves(prefix: str, count: int) -> list[list[str]]:
    ids = [f"{prefix}-{number}" for number in range(count)]
    return [ids[first : first + WAVE] for first in range(0, count, WAVE)]


def main(port: int, present: int, away: int) -> None:
    for wave in waves("away", away - away % 2):
        come_and_go(port, wave)
    held = [client for wave in waves("present", present) for client in come(port, wave)]
    print("ready", len(held), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
