"""A name server that gives every name one IPv4 address."""

import contextlib
import socket
import threading

A_RECORD = b"\0\1"


@contextlib.contextmanager
def answering(address: str):
    """On port 53 of this thread's network, until the block ends."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    server.settimeout(0.1)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                question, client = server.recvfrom(512)
                server.sendto(answer(question, socket.inet_aton(address)), client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        server.close()


def answer(question: bytes, address: bytes) -> bytes:
    """RFC 1035, 4.1: an answer of one record, or of none if another kind than an IPv4 address is asked for."""
    end = question.index(b"\0", 12) + 5
    has_address = question[end - 4:end - 2] == A_RECORD
    header = question[:2] + b"\x81\x80" + b"\0\1" + (b"\0\1" if has_address else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c" + A_RECORD + b"\0\1" + (60).to_bytes(4) + b"\0\4" + address
    return header + question[12:end] + (record if has_address else b"")
