"""WebSocket conversations that are made by chance, each with the answers that it must get (RFC 6455)."""

import json
import random
from dataclasses import dataclass, field

from driver.frames import CLOSE, CONTINUATION, PING, PONG, TEXT, frame

# Lengths on both sides of where the header changes its form, and the longest message.
LENGTHS = (0, 125, 126, 127, 1_000, 65_535, 65_536)
# Of one to four bytes each: fragments may be cut within any of them.
LETTERS = "aé€𝄞"
CLOSE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)


@dataclass
class Conversation:
    """What a client sends, in pieces as the network may cut it, and what it must be answered."""

    sent: bytes = b""
    asked: list[str] = field(default_factory=list)
    """The ids of its messages; each is answered, in this order."""
    pings: list[bytes] = field(default_factory=list)
    """The last of them is answered, and the others may be (section 5.5.3)."""
    closes_with: int | None = None
    """None: with a close frame that has no code."""

    def ping(self, chance: random.Random) -> None:
        payload = chance.randbytes(chance.choice((0, 1, 60, 125)))
        self.pings.append(payload)
        self.sent += frame(PING, payload)

    def pong(self, chance: random.Random) -> None:
        """Nobody asked for it, and nobody answers it."""
        self.sent += frame(PONG, chance.randbytes(chance.choice((0, 4, 125))))

    def message(self, chance: random.Random) -> None:
        """A heartbeat, in one frame or in several with control frames in between."""
        name = f"question {len(self.asked)}"
        self.asked.append(name)
        payload = heartbeat(name, chance.choice(LENGTHS), chance)
        pieces = cut(payload, chance.choice((1, 1, 2, 5)), chance)
        for number, piece in enumerate(pieces):
            if number:
                chance.choice((self.ping, self.pong, lambda _: None))(chance)
            opcode = CONTINUATION if number else TEXT
            self.sent += frame(opcode, piece, fin=number == len(pieces) - 1)

    def close(self, chance: random.Random) -> None:
        self.closes_with = chance.choice((None, *CLOSE_CODES))
        reason = "" if self.closes_with is None else chance.choice(("", "done", "é" * 61))
        body = b"" if self.closes_with is None else self.closes_with.to_bytes(2, "big")
        self.sent += frame(CLOSE, body + reason.encode())

    def pieces(self, chance: random.Random) -> list[bytes]:
        return cut(self.sent, chance.choice((1, 2, 20)), chance)


def by_chance(seed: int) -> tuple[Conversation, list[bytes]]:
    """A conversation without a mistake, and the pieces in which it is sent."""
    chance = random.Random(seed)
    conversation = Conversation()
    for _ in range(chance.randrange(12)):
        chance.choice((conversation.ping, conversation.pong, conversation.message, conversation.message))(chance)
    conversation.close(chance)
    return conversation, conversation.pieces(chance)


def heartbeat(name: str, length: int, chance: random.Random) -> bytes:
    """A HEARTBEAT of at least this many bytes, or as few as it takes; an unknown field fills it up."""
    bare = {"type": "HEARTBEAT", "payload": {}, "id": name, "note": ""}
    room = length - len(json.dumps(bare))
    letter = chance.choice(LETTERS)
    text = json.dumps(bare | {"note": letter * (room // len(letter.encode()))}, ensure_ascii=False)
    return text.encode() + b" " * max(length - len(text.encode()), 0)


def cut(whole: bytes, count: int, chance: random.Random) -> list[bytes]:
    """`count` pieces of any length, also none."""
    places = sorted(chance.randrange(len(whole) + 1) for _ in range(count - 1))
    return [whole[begin:end] for begin, end in zip([0, *places], [*places, len(whole)])]
