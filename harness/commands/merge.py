"""``merge``: join the results of many machines into one folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from harness.commands import options
from harness.errors import HarnessError, UsageError
from harness.libraries import registry
from harness.matrix import ci, listing
from harness.results import records
from harness.results.folder import Reports
from harness.results.merge import Kind, Problem, damage
from harness.results.merge import merge as merge_records
from harness.run import merging
from harness.system.files import unwritable
from harness.verdict import Verdict


@click.command()
@click.argument("places", metavar="DIR…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to fill: a new one."
)
@click.option(
    "--over",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A reports folder, such as the recorded one, for the cells that nobody was asked for or could try.",
)
@options.labels
@options.libraries
def merge(
    places: tuple[Path, ...], into: Path, over: Path | None, labels: tuple[str, ...], folders: tuple[Path, ...]
) -> int:
    """Join the reports folders DIR… of many machines, with all their contents; -m names the expected cells.

    Cells that are damaged, of a foreign schema, missing, or disagreed on by two machines are named and become
    "not tested" for that reason; exit 1 if there are any.
    """
    if into.exists() and any(into.iterdir()):
        raise UsageError(f"{into.name} is not empty", "name a new folder")
    sources = _named(places)
    found = {name: records.of_folder(folder) for name, folder in sources.items()}
    base = records.of_folder(over) if over else records.Records()
    # A Python that is to be had nowhere has no job, so nobody was asked: what is recorded of it stands.
    expected = [
        cell for cell in (listing.cells(labels) if labels else []) if over is None or cell.python not in ci.NOWHERE
    ]
    merged = merge_records(found, expected, base.results)
    merged.problems += [damage("the recorded one", cell, error) for cell, error in base.damaged.items()]
    merged.problems += _empty(found)
    brought = [result for source, result in merged.results.values() if source]
    tested = sum(result.verdicts.overall.verdict is not Verdict.NOT_TESTED for result in brought)
    recorded = f"; {len(merged.results) - len(brought)} as recorded" if over else ""
    with _replacing(into) as partial:
        merging.write(
            merged,
            sources={name: Reports(folder) for name, folder in {**sources, **({"": over} if over else {})}.items()},
            into=partial,
            libraries=registry.discover(folders),
            recorded=base.results,
        )
    click.echo(f"{len(brought)} results from {len(sources)} folders, {tested} with a verdict{recorded}.")
    for problem in merged.problems:
        click.echo(f"error: {problem}", err=True)
    return 1 if merged.problems else 0


def _empty(found: Mapping[str, records.Records]) -> list[Problem]:
    """Return the problem of each folder without a result.

    Raises:
        HarnessError: not one of them has any.
    """
    empty = [name for name, each in found.items() if not each.results and not each.damaged]
    if empty and len(empty) == len(found):
        raise HarnessError(f"there are no results in {', '.join(empty)}", "each has to hold a folder results")
    return [Problem(Kind.MISSING, name, "there are no results in this folder") for name in empty]


@contextmanager
def _replacing(folder: Path) -> Iterator[Reports]:
    """Yield a folder that takes the place of *folder*, which is empty or not there, once all of it is written."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        yield Reports(partial)
        with suppress(FileNotFoundError):
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise unwritable(folder.name, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _named(places: Sequence[Path]) -> dict[str, Path]:
    """Return *places* by the shortest of their last names that tells them apart, and shows no more of the machine."""
    resolved = [folder.resolve() for folder in dict.fromkeys(places)]
    for depth in range(1, max(len(folder.parts) for folder in resolved) + 1):
        names = ["/".join(folder.parts[-depth:]) for folder in resolved]
        if len(set(names)) == len(names):
            return dict(zip(names, resolved, strict=True))
    raise UsageError("a folder is named twice")
