"""What is measured, on whom, and how.

A measure has entries that are run one after the other in every round; an entry is a server, or a
server in another situation. Each run starts a fresh server.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from . import crowds, generator, in_process, targets
from .processes import serving
from .targets import Target

Values = dict[str, float]
"""The numbers of one run, by metric."""


@dataclass(frozen=True)
class Effort:
    """How much is done in one run."""

    seconds: float
    pairs: int
    busy_pairs: int
    rate: int
    idle: int
    registrations: int
    few: int
    present: int
    away: int
    samples: int


FULL = Effort(
    seconds=5.0,
    pairs=1000,
    busy_pairs=100,
    rate=10_000,
    idle=19_000,
    # As many as PeerJS takes as it is installed.
    registrations=4_900,
    # The crowd is 100,000 with them; more than 19,000 descriptors a server does not get.
    few=1_000,
    present=14_000,
    away=85_000,
    samples=100,
)
QUICK = Effort(
    seconds=0.5,
    pairs=50,
    busy_pairs=10,
    rate=1_000,
    idle=500,
    registrations=200,
    few=100,
    present=200,
    away=400,
    samples=3,
)


@dataclass(frozen=True)
class Entry:
    """One run of a round."""

    name: str
    target: Target
    run: Callable[[Target, Effort], Values]


@dataclass(frozen=True)
class Measure:
    """Runs whose numbers are compared with each other."""

    key: str
    title: str
    entries: tuple[Entry, ...]


def on_all(run: Callable[[Target, Effort], Values]) -> tuple[Entry, ...]:
    return tuple(Entry(target.name, target, run) for target in targets.ALL)


def wake_ups(target: Target, effort: Effort) -> Values:
    """One message under way in each of many pairs: every message wakes the server up."""
    with serving(target) as server:
        return generator.relay(server, effort.pairs, effort.seconds, in_flight=1)


def throughput(target: Target, effort: Effort) -> Values:
    """Many messages under way in few pairs: what batching is worth."""
    with serving(target) as server:
        return generator.relay(server, effort.busy_pairs, effort.seconds, in_flight=16)


def latency(target: Target, effort: Effort) -> Values:
    """An open loop, with latencies from when a message was due."""
    with serving(target) as server:
        return generator.relay(server, effort.busy_pairs, effort.seconds, rate=effort.rate)


def idle(target: Target, effort: Effort) -> Values:
    """Memory for clients that are registered and silent."""
    with serving(target) as server:
        return generator.idle(server, effort.idle)


def registration(target: Target, effort: Effort) -> Values:
    """Accept, upgrade and registration."""
    with serving(target) as server:
        return generator.idle(server, effort.registrations)


def population(crowded: bool) -> Callable[[Target, Effort], Values]:
    """The same load, alone and in a crowd."""

    def run(target: Target, effort: Effort) -> Values:
        with serving(target) as server:
            with crowds.around(server, effort.present, effort.away) if crowded else nullcontext():
                comers = generator.idle(server, effort.few)
                values = generator.relay(server, effort.few // 2, effort.seconds, in_flight=1)
        return values | comers

    return run


def all_active(target: Target, effort: Effort) -> Values:
    """What a message and a client's coming and going cost when 100,000 are active, over what they
    cost with 1,000: whole, on the real server, and to that what the core says is added."""
    with serving(target) as server:
        message = generator.relay(server, effort.few // 2, effort.seconds, in_flight=1)
    with serving(target) as server:
        client = generator.idle(server, effort.few)
    extra = in_process.population(effort.samples)
    message_us = message["cpu_us"]
    client_us = client["connect_cpu_us"] + client["disconnect_cpu_us"]
    return {
        "message": 1 + in_process.extra_us(extra["relay_candidate"]) / message_us,
        "client": 1 + in_process.extra_us(extra["register_and_leave"]) / client_us,
    }


ALL = (
    Measure("wake_ups", "one message in flight in each of 1,000 pairs", on_all(wake_ups)),
    Measure("throughput", "16 messages in flight in each of 100 pairs", on_all(throughput)),
    Measure("latency", "10,000 messages/s over 100 pairs, open loop", on_all(latency)),
    Measure("idle", "19,000 idle clients", on_all(idle)),
    Measure(
        "idle_tls",
        "19,000 idle clients over TLS",
        (Entry("securecall", targets.SECURECALL_TLS, idle),),
    ),
    Measure("registration", "4,900 clients connect and register", on_all(registration)),
    Measure(
        "population",
        "1,000 clients alone, and among 100,000",
        (
            Entry("alone", crowds.TARGET, population(crowded=False)),
            Entry("in a crowd", crowds.TARGET, population(crowded=True)),
        ),
    ),
    Measure(
        "all_active",
        "100,000 clients that are all active, over 1,000",
        (Entry("securecall", targets.SECURECALL, all_active),),
    ),
)
