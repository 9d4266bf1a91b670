"""Whether the machine was ours alone.

What the cores did, less what we and our children did, is what others did. Both sides are exact:
the kernel keeps idle time and CPU time of processes in nanoseconds, and the ticks of /proc/stat
that it samples (user, system) are not used. Time that the hypervisor took counts as others'.
"""

import os
import resource
import time
from dataclasses import dataclass

OTHERS_MAX_CORES = 0.2
"""A run in which others took more than this is not counted."""

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def idle_seconds(proc_stat: str) -> float:
    """Time that all cores together had nothing to do, waiting for disks included."""
    fields = proc_stat.splitlines()[0].split()
    idle, iowait = int(fields[4]), int(fields[5])
    return (idle + iowait) / TICKS_PER_SECOND


def own_cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended, and of theirs."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@dataclass(frozen=True)
class Moment:
    """The counters at one time. Between two of them, every child must start and end."""

    clock: float
    idle: float
    own: float

    @classmethod
    def now(cls) -> "Moment":
        with open("/proc/stat", encoding="ascii") as stat:
            return cls(time.monotonic(), idle_seconds(stat.read()), own_cpu_seconds())

    def others_since(self, before: "Moment", cores: int) -> float:
        """How many cores others kept busy, on average."""
        wall = self.clock - before.clock
        busy = cores * wall - (self.idle - before.idle)
        return max(0.0, (busy - (self.own - before.own)) / wall)


class Watch:
    """Watches one run: `with Watch() as watch: …`, then `watch.others`."""

    others: float

    def __enter__(self) -> "Watch":
        self._start = Moment.now()
        return self

    def __exit__(self, *_: object) -> None:
        self.others = Moment.now().others_since(self._start, os.cpu_count() or 1)
