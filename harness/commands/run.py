"""``run``: measure one cell."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from harness import history, libraries, probes
from harness import run as running
from harness.cells import Cell
from harness.commands import options
from harness.commands.progress import Progress, verdict_line
from harness.compare import differences
from harness.errors import UsageError
from harness.load.model import LADDER
from harness.result import Result, Verdict, load, save
from harness.run import Request

#: The exit code of each verdict.
EXIT = {Verdict.WORKS: 0, Verdict.DOES_NOT_WORK: 1, Verdict.NOT_TESTED: 4}


@click.command()
@click.argument("cell")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The interpreter of the cell's environment; tox names it.",
)
@click.option(
    "--probe",
    "asked",
    multiple=True,
    metavar="NAME",
    envvar="HARNESS_PROBE",
    help=f"A further question: {', '.join(probes.PROBES)}, or all (but load, which wants the machine for itself).",
)
@click.option(
    "--freeze",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RESULT",
    help="Install what this result of the cell installed, instead of what is resolved today; nothing is recorded.",
)
@click.option(
    "--sockets",
    type=click.IntRange(min=LADDER[0]),
    default=LADDER[-1],
    show_default=True,
    metavar="NUMBER",
    help="The most sockets that --probe load opens.",
)
@click.option("--redis-url", metavar="URL", help="Use this Redis instead of starting one for the cell.")
@click.option(
    "--expect",
    type=click.Choice(["recorded"]),
    envvar="HARNESS_EXPECT",
    help="Exit 0 if the verdict is the recorded one, 1 if it is another, better or worse.",
)
@options.reports
@options.libraries
def run(
    cell: str,
    python: Path,
    asked: tuple[str, ...],
    freeze: Path | None,
    sockets: int,
    redis_url: str | None,
    expect: str | None,
    reports: Path,
    folders: tuple[Path, ...],
) -> int:
    """Measure CELL in the environment of --python, and record its result."""
    parsed = Cell.parse(cell)
    subject = libraries.of(parsed, libraries.load(folders))
    past = load(freeze) if freeze else None
    frozen = _frozen(past, cell) if past else None
    # A path through the environment's own bin folder, not the interpreter it links to.
    wanted = probes.chosen(asked)
    request = Request(parsed, subject, python.absolute(), reports.absolute(), wanted, redis_url, frozen, sockets)
    path = options.result_path(reports, cell)
    with running.locked(request.reports, cell):
        recorded = earlier(path)
        if expect and recorded is None:
            raise UsageError(f"--expect recorded: there is no recorded result of {cell}", f"run `tox -e {cell}` first")
        with Progress(cell) as progress:
            result = running.run(request, progress)
        if past is not None:
            return _compare(result, past)
        return _conclude(result, path, recorded, expect)


def _frozen(past: Result, cell: str) -> list[str]:
    if past.cell != cell:
        raise UsageError(f"--freeze: that is the result of {past.cell}, not of {cell}")
    if past.installation is None:
        raise UsageError(f"--freeze: nothing was installed in {cell} then, so there are no versions to install again")
    return past.installation.added


def earlier(path: Path) -> Result | None:
    """Return the earlier result; a damaged one, or its history, stops the run, for it must not be overwritten."""
    history.read(history.path_of(path.parent.parent, path.stem))
    return load(path) if path.exists() else None


def _compare(result: Result, past: Result) -> int:
    """Show what came of the versions of the past; it is no news of today, so nothing is recorded."""
    click.echo(verdict_line(result))
    changes = differences(past, result)
    if past.versions and result.versions and past.versions.django != result.versions.django:
        changes.append(f"Django is {result.versions.django}, and was {past.versions.django}")
    for change in changes or ["The same as then."]:
        click.echo(f"  {change}")
    return 1 if changes else 0


def _conclude(result: Result, path: Path, recorded: Result | None, expect: str | None) -> int:
    click.echo(verdict_line(result))
    code = EXIT[result.verdicts.overall.verdict]
    changes = differences(recorded, result) if expect and recorded is not None else []
    if changes and code != EXIT[Verdict.NOT_TESTED]:
        unexpected = path.parent.parent / "evidence" / result.cell / "result.json"
        save(result, unexpected)
        click.echo(f"{result.cell} does not do what is recorded:")
        for change in changes:
            click.echo(f"  {change}")
        click.echo(f"The new result is in {options.shown(unexpected)}; without --expect it is recorded.")
        return 1
    if not record(result, path, recorded):
        return code
    click.echo(f"Result: {options.shown(path)}")
    if not expect or recorded is None or code == EXIT[Verdict.NOT_TESTED]:
        return code
    tried = recorded.verdicts.overall.verdict is not Verdict.NOT_TESTED
    click.echo("As recorded." if tried else "New: nothing was recorded.")
    return 0


def record(result: Result, path: Path, recorded: Result | None) -> bool:
    """Save *result*; tell whether it was, for "not tested" never takes the place of a verdict."""
    tried = result.verdicts.overall.verdict is not Verdict.NOT_TESTED
    if not tried and recorded is not None and recorded.verdicts == result.verdicts:
        return True  # nothing is new but the date
    if not tried and recorded is not None and recorded.verdicts.overall.verdict is not Verdict.NOT_TESTED:
        day = recorded.varying.started[:10]
        click.echo(f"The result recorded on {day} stays: {recorded.verdicts.overall.label}")
        return False
    save(_with_earlier_probes(result, recorded), path)
    history.append(path.parent.parent, result, recorded)
    return True


def _with_earlier_probes(result: Result, recorded: Result | None) -> Result:
    """Keep what probes found earlier, as long as not one version has changed since."""
    if recorded is None or recorded.versions != result.versions:
        return result
    asked = {probe.name for probe in result.probes}
    kept = [probe for probe in recorded.probes if probe.name not in asked]
    if not kept or result.verdicts != recorded.verdicts:
        return result
    before, now = recorded.varying, result.varying
    questions = {finding.question for probe in kept for finding in probe.findings}
    varying = msgspec.structs.replace(
        now,
        probed_on={**{probe.name: before.probed_on[probe.name] for probe in kept}, **now.probed_on},
        costs=now.costs or before.costs,
        tools={**before.tools, **now.tools},
        counted={**{key: value for key, value in before.counted.items() if key in questions}, **now.counted},
    )
    # Their steps as well, before the server's stop as they were asked.
    names = {f"probe {probe.name}" for probe in kept}
    steps = [step for step in recorded.steps if step.name in names]
    place = next((at for at, step in enumerate(result.steps) if step.name.startswith("stop ")), len(result.steps))
    varying = msgspec.structs.replace(
        varying, seconds={**{name: before.seconds[name] for name in names if name in before.seconds}, **now.seconds}
    )
    order = list(probes.PROBES)
    # One that is no longer asked comes last.
    joined = sorted(
        [*kept, *result.probes], key=lambda probe: order.index(probe.name) if probe.name in order else len(order)
    )
    joined_steps = [*result.steps[:place], *steps, *result.steps[place:]]
    return msgspec.structs.replace(result, probes=joined, steps=joined_steps, varying=varying)
