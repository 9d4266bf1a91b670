"""What a reader must know to compare a run with another one."""

import os
import platform
from datetime import date
from pathlib import Path

from .processes import GENERATOR_CORE, SERVER_CORE
from .targets import Absent, run


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def compiler() -> str:
    try:
        return run("rustc", "--version")
    except Absent:
        return "unknown"


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def conditions() -> dict[str, str]:
    """By name, in the order of the report."""
    return {
        "date": date.today().isoformat(),
        "CPU": f"{cpu_model()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB",
        "kernel": platform.release(),
        "compiler": compiler(),
        "pinned": f"server on core {SERVER_CORE}, generator on core {GENERATOR_CORE}, over loopback",
    }
