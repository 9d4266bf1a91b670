"""`securecall load` as the generator of all measures, and what we want of its reports."""

from . import places
from .processes import RunFailed, Server, generate

CANDIDATE_BYTES = 200
WARMUP_SECONDS = 1.0
IDLE_SECONDS = 1.0


def relay(
    server: Server,
    pairs: int,
    seconds: float,
    in_flight: int | None = None,
    rate: int | None = None,
) -> dict[str, float]:
    """Messages between pairs, in a closed loop or at a rate."""
    pace = ("--in-flight", in_flight) if rate is None else ("--rate", rate)
    warmup = min(WARMUP_SECONDS, seconds)
    report = load(
        server, "relay", "--pairs", pairs, *pace, "--bytes", CANDIDATE_BYTES,
        "--warmup", f"{warmup}s", "--duration", f"{seconds}s",
    )
    if not report["traffic"]["received"]:
        raise RunFailed("load relay: nothing arrived")
    return {
        "cpu_us": report["server"]["cpu_per_message"],
        "per_second": report["traffic"]["received_per_second"],
        "p50_us": report["latency"]["p50"],
        "p99_us": report["latency"]["p99"],
    }


def idle(server: Server, clients: int) -> dict[str, float]:
    """Clients come, are silent, and go."""
    report = load(server, "idle", "--connections", clients, "--duration", f"{IDLE_SECONDS}s")
    cost = report["server"]
    return {
        "bytes_per_client": cost["rss_per_client"],
        "connect_cpu_us": cost["cpu_per_set_up"],
        "disconnect_cpu_us": cost["cpu_per_leave"],
    }


def load(server: Server, workload: str, *arguments: object) -> dict:
    """Runs it. Numbers of a run in which something failed are not those that were asked for."""
    command = [
        places.SECURECALL, "load", workload, "--url", server.url,
        "--dialect", server.target.dialect, "--server-pid", server.pid, "--json", *arguments,
    ]
    report = generate([str(argument) for argument in command])
    if report["failures"] or report["interrupted"]:
        raise RunFailed(f"load {workload}: {report['failures'] or 'interrupted'}")
    return report
