"""The coverage test of a cell: the Django tests of its chat, run by its own Python, and the lines that they cover."""

from __future__ import annotations

import re
from pathlib import Path

from harness.captured import output
from harness.results.result import UnitTests


def covered(project: Path, settings: str) -> list[str]:
    """Return the options for ``coverage run`` that measure the chat of *settings* and leave out those of others.

    *project* is the folder of ``manage.py``, *settings* a module such as ``myapp.plain.settings``.
    """
    top, _, own = settings.rpartition(".")[0].partition(".")
    packages = [path.parent.name for path in sorted((project / top).glob("*/__init__.py"))]
    others = [f"{top}/{name}/*" for name in packages if name != own]
    return [f"--source=DjangoTestWebsockets,{top}", *([f"--omit={','.join(others)}"] if others else [])]


def counted(text: str, table: str) -> UnitTests | None:
    """Read the counts out of what Django's test runner and coverage print; None where no tests were run.

    *text* is the runner's output, *table* what ``coverage report`` printed.
    """
    ran = re.search(r"^Ran (\d+) tests? in", text, re.MULTILINE)
    if ran is None:
        return None
    counts = {name: int(number) for name, number in re.findall(r"(failures|errors|skipped)=(\d+)", text)}
    total = re.search(r"^TOTAL\s.*?(\d+)%\s*$", table, re.MULTILINE)
    return UnitTests(
        ran=int(ran[1]),
        failed=counts.get("failures", 0) + counts.get("errors", 0),
        skipped=counts.get("skipped", 0),
        coverage_percent=float(total[1]) if total else None,
        table=output.shorten(table),
    )


def said(text: str) -> str:
    """Return in a few words what the runner's output *text* says; nothing where no tests were run."""
    found = counted(text, "")
    return f"{found.ran} run, {found.failed} failed, {found.skipped} skipped" if found else ""
