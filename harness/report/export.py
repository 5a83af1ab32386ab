"""The matrix as data: one row for each cell, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec

from harness.captured.scrub import one_line
from harness.report.advice import Advisor
from harness.report.choices import Choice
from harness.report.row import Row
from harness.report.view import View
from harness.results import figures
from harness.results.catches import Severity
from harness.results.model import Model
from harness.verdict import Reason, Verdict


class Exported(Model, frozen=True, kw_only=True):
    """One cell of the matrix. What is not known is empty in CSV and null in JSON.

    ``supported``: whether Django supported the pair on the day of the newest result. ``since``: the recorded run since
    which the verdict stands. ``profile``: what an installer resolves "today", or the best known "pins". ``deep``: how
    many answers to the deep sets say whether they are as expected, and ``deep_as_expected`` how many of those are.
    ``label``: the verdict as it is shown. ``catches``: how many answers of the cell a user has to beware of although it
    works, and ``beware`` what they are about, each with what takes it away. ``beware_elsewhere``: the same of what this
    cell was not asked and another one of the library answered. ``worst``: the severity of the worst of both.
    ``install``: the command that installs what works, with the pins that take catches away. ``latency_ms`` and
    ``install_seconds``: the median of all recorded runs.
    """

    cell: str
    library: str
    server: str
    profile: str
    python: str
    django: str
    supported: bool
    verdict: Verdict
    label: str
    reason: Reason
    text: str
    catches: int | None
    worst: Severity | None
    beware: str
    beware_elsewhere: str
    install: str | None
    django_server: Verdict | None
    web_server: Verdict
    channels: Verdict
    exchanges: int
    exchanges_right: int
    latency_ms: float | None
    packages: int | None
    added_bytes: int | None
    install_seconds: float | None
    python_version: str | None
    django_version: str | None
    library_version: str | None
    broker: str | None
    deep: int | None
    deep_as_expected: int | None
    measured: str
    since: str | None


def rows(view: View, advisor: Advisor | None = None) -> list[Exported]:
    """Return every cell of *view* as a row; *advisor* is that of *view*, where there is one already."""
    advisor = advisor or Advisor(view)
    return [_row(view, row, advisor) for row in view.rows]


def _row(view: View, row: Row, advisor: Advisor) -> Exported:
    choice = advisor.choice(row) if row.verdict is Verdict.WORKS else None
    result, verdicts, versions = row.result, row.result.verdicts, row.result.versions
    installation, since, installing = result.installation, row.since, figures.of(result, figures.INSTALL)
    counts = [each.summary.counts or (0, 0) for each in row.deep]
    return Exported(
        cell=row.name,
        library=result.library,
        server=result.server,
        profile=result.profile,
        python=row.cell.python,
        django=row.cell.django,
        supported=view.supported(row),
        verdict=row.verdict,
        label=advisor.label(row),
        reason=verdicts.overall.reason,
        text=one_line(verdicts.overall.text),
        catches=len(row.catches) if choice else None,
        worst=choice.beware[0].trouble.severity if choice and choice.beware else None,
        beware=_told(choice, seen_here=True),
        beware_elsewhere=_told(choice, seen_here=False),
        install=choice.install if choice else None,
        django_server=verdicts.django_server.verdict if verdicts.django_server else None,
        web_server=verdicts.web_server.verdict,
        channels=verdicts.channels.verdict,
        exchanges=len(result.exchanges),
        exchanges_right=row.right,
        latency_ms=round(row.latency, 3) if row.latency is not None else None,
        packages=len(installation.added) if installation else None,
        added_bytes=installation.added_bytes if installation else None,
        install_seconds=round(installing.median, 3) if installing else None,
        python_version=versions.python if versions else None,
        django_version=versions.django if versions else None,
        library_version=versions.library or None if versions else None,
        broker=versions.broker or None if versions else None,
        deep=sum(judged for _, judged in counts) if counts else None,
        deep_as_expected=sum(right for right, _ in counts) if counts else None,
        measured=result.varying.started,
        since=since.date if since else None,
    )


def _told(choice: Choice | None, seen_here: bool) -> str:
    """Return what there is to beware of, either of what was seen in the cell itself or of the rest."""
    found = choice.beware if choice else []
    return "; ".join(one_line(each.says) for each in found if (not each.seen_in) is seen_here)


def as_csv(view: View, advisor: Advisor | None = None) -> str:
    """Return the rows as CSV (RFC 4180) with a header; a text cannot be taken for a formula by a spreadsheet."""
    written = io.StringIO()
    writer = csv.DictWriter(written, Exported.__struct_fields__)
    writer.writeheader()
    for row in rows(view, advisor):
        writer.writerow({name: _plain(value) for name, value in msgspec.to_builtins(row).items()})
    return written.getvalue()


def _plain(value: Any) -> Any:
    """Return *value* so that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def as_json(view: View, advisor: Advisor | None = None) -> str:
    """Return the rows as a JSON array, as :func:`schema` describes it."""
    return msgspec.json.format(msgspec.json.encode(rows(view, advisor)), indent=1).decode() + "\n"


def schema_as_json() -> str:
    """Return the schema as text."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what :func:`as_json` returns."""
    document = msgspec.json.schema(list[Exported])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The matrix, a row each cell",
        **document,
    }
