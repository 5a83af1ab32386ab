"""The tables of what a server did under load."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence

from harness.report import rst
from harness.report.cell_page import CellPage, LoadRun
from harness.report.rst import Rst
from harness.report.view import LibraryView, View
from harness.results.loads import HOLD_SECONDS, NOT_TRIED, RATE_SOCKETS, Run, Step
from harness.verdict import answer

#: The packages in the full name of an exception.
_PACKAGES = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Z]\w*\b)")
#: The step whose figures stand beside the largest.
_COMPARED = 1000


def overview(view: View) -> Rst:
    """Return one line for each deployment of each cell that was put under load."""
    rows = [
        [library.title, f"{run.server}, {run.deployment}", row.name, *figures(run, library.prose["uses_redis"])]
        for library in view.libraries
        for row in library.rows
        for run in row.under_load
    ]
    return rst.csv_table(["Library", "Server", "Cell", *HEADER], rows, "13 16 14 9 19 14 8 7")


def of_library(library: LibraryView) -> Rst:
    """Return the same of one library."""
    redis = library.prose["uses_redis"]
    rows = [[row.name, run.deployment, *figures(run, redis)] for row in library.rows for run in row.under_load]
    return rst.csv_table(["Cell", "Deployment", *HEADER], rows, "18 18 9 22 14 11 8")


#: What :func:`figures` returns.
HEADER = [
    *(
        "Sockets held",
        "And then",
        f"At {_COMPARED} sockets",
        f"Messages a second to {RATE_SOCKETS} (one run)",
        "redis-py",
    ),
]
#: What servers say when they have come to a limit → whose limit that is, and what raises it.
_LIMITS = (
    (re.compile(r"MaxConnectionsError: Too many connections"), "redis-py 8 allows 100 connections, and redis<8 more"),
    (re.compile(r"TimeoutError: Timeout reading from"), "redis-py 8 gives up after 5 s of silence, and redis<8 waits"),
    (re.compile(r"filedescriptor out of range in select\(\)"), "select() takes 1024 files at most"),
)


def held(run: Run) -> str:
    """Return how many sockets a run held; where it was not tried with more, that it may be more."""
    if run.held is None:
        return f"less than {run.steps[0].sockets}"
    tried = run.beyond is not None and run.beyond.ended != NOT_TRIED
    return f"{run.held.sockets}" if tried else f"{run.held.sockets} or more"


def holding(run: Run) -> str:
    """Return the same, with of how many runs that is, and for how long the crowd was held."""
    return held(run) + (f" ({_number(run.times(run.held.sockets))})" if run.held else "")


def figures(run: Run, redis: bool = True) -> list[str]:
    """Return a run's figures: sockets held, what came with more, what it took to reach 1000, the rate, and the client.

    How many runs each is of stands beside it. The client is left out where the chat has nothing to do with *redis*,
    though something else may have brought it along.
    """
    beyond = (
        f"{run.beyond.sockets}: {_each_time(run.times(run.beyond.sockets))}" if run.beyond else "all that was asked"
    )
    holds = holding(run)
    compared = next((step for step in run.steps if step.sockets == _COMPARED), None)
    best = run.rate.best_rate if run.rate else None
    rate = (
        "─"
        if run.rate is None or not run.rate.rates
        else str(best.rate)
        if best
        else f"less than {run.rate.rates[0].rate}"
    )
    # What limits a server stands once.
    at = _each_time(run.times(_COMPARED), why=False) if compared else "─"
    return [holds, beyond, at, rate, run.versions.get("redis", "─") if redis else "─"]


def _number(times: Sequence[Step]) -> str:
    """Return how many runs there were, and how many of them were held for how long, with or without a silence."""
    number = "one run" if len(times) == 1 else f"{len(times)} runs"
    held = [step for step in times if step.hold]
    if not held:
        return f"{number}, none of {HOLD_SECONDS:.0f} s"
    silent = f", silent for {held[0].silent:.0f} s" if held[0].silent else ""
    return f"{number}, {len(held)} of {held[0].hold:.0f} s{silent}"


def _each_time(times: Sequence[Step], why: bool = True) -> str:
    """Return how a size went in all its runs: how many held it, how the worst went, and the spread of the latency."""
    worst = min(times, key=lambda step: (step.whole, step.stood, step.deliveries))
    if len(times) == 1:
        return f"{told(worst, why)} (one run)" if worst.ended != NOT_TRIED else told(worst, why)
    whole = sum(step.whole for step in times)
    said = [f"held in {whole} of {_number(times)}"]
    said += [f"at worst {told(worst, why, latency=False)}"] if whole < len(times) else []
    spreads = sorted(step.latency.p99 for step in times if step.latency)
    if spreads:
        said.append(f"p99 {statistics.median(spreads):.0f} ms ({spreads[0]:.0f} to {spreads[-1]:.0f})")
    return "; ".join(said)


def told(step: Step, why: bool = True, latency: bool = True) -> str:
    """Return in a few words how a step went: who stood, what came to those; and *why* no better."""
    if step.ended == NOT_TRIED:
        return f"{NOT_TRIED}; {step.limit}"
    parts = []
    if step.connected < step.sockets:
        parts.append(f"{step.connected} let in")
    if step.stood < step.sockets or step.fallen:
        closed = [f"{number} {_closed(how)}" for how, number in step.closed.items()]
        parts.append(", ".join([f"stood {step.lasting} of {step.sockets}", *closed]))
    if step.messages and step.latency is not None:
        late = sum(each.late for each in step.messages)
        wanted = step.stood * len(step.messages)
        share = "all" if step.whole else f"{step.deliveries} of {wanted}"
        whom = " to those who stood" if step.stood < step.sockets else ""
        parts.append(f"{share} delivered{whom}" + (f", {late} of them late" if late else ""))
        parts += [f"p99 {step.latency.p99:.0f} ms"] if latency else []
    elif step.ended not in step.limit:
        parts.append(step.ended)
    if why and step.limit:
        parts.append(_PACKAGES.sub("", step.limit))
        parts += [says for pattern, says in _LIMITS if pattern.search(step.limit)]
    return "; ".join(parts)


def _closed(how: str) -> str:
    """Return in words how the client wrote down that a server closed a connection."""
    code = how.removeprefix("close code ")
    return how if code == how else f"closed with {code}" if code != "0" else "closed without a code"


def of_cell(page: CellPage) -> Rst:
    """Return every run of a cell, each with its steps."""
    return Rst("\n\n".join(map(_run, page.load_runs)))


def _run(shown: LoadRun) -> Rst:
    run, machine = shown.run, shown.run.machine
    about = (
        f"{shown.began} UTC, under {run.server}. Sockets of {shown.visitors}. "
        f"{machine.cpus} processors, {machine.memory_mb / 1000:.0f} GB, {machine.file_descriptors} file descriptors, "
        f"{machine.system}."
    )
    if run.ended:
        about += f" The run was ended before it was through: {run.ended}."
    parts = [rst.title(f"Run {shown.number}: {run.deployment}", "~"), rst.escape(about)]
    parts.append(rst.csv_table(STEP_HEADER, map(step_row, [*run.steps, *run.again]), "8 8 8 9 16 9 9 9 9 8 16"))
    if run.rate is not None and run.rate.rates:
        parts.append(rst.csv_table(RATE_HEADER, map(list, rate_rows(run.rate)), "20 30 15 15 20"))
    return Rst("\n\n".join(parts))


STEP_HEADER = [
    *("Sockets", "Let in", "Connects a second", "Stood", "Delivered", "p50 / p99 / max (ms)", "Deliveries a second"),
    *("Server: CPU, memory", "Broker: CPU, memory", "Client: busy", "What broke"),
]
RATE_HEADER = ["Messages a second", "Delivered", "p50 (ms)", "p99 (ms)", "Whole and in time?"]


def step_row(step: Step) -> list[str]:
    """Return what stands of a step in the table of its run."""
    speed = f"{step.connected / step.connect_seconds:.0f}" if step.connect_seconds else "─"
    spread = step.latency
    client = step.client
    counts = [f"{step.deliveries} of {step.wanted}"]
    for what in ("lost", "unproved", "closed", "late", "duplicated"):
        number = sum(getattr(each, what) for each in step.messages)
        counts += [f"{number} {what}"] if number else []
    counts += [f"{step.foreign} foreign"] if step.foreign else []
    broke = [step.limit] if step.ended in step.limit else [step.limit, step.ended]
    return [
        f"{step.sockets} for {step.hold:.0f} s" if step.hold else str(step.sockets),
        *(str(step.connected), speed, str(step.lasting)),
        ", ".join(counts) if step.messages else "─",
        f"{spread.p50:.1f} / {spread.p99:.1f} / {spread.max:.1f}" if spread else "─",
        f"{step.per_second:.0f}" if step.per_second else "─",
        *(f"{side.cpu_seconds:.1f} s, {side.memory_mb:.0f} MB" if side else "─" for side in (step.server, step.broker)),
        (f"{client.share:.0%}" + (" (the bottleneck)" if client.bottleneck else "")) if client else "─",
        "; ".join(filter(None, broke)) or "nothing",
    ]


def rate_rows(step: Step) -> Iterable[list[str]]:
    """Yield what stands of each rate in the table of its run."""
    for each in step.rates:
        spread = each.latency
        times = (f"{spread.p50:.1f}", f"{spread.p99:.1f}") if spread else ("─", "─")
        yield [str(each.rate), f"{each.delivered} of {each.expected}", *times, answer(each.good)]
