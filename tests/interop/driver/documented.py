"""docs/asyncapi.json as a check: what either side may say in a dialect, field by field, and nothing more.

The document is made from the server's types; the Node client reads it too.
"""

import functools
import json
from pathlib import Path

import fastjsonschema

DOCUMENT = json.loads((Path(__file__).resolve().parents[3] / "docs/asyncapi.json").read_text())
MESSAGES = DOCUMENT["components"]["messages"]
LIMITS = DOCUMENT["channels"]["dialect1"]["x-limits"]


@functools.cache
def schema(key: str):
    """A function that raises if its argument is not as the document says."""
    reference = {"$ref": f"#/components/messages/{key}/payload", "components": DOCUMENT["components"]}
    return fastjsonschema.compile({"$schema": "http://json-schema.org/draft-07/schema#", **reference})


def check(message: dict, sender: str, dialect: int) -> dict:
    """`sender` is "client" or "server"; a type, field or value that the document has not is a failed test."""
    key = f"{sender}.{dialect}.{message.get('type')}"
    assert key in MESSAGES, f"undocumented type: {str(message)[:300]}"
    try:
        schema(key)(message)
    except fastjsonschema.JsonSchemaValueException as error:
        raise AssertionError(f"undocumented: {error.message[:200]} in {str(message)[:300]}") from None
    return message


def read(text: str, dialect: int = 1) -> dict:
    """Parses what the server sent, and checks it."""
    return check(json.loads(text), "server", dialect)


def write(kind: str, payload: dict, dialect: int = 1, request_id: str | None = None) -> str:
    """The text of a client's message, checked."""
    message = {"type": kind, "payload": payload}
    if request_id is not None:
        message["id"] = request_id
    return json.dumps(check(message, "client", dialect))
