"""The goals, and what a run says about them.

A goal that compares two numbers is judged by their ratio within each round: what the machine does
to one it does to the other a few seconds later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from .rounds import Results, Round

Everything = dict[str, Results]
"""The results of all measures, by key."""


@dataclass(frozen=True)
class Spread:
    """A number that was measured several times."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread | None":
        return cls(median(values), min(values), max(values)) if values else None


@dataclass(frozen=True)
class Goal:
    """One row of the table of goals."""

    label: str
    goal: float
    stretch: float
    at_most: bool
    """Less is better."""
    measure: str
    value: Callable[[Round], float]
    unit: str = ""

    def measured(self, everything: Everything) -> Spread | None:
        results = everything.get(self.measure)
        return spread(results, self.value) if results else None

    def verdict(self, measured: Spread) -> str:
        if self.reaches(measured.median, self.stretch):
            return "stretch"
        return "goal" if self.reaches(measured.median, self.goal) else "**missed**"

    def reaches(self, value: float, bound: float) -> bool:
        return value <= bound if self.at_most else value >= bound


def spread(results: Results, value: Callable[[Round], float]) -> Spread | None:
    """Over the rounds that have what the value needs."""
    values = []
    for round_ in results.rounds:
        try:
            values.append(value(round_))
        except (KeyError, ZeroDivisionError):
            continue
    return Spread.of(values)


def ratio(metric: str, ours: str, other: str) -> Callable[[Round], float]:
    return lambda round_: round_[ours][metric] / round_[other][metric]


def ours(metric: str) -> Callable[[Round], float]:
    return lambda round_: round_["securecall"][metric]


def in_crowd(metric: str) -> Callable[[Round], float]:
    return ratio(metric, "in a crowd", "alone")


ALL = (
    Goal("server CPU per message, 1000 pairs × 1 in flight, against the bare epoll relay",
         1.15, 1.0, True, "wake_ups", ratio("cpu_us", "securecall", "epoll-relay")),
    Goal("messages/s, 100 pairs × 16, against the bare epoll relay",
         0.60, 0.70, False, "throughput", ratio("per_second", "securecall", "epoll-relay")),
    Goal("the same against PeerJS",
         10, 13, False, "throughput", ratio("per_second", "securecall", "peerjs"), "×"),
    Goal("the same against matchbox",
         3, 3.5, False, "throughput", ratio("per_second", "securecall", "matchbox"), "×"),
    Goal("process memory per idle registered connection, 19,000 of them",
         2000, 1200, True, "idle", ours("bytes_per_client"), " B"),
    Goal("the same with TLS",
         10_500, 9_000, True, "idle_tls", ours("bytes_per_client"), " B"),
    Goal("CPU for accept + upgrade + REGISTER against PeerJS",
         1 / 4, 1 / 5, True, "registration", ratio("connect_cpu_us", "securecall", "peerjs")),
    Goal("p50 latency at 10,000 messages/s against the bare epoll relay",
         1.15, 1.05, True, "latency", ratio("p50_us", "securecall", "epoll-relay")),
    Goal("cost per message among 100,000 clients, 1,000 of them active, against 1,000",
         1.2, 1.1, True, "population", in_crowd("cpu_us")),
    Goal("cost per register, the same",
         1.2, 1.1, True, "population", in_crowd("connect_cpu_us")),
    Goal("cost per disconnect, the same",
         1.2, 1.1, True, "population", in_crowd("disconnect_cpu_us")),
    Goal("cost per message among 100,000 clients, all of them active, against 1,000",
         1.2, 1.1, True, "all_active", ours("message")),
    Goal("cost per register and disconnect, the same",
         1.2, 1.1, True, "all_active", ours("client")),
)
