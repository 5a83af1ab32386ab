"""What a library's metadata claims, beside what was measured."""

from __future__ import annotations

import msgspec

from harness.cells import Cell
from harness.environments.names import takes
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results.installed import Claims
from harness.verdict import Verdict


def of(row: Row, library: LibraryView) -> Claims | None:
    """Return the claims of what the cell installed, or, where it could not, of the newest that another cell did."""
    installation, versions = row.result.installation, row.result.versions
    claims = installation.claims if installation is not None else None
    if claims is None:
        return library.claims
    # Django itself, the control, is its own series.
    is_django = versions is not None and claims.version == versions.django
    return msgspec.structs.replace(claims, djangos=[row.cell.django]) if is_django else claims


def claimed(claims: Claims, cell: Cell) -> bool | None:
    """Tell whether *claims* name both the cell's Python and its Django; None where they do not speak of one of them.

    ``Requires-Python`` forbids what it leaves out; only a classifier claims.
    """
    parts = (_python(claims, cell.python), _named(claims.djangos, cell.django))
    return False if False in parts else None if None in parts else True


def _python(claims: Claims, python: str) -> bool | None:
    return False if not takes(claims.requires_python, python) else _named(claims.pythons, python)


def _named(versions: list[str], version: str) -> bool | None:
    """Tell whether *version* is among *versions*; a whole number excludes the others, and claims none of its own."""
    if any("." in each for each in versions):
        return version in versions
    return False if versions and version.partition(".")[0] not in versions else None


def said(row: Row, library: LibraryView) -> str | None:
    """Say in one sentence what is claimed of the cell; None where no metadata was recorded."""
    claims = of(row, library)
    if claims is None:
        return None
    said_of = {
        f"Python {row.cell.python}": _python(claims, row.cell.python),
        f"Django {row.cell.django}": _named(claims.djangos, row.cell.django),
    }
    words = {True: "claims", False: "does not claim", None: "says nothing of"}
    return f"{claims.version} " + " and ".join(f"{words[found]} {what}" for what, found in said_of.items())


def contradictions(library: LibraryView) -> list[tuple[str, list[Row]]]:
    """Return the tested cells of the usual server by what was claimed and what was measured."""
    titles = {
        (True, True): "Claimed, and works",
        (True, False): "Claimed, and does not work",
        (False, True): "Not claimed, and works",
        (False, False): "Not claimed, and does not work",
        (None, True): "Nothing said, and works",
        (None, False): "Nothing said, and does not work",
    }
    found: dict[tuple[bool | None, bool], list[Row]] = {key: [] for key in titles}
    for row in library.groups[0].tested:
        claims = of(row, library)
        if claims is not None:
            found[claimed(claims, row.cell), row.verdict is Verdict.WORKS].append(row)
    said_something = any(found[key] for key in titles if key[0] is not None)
    return [(titles[key], rows) for key, rows in found.items() if rows or (said_something and key[0] is not None)]
