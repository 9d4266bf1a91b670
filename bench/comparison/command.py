"""The command line."""

import argparse
import json
import os
import resource
import sys
from dataclasses import asdict

from . import measures, places, report, targets
from .conditions import conditions
from .goals import Everything
from .measures import FULL, QUICK, Entry, Measure
from .rounds import collect

ROUNDS = 5


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/compare",
        description="Measures our server beside others, and writes docs/performance.md.",
    )
    parser.add_argument(
        "--quick", action="store_true",
        help="one short round of everything, kept however noisy, and nothing written: a smoke test",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="quiet rounds that are wanted")
    parser.add_argument(
        "--keep-noisy", action="store_true",
        help="count rounds whoever else was running; implies --no-write",
    )
    parser.add_argument("--no-write", action="store_true", help="only print the tables")
    parser.add_argument(
        "--measure", action="append", choices=[measure.key for measure in measures.ALL],
        help="only this one (may be repeated); implies --no-write",
    )
    parser.add_argument(
        "--target", action="append", choices=[target.name for target in targets.ALL],
        help="only this server (may be repeated); implies --no-write",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if (os.cpu_count() or 1) < 2:
        print("bench/compare needs two cores: one for the server, one for the generator")
        return 2
    allow_descriptors()
    chosen = tuple(
        target for target in targets.ALL if not options.target or target.name in options.target
    )
    versions, absent = targets.build_all(chosen, options.quick)
    if targets.SECURECALL.name in absent:
        # The generator is in it, too.
        return 1
    everything = measure_all(options, versions)
    section = report.written(everything, conditions(), versions, absent)
    save(everything)
    print(f"\n{section}")
    if options.quick:
        print("This was a smoke test, shorter and smaller than it says: its numbers mean nothing.")
    if is_whole(options):
        report.replace_section(places.PERFORMANCE_MD, section)
        print(f"written to {places.PERFORMANCE_MD}")
    return 1 if any(results.failures for results in everything.values()) else 0


def is_whole(options: argparse.Namespace) -> bool:
    """Whether this run is what docs/performance.md is to show."""
    partly = options.quick or options.keep_noisy or options.measure or options.target
    return not (partly or options.no_write)


def allow_descriptors() -> None:
    """Children inherit the limit; not all of them raise it themselves."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def measure_all(options: argparse.Namespace, versions: dict[str, str]) -> Everything:
    everything: Everything = {}
    for measure in measures.ALL:
        entries = present_entries(measure, versions)
        if not entries or (options.measure and measure.key not in options.measure):
            continue
        print(f"{measure.key}: {measure.title}", flush=True)
        effort, rounds = (QUICK, 1) if options.quick else (FULL, options.rounds)
        keep_noisy = options.quick or options.keep_noisy
        everything[measure.key] = collect(entries, effort, rounds, keep_noisy)
    return everything


def present_entries(measure: Measure, versions: dict[str, str]) -> list[Entry]:
    return [entry for entry in measure.entries if entry.target.name in versions]


def save(everything: Everything) -> None:
    """All numbers of all rounds, for whoever wants to look closer."""
    places.INSTALLED.mkdir(parents=True, exist_ok=True)
    path = places.INSTALLED / "compare.json"
    path.write_text(json.dumps({key: asdict(results) for key, results in everything.items()}))
    print(f"all numbers: {path}", file=sys.stderr)
