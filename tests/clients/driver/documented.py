"""The reference as a check: what a dialect 1 client may receive, field by field, and nothing more.

The table is `documented.json`, which the Node client reads too.
"""

import json
import re
from pathlib import Path

TABLE = json.loads((Path(__file__).parents[1] / "documented.json").read_text())
MESSAGES = TABLE["messages"] | TABLE["asked"]


def is_string(value) -> bool:
    return isinstance(value, str)


def matches(pattern: str):
    return lambda value: is_string(value) and re.fullmatch(pattern, value) is not None


def is_ice_servers(value) -> bool:
    return isinstance(value, list) and value != [] and all(fits(entry, TABLE["iceServer"]) for entry in value)


CHECKS = {
    "string": is_string,
    "stringOrNull": lambda value: value is None or is_string(value),
    "clientId": matches(r"[a-zA-Z0-9_-]{1,64}"),
    "callId": matches(r"[a-zA-Z0-9_-]+"),
    "errorCode": lambda value: value in TABLE["errorCodes"],
    "seconds": lambda value: type(value) is int and value > 0,
    "iceServers": is_ice_servers,
    "urls": lambda value: isinstance(value, list) and value != [] and all(map(matches(r"turns?:\S+"), value)),
    "turnUsername": matches(r"\d+:[a-zA-Z0-9_-]{1,64}"),
}


def fits(payload, fields: dict[str, str]) -> bool:
    """Whether `payload` has each field of the right kind, and no field besides."""
    if not isinstance(payload, dict):
        return False
    required = {name: kind for name, kind in fields.items() if not name.endswith("?")}
    optional = {name[:-1]: kind for name, kind in fields.items() if name.endswith("?")}
    known = required | optional
    return required.keys() <= payload.keys() <= known.keys() and all(
        CHECKS[known[name]](value) for name, value in payload.items()
    )


def read(text: str) -> dict:
    """Parses what the server sent; an undocumented type, key or value is a failed test."""
    message = json.loads(text)
    assert message.keys() - {"replyTo"} == {"type", "payload"}, f"undocumented keys: {text[:300]}"
    assert message["type"] in MESSAGES, f"undocumented type: {text[:300]}"
    assert fits(message["payload"], MESSAGES[message["type"]]), f"undocumented payload: {text[:300]}"
    return message
