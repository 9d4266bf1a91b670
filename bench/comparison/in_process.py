"""The core's own benchmark of populations, for what descriptors do not allow: 100,000 clients that
all talk, so that none of them is found in the processor's caches."""

import functools
import json
import re
import subprocess

from .processes import SERVER_CORE, RunFailed, start
from .targets import run

FEW, MANY = 1_000, 100_000
BENCH = ("cargo", "bench", "-p", "securecall-core", "--bench", "population", "--no-run")
UNITS = {"ns": 1e-3, "µs": 1.0, "ms": 1e3}


@functools.cache
def executable() -> str:
    """Builds the benchmark."""
    messages = map(json.loads, run(*BENCH, "--message-format=json").splitlines())
    (path,) = (message["executable"] for message in messages if message.get("executable"))
    return path


def population(samples: int) -> dict[str, dict[int, float]]:
    """The median of each benchmark by number of clients, in µs."""
    arguments = [executable(), "--bench", "--sample-count", str(samples)]
    process = start(arguments, SERVER_CORE)
    out, err = process.communicate()
    if process.returncode != 0:
        raise RunFailed(f"the benchmark failed: {err.strip()}")
    return medians(out)


def medians(table: str) -> dict[str, dict[int, float]]:
    """Reads divan's tree: a line for each benchmark, and below it one for each argument."""
    found: dict[str, dict[int, float]] = {}
    for name, cells in re.findall(r"^[│ ]*[├╰]─ (\S+)(.*)$", table, re.MULTILINE):
        if not name.isdigit():
            benchmark = found[name] = {}
            continue
        _fastest, _slowest, median, *_ = cells.split("│")
        value, unit = median.split()
        benchmark[int(name)] = float(value) * UNITS[unit]
    return found


def extra_us(by_clients: dict[int, float]) -> float:
    """What a turn costs more among many than among few."""
    return by_clients[MANY] - by_clients[FEW]
