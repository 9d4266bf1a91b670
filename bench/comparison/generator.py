"""`securecall load` as the generator of all measures."""

import time

from . import places, usage
from .processes import RunFailed, Server, generate, generating

CANDIDATE_BYTES = 200
WARMUP_SECONDS = 1.0

SETTLED_SECONDS = 0.5
"""A server that does nothing for so long has done all it had to."""
CONNECT_SECONDS_MAX = 120.0


def command(server: Server, workload: str, *arguments: object) -> list[str]:
    fixed = [places.SECURECALL, "load", workload, "--url", server.url]
    dialect = ["--dialect", server.target.dialect]
    return [str(argument) for argument in (*fixed, *dialect, *arguments)]


def relay(
    server: Server,
    pairs: int,
    seconds: float,
    in_flight: int | None = None,
    rate: int | None = None,
) -> dict[str, float]:
    """Messages between pairs, in a closed loop or at a rate."""
    pace = ("--in-flight", in_flight) if rate is None else ("--rate", rate)
    report = generate(
        command(
            server, "relay", "--pairs", pairs, *pace, "--bytes", CANDIDATE_BYTES,
            "--warmup", f"{min(WARMUP_SECONDS, seconds)}s", "--duration", f"{seconds}s",
            "--server-pid", server.pid, "--json",
        )
    )
    return relay_values(report)


def relay_values(report: dict) -> dict[str, float]:
    """What we want of the generator's report."""
    raise NotImplementedError


def idle(server: Server, clients: int) -> dict[str, float]:
    """Clients come, are silent, and go."""
    descriptors, memory = server.descriptors(), usage.resident_bytes(server.pid)
    started = usage.cpu_seconds(server.pid)
    holding = command(server, "idle", "--connections", clients, "--duration", "10m")
    with generating(holding) as generator:
        wait_for(server, lambda count: count >= descriptors + clients, generator)
        present = settled_cpu_seconds(server)
        held = usage.resident_bytes(server.pid) - memory
    wait_for(server, lambda count: count <= descriptors)
    gone = settled_cpu_seconds(server)
    return {
        "bytes_per_client": held / clients,
        "connect_cpu_us": (present - started) / clients * 1e6,
        "disconnect_cpu_us": (gone - present) / clients * 1e6,
    }


def wait_for(server, condition, generator=None) -> None:
    """Waits for a number of descriptors of the server."""
    deadline = time.monotonic() + CONNECT_SECONDS_MAX
    while not condition(server.descriptors()):
        if generator is not None and generator.poll() is not None:
            raise RunFailed(f"the generator ended early: {generator.stderr.read().strip()}")
        if time.monotonic() > deadline:
            raise RunFailed(f"the server has {server.descriptors()} descriptors open")
        time.sleep(0.05)


def settled_cpu_seconds(server: Server) -> float:
    """Waits until the server rests, and returns what it has used."""
    deadline = time.monotonic() + CONNECT_SECONDS_MAX
    before = usage.cpu_seconds(server.pid)
    while time.monotonic() < deadline:
        time.sleep(SETTLED_SECONDS)
        now = usage.cpu_seconds(server.pid)
        # Timers and garbage collectors never rest wholly.
        if now - before < 0.02 * SETTLED_SECONDS:
            return now
        before = now
    raise RunFailed("the server does not come to rest")
