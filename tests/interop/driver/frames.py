"""A WebSocket peer below any library: it sends frames as told, right or wrong, and answers nothing by itself."""

import os
import socket
import struct

from driver import documented

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

HANDSHAKE = (
    "GET /signal HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class RawSocket:
    """`first` is sent right behind the request, before the server's answer."""

    def __init__(self, port: int, receive_buffer: int | None = None, first: bytes = b""):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(HANDSHAKE.encode() + first)
        self.received = b""
        self._read_head()

    def send_frame(self, opcode: int, payload: bytes = b"", fin: bool = True, masked: bool = True, reserved: int = 0):
        self.socket.sendall(frame(opcode, payload, fin, masked, reserved))

    def send(self, kind: str, **payload) -> None:
        self.send_frame(TEXT, documented.write(kind, payload).encode())

    def register(self, client_id: str) -> None:
        self.send("REGISTER", clientId=client_id)
        _, answer = self.receive_frame()
        assert b'"REGISTERED"' in answer, answer

    def receive_frame(self) -> tuple[int, bytes]:
        """The next frame from the server: opcode and payload."""
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return first & 0x0F, self._take(length)

    def receive_close(self) -> int:
        """Reads up to the close frame and gives its code."""
        while True:
            opcode, payload = self.receive_frame()
            if opcode == CLOSE:
                return struct.unpack(">H", payload[:2])[0]

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _read_head(self) -> None:
        while b"\r\n\r\n" not in self.received:
            self._read_more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def _take(self, count: int) -> bytes:
        while len(self.received) < count:
            self._read_more()
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def _read_more(self) -> None:
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the socket without a close frame")
        self.received += chunk


def frame(opcode: int, payload: bytes, fin: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """One frame (RFC 6455, section 5.2); `reserved` are the three RSV bits."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    mask_bit = masked << 7
    if len(payload) < 126:
        head += bytes([mask_bit | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack(">BH", mask_bit | 126, len(payload))
    else:
        head += struct.pack(">BQ", mask_bit | 127, len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
