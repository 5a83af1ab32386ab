"""``dtws run``: a project with its own chat, on every Python and Django that is asked for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from harness.cell.variables import environment
from harness.cells import Cell
from harness.commands import measuring
from harness.commands.compare import as_markdown
from harness.dtws import project
from harness.dtws.option import option, several
from harness.dtws.project import Project
from harness.environments import pair
from harness.environments.pair import NoInterpreter
from harness.errors import HarnessError, UsageError
from harness.libraries import registry
from harness.matrix import releases
from harness.probes import registry as probes
from harness.report.junit import render as junit_of
from harness.report.view import read_view
from harness.results import records
from harness.results.compare import Change, compare
from harness.results.document import save_result
from harness.results.folder import Reports
from harness.results.result import Result
from harness.run import record
from harness.run.candidates import Asked
from harness.run.not_tested import not_tested
from harness.run.request import Request
from harness.system.files import write_atomically
from harness.verdict import Reason, Verdict, sign

_VERSION = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Wanted:
    """What is asked of each cell."""

    probes: list[str]
    asked: Asked
    #: How often each is run.
    repeat: int
    #: Whether a result that is worse than what is recorded takes its place.
    accept: bool


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@option("--scenario", "FILE", "The scenario; chat.toml in FOLDER unless given.", type=click.Path(path_type=Path))
@option("--python", "X.Y,…", "The Pythons; that of dtws unless given.", default="")
@option("--django", "X.Y,…", "The Djangos; the newest that the Python can have unless given.", default="")
@option("--server", "NAME", "Another server for the application that the scenario names.", default="")
@several("--install", "REQUIREMENT", 'In the place of what the scenario installs, such as "-r requirements.txt"')
@several("--probe", "NAME", "A further set of questions: delivery, endings, faults, payloads or load")
@several("--with", "REQUIREMENT", "Measure this instead of what is released")
@option("--as-of", "DATE", "Install what there was on that day, but for Django.", type=click.DateTime(["%Y-%m-%d"]))
@option("--repeat", "NUMBER", "Run each so many times.", type=click.IntRange(1, 100), default=1)
@click.option("--accept", is_flag=True, help="Record what is worse than what is recorded as well.")
@option("--junit", "FILE", "Write a suite for each cell that ran.", type=click.Path(path_type=Path))
@option("--summary", "FILE", "Add what came of it as Markdown.", type=click.Path(path_type=Path))
def run(
    folder: Path,
    scenario: Path | None,
    python: str,
    django: str,
    server: str,
    install: tuple[str, ...],
    probe: tuple[str, ...],
    as_of: datetime | None,
    repeat: int,
    accept: bool,
    junit: Path | None,
    summary: Path | None,
    **options: Any,
) -> int:
    """Measure the project in FOLDER with each Python and Django, and record the results in its folder ``dtws``.

    Each pair gets an environment of its own. A result that is worse than the recorded one is kept apart: the exit code
    is 1 then, and 0 where nothing is worse; of what was never recorded it is that of the verdict.
    """
    found = project.find(folder, scenario, install)
    asked = Asked(options["with"], "", as_of.date() if as_of else None)
    wanted = Wanted(probes.chosen(probe), asked, repeat, accept)
    cells = list(_cells(found, versions(python, "Python"), versions(django, "Django"), server))
    for each in found.library.left_out():
        click.echo(f"{each} is left out: each cell has a Django of its own, the newest unless --django says.")
    before = records.in_folder(found.reports.results).results
    code, now = 0, dict[str, Result]()
    for cell in cells:
        code = _worst(code, _measure(found, cell, wanted, now))
    known = {name: result for name, result in before.items() if name in now}
    if junit:
        write_atomically(junit, _junit(found, known, now))
    if summary:
        compared = compare(known, now, ("recorded", "now"), [], before.values())
        with summary.open("a", encoding="utf-8") as file:
            file.write(as_markdown(compared))
    return code


def _junit(found: Project, before: Mapping[str, Result], now: Mapping[str, Result]) -> bytes:
    """Return a suite for each cell that was run *now*; it fails where the verdict is another one than *before*."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Reports(Path(folder))
        for name, result in now.items():
            save_result(result, reports.result(name))
        return junit_of(read_view(reports, (found.scenario,)), before)


def versions(text: str, what: str) -> list[str]:
    """Return the versions in *text*, such as ``3.13,3.14``.

    Raises:
        UsageError: one is no such version.
    """
    found = [each.strip() for each in text.split(",") if each.strip()]
    for each in found:
        if not _VERSION.fullmatch(each):
            raise UsageError(
                f"{each!r} is no version of {what}", "write it like " + ("3.14" if what == "Python" else "6.0")
            )
    return found


def _cells(found: Project, pythons: list[str], djangos: list[str], server: str) -> Iterator[Cell]:
    """Yield the cells that are asked for; each has a server, or there is a fault in what was asked for.

    Raises:
        UsageError: there is.
    """
    suffix = f"-{found.library.suffix}" + (f"-{server}" if server else "")
    if server and server not in found.library.servers:
        hint = f"known are {', '.join(found.library.servers)}" if found.library.servers else "name the application"
        raise UsageError(f"the chat is not served by {server!r}", hint)
    for python in pythons or [project.own_python()]:
        for django in djangos or [releases.newest_for(python)]:
            cell = Cell.parse(f"py{python.replace('.', '')}-django{django.replace('.', '')}{suffix}")
            registry.setup_for(cell, found.libraries).requirements(cell)
            yield cell


def _worst(one: int, other: int) -> int:
    """Return the more pressing of two exit codes: a red, then a fault, then what was not tested."""
    order = (0, Verdict.NOT_TESTED.exit_code, HarnessError.exit_code, Verdict.DOES_NOT_WORK.exit_code)
    return max(one, other, key=lambda code: order.index(code) if code in order else len(order))


def _measure(found: Project, cell: Cell, wanted: Wanted, now: dict[str, Result]) -> int:
    """Measure one cell, and add its result to *now*, unless it is a candidate; return the exit code."""
    setup = registry.setup_for(cell, found.libraries)
    with record.locked(found.reports, cell.name):
        before = record.recorded(found.reports, cell.name)
        try:
            python = pair.make(cell.name, cell.python, cell.django, found.environments, environment(installer=True))
        except HarnessError as error:
            missing = isinstance(error, NoInterpreter)
            reason = Reason.INTERPRETER_MISSING if missing else Reason.ENVIRONMENT_FAILED
            # Of what is not here nothing is recorded that somebody would commit.
            now[cell.name] = not_tested(cell, setup, reason, str(error), error.hint)
            measuring.say(now[cell.name])
            return Verdict.NOT_TESTED.exit_code
        request = Request(
            cell=cell,
            setup=setup,
            python=python,
            reports=found.reports,
            probes=wanted.probes,
            redis_url=found.redis_url,
        )
        if wanted.asked:
            return measuring.run_candidate(request, wanted.asked, wanted.repeat)
        result, ended = measuring.run_times(request, wanted.repeat)
        now[cell.name] = result
        for left_out in project.not_asked(wanted.probes, found.library):
            click.echo(f"  ─ {left_out}")
        code = _conclude(found, result, before, wanted)
        return ended or code


def _conclude(found: Project, result: Result, before: Result | None, wanted: Wanted) -> int:
    """Record *result* unless it is worse than *before*; return the exit code."""
    for each in result.isolation:
        click.echo(f"  {sign(each.good)} {each.question} {each.seen}")
    measuring.say(result)
    verdict = result.verdicts.overall.verdict
    if verdict is Verdict.DOES_NOT_WORK and (hint := found.library.hint(result)):
        click.echo(f"  {hint}")
    if before is None or verdict is Verdict.NOT_TESTED or wanted.accept:
        return _record(found, result, before)
    others = records.of_library(result, found.reports)
    (change,) = compare({result.cell: before}, {result.cell: result}, ("recorded", "now"), [], others).cells
    if change.change is Change.WORSE:
        save_result(result, found.reports.unexpected(result.cell))
        click.echo(f"{result.cell} is worse than what is recorded of {before.varying.started[:10]}:")
        for line in (change.headline, *change.details):
            click.echo(f"  {line}")
        click.echo("It is not recorded; `dtws run --accept` does that.")
        return Verdict.DOES_NOT_WORK.exit_code
    _record(found, result, before)
    if verdict is not Verdict.WORKS:
        click.echo("That is no worse than what was recorded.")
    return 0


def _record(found: Project, result: Result, before: Result | None) -> int:
    conclusion = record.conclude(found.reports, result, before, expected=False)
    return measuring.show(conclusion, result.cell, found.reports)
