"""Our server with a crowd around the clients that are measured."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .processes import RunFailed, Server, generating
from .targets import SECURECALL

STAY = (
    # So long those of the crowd who were cut off are expected back.
    "--grace", "1h", "--ring-timeout", "10m",
    # They all come from one address, in seconds.
    "--connections-per-address-max", "20000", "--connection-burst", "200000",
)

TARGET = dataclasses.replace(
    SECURECALL, arguments=lambda port, folder: [*SECURECALL.arguments(port, folder), *STAY]
)


@contextmanager
def around(server: Server, present: int, away: int) -> Iterator[None]:
    """Clients who are registered, idle or away, as long as the block runs."""
    module = [sys.executable, "-m", "comparison.crowd"]
    with generating([*module, str(server.port), str(present), str(away)]) as crowd:
        if not (crowd.stdout and crowd.stdout.readline().startswith("ready")):
            raise RunFailed("the crowd did not come")
        yield
