"""Rounds: every entry of a measure once, one after the other, so that all see the same machine."""

from dataclasses import dataclass, field

from .measures import Effort, Entry, Values
from .processes import RunFailed
from .quiet import OTHERS_MAX_CORES, Watch

ATTEMPTS_PER_ROUND = 3
"""Discarded rounds are repeated, but not for ever."""

Round = dict[str, Values]
"""The numbers of one round, by entry."""


@dataclass
class Results:
    """What came out for one measure."""

    rounds: list[Round] = field(default_factory=list)
    discarded: int = 0
    """Rounds in which others were running."""
    failures: list[str] = field(default_factory=list)


def collect(entries: list[Entry], effort: Effort, wanted: int, keep_noisy: bool) -> Results:
    """Runs rounds until so many were quiet."""
    results = Results()
    for attempt in range(wanted * ATTEMPTS_PER_ROUND):
        if len(results.rounds) == wanted:
            break
        round_, others = run_round(rotated(entries, attempt), effort, results.failures)
        if others > OTHERS_MAX_CORES and not keep_noisy:
            results.discarded += 1
            print(f"  discarded: others used {others:.2f} cores", flush=True)
        else:
            results.rounds.append(round_)
            print(f"  round {len(results.rounds)} of {wanted}", flush=True)
    return results


def rotated(entries: list[Entry], turns: int) -> list[Entry]:
    """Nobody is always the first or always behind the same other."""
    first = turns % len(entries)
    return entries[first:] + entries[:first]


def run_round(
    entries: list[Entry], effort: Effort, failures: list[str]
) -> tuple[Round, float]:
    """Returns the numbers, and how many cores others used in the worst of the runs."""
    round_: Round = {}
    others = 0.0
    for entry in entries:
        with Watch() as watch:
            try:
                round_[entry.name] = entry.run(entry.target, effort)
            except RunFailed as failure:
                failures.append(f"{entry.name}: {failure}")
                print(f"  {entry.name}: {failure}", flush=True)
        others = max(others, watch.others)
    return round_, others
