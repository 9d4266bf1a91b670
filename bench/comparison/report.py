"""The tables of docs/performance.md."""

from pathlib import Path

from . import goals, measures
from .goals import Everything, Goal, Spread, spread
from .measures import Measure
from .quiet import OTHERS_MAX_CORES
from .targets import ALL as TARGETS

BEGIN = "<!-- bench/compare writes from here … -->"
END = "<!-- … to here -->"

METRICS = {
    "cpu_us": "server CPU, µs/message",
    "per_second": "messages/s",
    "p50_us": "p50, µs",
    "p99_us": "p99, µs",
    "bytes_per_client": "memory, B/client",
    "connect_cpu_us": "CPU to connect, µs",
    "disconnect_cpu_us": "CPU to disconnect, µs",
    "message": "per message, ×",
    "client": "per register and disconnect, ×",
}

COLUMNS = {
    "wake_ups": ("cpu_us", "per_second"),
    "throughput": ("per_second", "cpu_us"),
    "latency": ("p50_us", "p99_us", "cpu_us"),
    "idle": ("bytes_per_client",),
    "idle_tls": ("bytes_per_client", "connect_cpu_us"),
    "registration": ("connect_cpu_us", "disconnect_cpu_us"),
    "population": ("cpu_us", "connect_cpu_us", "disconnect_cpu_us"),
    "all_active": ("message", "client"),
}


def number(value: float) -> str:
    """Three digits, and no more."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def shown(spread_: Spread, unit: str = "") -> str:
    middle = f"{number(spread_.median)}{unit}"
    if spread_.least == spread_.most:
        return middle
    return f"{middle} ({number(spread_.least)}–{number(spread_.most)})"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(row)} |" for row in cells]


def goals_table(everything: Everything) -> list[str]:
    head = ["", "goal", "stretch", "measured", "reached"]
    return table(head, [goal_row(goal, everything) for goal in goals.ALL])


def goal_row(goal: Goal, everything: Everything) -> list[str]:
    sign = "≤" if goal.at_most else "≥"
    bounds = [f"{sign} {number(bound)}{goal.unit}" for bound in (goal.goal, goal.stretch)]
    measured = goal.measured(everything)
    if measured is None:
        return [goal.label, *bounds, "not measured", "–"]
    return [goal.label, *bounds, shown(measured, goal.unit), goal.verdict(measured)]


def measure_table(measure: Measure, everything: Everything) -> list[str]:
    results = everything[measure.key]
    columns = COLUMNS[measure.key]
    rows = []
    for entry in measure.entries:
        spreads = [
            spread(results, lambda round_, column=column: round_[entry.name][column])
            for column in columns
        ]
        if any(spreads):
            rows.append([entry.name, *(shown(one) if one else "–" for one in spreads)])
    kept = f"rounds: {len(results.rounds)} quiet, {results.discarded} discarded"
    head = ["", *(METRICS[column] for column in columns)]
    return ["", f"**{measure.title}** ({kept})", "", *table(head, rows)]


def conditions_list(
    conditions: dict[str, str], versions: dict[str, str], absent: dict[str, str]
) -> list[str]:
    lines = [f"- {name}: {value}" for name, value in conditions.items()]
    for target in TARGETS:
        if target.name in versions:
            lines.append(f"- {target.name}: {target.what}, {versions[target.name]}")
        elif target.name in absent:
            lines.append(f"- {target.name}: absent: {absent[target.name]}")
    return lines


def written(
    everything: Everything,
    conditions: dict[str, str],
    versions: dict[str, str],
    absent: dict[str, str],
) -> str:
    """The whole section."""
    measured = [measure for measure in measures.ALL if measure.key in everything]
    lines = [
        "## Goals", "",
        *goals_table(everything), "",
        "Medians, with the least and the most in parentheses. Ratios are taken within each round.",
        "", "## All numbers",
        *(line for measure in measured for line in measure_table(measure, everything)),
        "", "## Conditions", "",
        *conditions_list(conditions, versions, absent),
        "",
        f"A round is discarded when anybody else on the machine, the hypervisor included, took more "
        f"than {OTHERS_MAX_CORES} of a core in one of its runs.",
    ]
    return "\n".join(lines) + "\n"


def replace_section(path: Path, section: str) -> None:
    """Puts the section between the marks, and leaves the rest of the file alone."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{section}\n{END}{after}", encoding="utf-8")
