"""The pages of the site, each made from the one view of the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from harness.errors import HarnessError
from harness.report import badges, claims, deep, deploy, export, load_plots, plots, render, tables
from harness.report.advice import Advisor
from harness.report.cell_page import CellPage
from harness.report.choices import RULE, Answer
from harness.report.row import Row
from harness.report.upgrades import Steps, Upgrades, Way
from harness.report.view import LibraryView, View
from harness.results.catches import TROUBLES, Severity
from harness.results.document import encode_result
from harness.results.folder import Reports
from harness.site import beside, feed, first_page, frames, lists, prose
from harness.site.templating import environment_of
from harness.system import workers
from harness.verdict import Verdict

#: Returns the commands that bring about the result of a row again; empty where they are not known.
Script = Callable[[Row], list[str]]

_HERE = Path(__file__).resolve().parent
#: The pages that are made of prose alone: their source, title and description.
_PROSE = {
    "compare.html": (
        "index.rst",
        "Comparison of WebSocket libraries for Django",
        "What they cost, what else was asked, servers, documentation: every library on one page.",
    ),
    "causes.html": (
        "causes.rst",
        "What fails, what it comes from, and what mends it",
        "Every failure and every catch of all cells, by its cause, with the release that is guilty and what mends it.",
    ),
    "how.html": (
        "how.rst",
        "How a verdict is reached",
        "What is done in each environment before it says Yes, No or Not tested.",
    ),
}
#: The sources of pages that lie where the site begins.
_AT_THE_TOP = {source for source, _, _ in _PROSE.values()}
#: So many cells are made by a process at a time.
_PART = 20
#: How many cells a red one names that work instead, unless more are of its own library.
_SIBLINGS = 4
#: Stands for where the site is published, until a page that is read there puts that in its place.
_ADDRESS = "https://this-site.example/"
#: How a badge is copied.
_BADGE_FORMS = {
    "reStructuredText": ".. image:: {image}\n   :target: {page}\n   :alt: {title}",
    "Markdown": "[![{title}]({image})]({page})",
    "HTML": '<a href="{page}"><img src="{image}" alt="{title}"></a>',
    "AsciiDoc": "image:{image}[{title},link={page}]",
    "URL": "{image}",
}


class _Ways(NamedTuple):
    """What an upgrade from a cell asks."""

    onwards: list[Way]
    newest: Way


@dataclass
class Site:
    """Makes the pages of *view*, with the evidence that lies in *reports*."""

    view: View
    reports: Reports
    script: Script
    advisor: Advisor = field(init=False)
    steps: Steps = field(init=False)

    def __post_init__(self) -> None:
        self.advisor = Advisor(self.view)
        self.steps = Steps(self.view, self.advisor)
        self._environment = environment_of(self.view, self.advisor)

    def _page(self, template: str, root: str = "", current: str = "", **values: Any) -> str:
        return self._environment.get_template(template).render(root=root, current=current, **values)

    @cached_property
    def answers(self) -> list[Answer]:
        """The answer to every pair of which something is measured, or that Django supports."""
        return [self.advisor.answer(*pair) for pair in self.advisor.pairs]

    @cached_property
    def sections(self) -> list[beside.Section]:
        """The libraries side by side."""
        return beside.sections(self.view, self.advisor)

    def write(self, folder: Path) -> int:
        """Write every page into *folder*, on all processors; return how many there are.

        Raises:
            HarnessError: nothing is here to draw pictures with, or one cannot be drawn.
            OSError: one cannot be written.
        """
        if find_spec("matplotlib") is None:
            raise HarnessError("the plots need matplotlib", "`tox -e site` has it")
        view = self.view
        prose_of = render.deferred(view, self.advisor, cells=False)
        prose_of["how.rst"] = partial((_HERE / "how.rst").read_text, encoding="utf-8")
        pictures = [*plots.plots(view), *load_plots.plots(view)]
        cells = [(library, row) for library in view.libraries for row in library.rows]
        jobs: list[Callable[[], Any]] = [
            partial(plots.both, pictures),
            *(partial(_body, text, "" if path in _AT_THE_TOP else "../") for path, text in prose_of.items()),
            *(partial(self._write_cells, folder, part) for part in workers.parts(cells, _PART)),
        ]
        self._prepare()
        with workers.side_by_side(jobs) as made:
            number = _write(folder, self._overviews())
            number += _write(folder, self._plots(dict(zip(pictures, next(made), strict=True))))
            number += _write(folder, self._described(dict(zip(prose_of, islice(made, len(prose_of)), strict=True))))
            for each in made:
                number += each
        return number

    def _prepare(self) -> None:
        """Find what many pages need before the processes part: each would have to find it by itself."""
        _ = self.answers, self.sections
        for name in ("cell.html.j2", "macros.html.j2", "onwards.html.j2", "base.html.j2"):
            self._environment.get_template(name)
        for row in self.view.rows:
            self.steps.of(row)
        for row in self.view.rows[:1]:  # what that needs is imported then
            self.script(row)

    def _overviews(self) -> Iterator[tuple[str, str | bytes]]:
        """Yield the pages that are made of all results, and of nothing that other processes make."""
        yield "index.html", self._index()
        yield from self._tables()
        yield from self._data()

    def _write_cells(self, folder: Path, cells: Iterable[tuple[LibraryView, Row]]) -> int:
        return sum(_write(folder, self._cell(library, row)) for library, row in cells)

    def _described(self, bodies: Mapping[str, Markup]) -> Iterator[tuple[str, str]]:
        """Yield the pages with prose, whose *bodies* are known by their sources."""
        for library in self.view.libraries:
            yield from self._library(library, bodies)
        for name, (source, title, description) in _PROSE.items():
            body = bodies[source]
            yield name, self._page("page.html.j2", current=name, title=title, description=description, body=body)

    def _index(self) -> str:
        filters, known = first_page.filters(self.view), set(self.advisor.pairs)
        pythons, djangos = ([value for value, _ in values] for _, _, values in filters[:2])
        others = [pair for pair in product(pythons, djangos) if pair not in known]
        return self._page(
            "index.html.j2",
            current="index.html",
            filters=filters,
            answers=self.answers,
            others=[self.advisor.answer(*pair) for pair in others],
            libraries=self.view.libraries,
            questions=first_page.questions(self.view, {each.id for each in self.sections}),
        )

    def _tables(self) -> Iterator[tuple[str, str]]:
        """Yield the pages that are made of tables."""
        view, known, security = self.view, lists.packages(self.view, self.advisor), beside.security(self.sections)
        severities = [(each, [one.says for one in TROUBLES if one.severity is each]) for each in Severity]
        yield (
            "answers.html",
            self._page("answers.html.j2", answers=self.answers, rule=RULE, severities=severities),
        )
        yield (
            "libraries.html",
            self._page(
                "libraries.html.j2",
                current="libraries.html",
                title="Libraries side by side",
                description="Any two libraries line by line: verdicts, costs, load, and the answers to all questions.",
                intro=(
                    "Choose two libraries, or two ways of one, such as another layer or consumer, and what one loses "
                    "by changing from the left to the right is marked. What a way was not asked alone is left open: "
                    "the column of its library says what that does as it comes."
                ),
                columns=beside.columns(view, self.sections),
                sections=self.sections,
            ),
        )
        yield (
            "security.html",
            self._page(
                "libraries.html.j2",
                current="security.html",
                title="Who can listen in",
                description="Who hears what is not meant for them, by which library, and whose default decides it.",
                intro=(
                    "Isolation and sessions, across all libraries, in the chat of this project as each documentation "
                    "has it written. Whose default or code decides an answer stands in it, where that is known."
                ),
                columns=beside.columns(view, security),
                sections=security,
            ),
        )
        guilty = [each for each in known if each.turned]
        yield "packages.html", self._page("packages.html.j2", current="packages.html", packages=known, guilty=guilty)
        found = lists.entries(view, self.advisor, self.sections, known)
        yield "search.html", self._page("search.html.j2", entries=list(found), also=lists.also)
        yield "upgrade.html", self._page("upgrade.html.j2", current="upgrade.html", libraries=view.libraries)

    def _cell(self, library: LibraryView, row: Row) -> Iterator[tuple[str, str | bytes]]:
        """Yield the page of a cell, and before it those of its evidence."""
        evidence = []
        shown = partial(self._frames, row.name)
        for title, name, text in frames.pages(row.name, self.reports.recorded_evidence(row.name), shown):
            evidence.append((title, f"../evidence/{quote(name)}", f"{max(len(text) // 1000, 1)} kB"))
            yield f"evidence/{name}", text
        images = [
            (title.removeprefix("browser-").removesuffix(".png"), target)
            for title, target, _ in evidence
            if title.endswith(".png")
        ]
        works, fails = row.verdict is Verdict.WORKS, row.verdict is Verdict.DOES_NOT_WORK
        yield (
            f"cells/{row.name}.html",
            self._page(
                "cell.html.j2",
                "../",
                page=CellPage(row, library, self.view.day),
                library=library,
                row=row,
                choice=self.advisor.choice(row) if works else None,
                failing=self.advisor.failing(row) if fails else None,
                siblings=self._siblings(row) if fails else [],
                ways=_ways(Upgrades(self.steps, row)),
                evidence=evidence,
                pictures=images,
                claim=claims.said(row, library),
                script=self.script(row),
            ),
        )
        yield f"data/cells/{row.name}.json", encode_result(row.result)

    def _frames(self, cell: str, name: str, packed: frames.PackedFrames) -> str:
        return self._page("frames.html.j2", "../", cell=cell, name=name, packed=packed)

    def _siblings(self, row: Row) -> list[Row]:
        """Return the cells that work on the pair of *row*, those of its library first; where none does, the nearest."""
        found = self._answer_of[row.cell.python, row.cell.django]
        works = [choice.row for _, choice in found.choices]
        mine = [each for each in works if each.result.library == row.result.library]
        others = [each for each in works if each not in mine]
        return mine + others[: max(_SIBLINGS - len(mine), 0)] or found.nearest

    @cached_property
    def _answer_of(self) -> dict[tuple[str, str], Answer]:
        return {(each.python, each.django): each for each in self.answers}

    def _library(self, library: LibraryView, bodies: Mapping[str, Markup]) -> Iterator[tuple[str, str]]:
        """Yield the page of a library, its whole report, and its questions."""
        works = library.example.verdict is Verdict.WORKS
        summary = prose.html(library.prose["summary"], "../")
        yield (
            f"library/{library.name}.html",
            self._page(
                "library.html.j2",
                "../",
                library=library,
                summary=summary,
                example=self.advisor.choice(library.example) if works else None,
                servers=deploy.servers(library, self.advisor),
                carried=deploy.ways(library, self.advisor),
                brokers=deploy.brokers(library),
                sets=list(_sets(library)),
                load=[(row, run) for row in library.rows for run in row.under_load],
                claims=library.claims,
                claimed=claims.contradictions(library),
            ),
        )
        described = {
            "report": (f"{library.name}.rst", f"{library.title}: the whole report"),
            "questions": (f"{library.name}/questions.rst", f"{library.title}: the questions"),
        }
        for name, (source, title) in described.items():
            description = f"{title}, measured in {len(library.tested)} environments."
            body = bodies[source]
            path = f"library/{library.name}-{name}.html"
            yield path, self._page("page.html.j2", "../", title=title, description=description, body=body)

    def _plots(self, drawn: Mapping[plots.Picture, tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the page of what was *drawn*, and those that stand alone in the comparison."""
        shown = [(each.title, each.caption, svg) for each, (svg, _) in drawn.items()]
        yield "plots.html", self._page("plots.html.j2", current="plots.html", plots=shown)
        yield from ((f"{each.name}.svg", alone) for each, (_, alone) in drawn.items() if each.in_reports)

    def _data(self) -> Iterator[tuple[str, str | bytes]]:
        """Yield what other programs read, the page that leads to it, and the history."""
        view = self.view
        changes = [(row, *change) for row in view.rows for change in row.changes]
        changes.sort(key=lambda change: change[2].date, reverse=True)
        # A search for a cause knows when a cell broke, also where nobody measured it then.
        turned = [(each, row, cause) for row in view.rows for cause in row.result.causes for each in cause.turned]
        turned.sort(key=lambda found: (found[0].uploaded, found[1].name), reverse=True)
        yield (
            "history.html",
            self._page(
                "history.html.j2",
                current="history.html",
                changes=changes,
                recorded=any(row.history for row in view.rows),
                turned=turned,
                machines=sorted({row.result.varying.machine for row in view.rows} - {""}),
                unknown=sum(not row.result.varying.machine for row in view.rows),
                days=sorted(Counter(row.result.varying.started[:10] for row in view.rows).items(), reverse=True),
            ),
        )
        yield "feed.atom", feed.render(view, changes, turned)
        yield "data/matrix.json", export.as_json(view, self.advisor)
        yield "data/matrix.csv", export.as_csv(view, self.advisor)
        yield "data/matrix.schema.json", export.schema_as_json()
        yield from ((f"badges/{name}", text) for name, text in badges.render(view, self.advisor).items())
        yield "data.html", self._page("data.html.j2", badges=list(_badges(view)), address=_ADDRESS)


def _body(text: Callable[[], str], root: str) -> Markup:
    return prose.html(text(), root)


def _write(folder: Path, pages: Iterable[tuple[str, str | bytes]]) -> int:
    """Write *pages*, by their paths below *folder*; return how many there are."""
    number = 0
    for number, (path, content) in enumerate(pages, 1):  # noqa: B007 -- the last number is how many there were
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
    return number


def _ways(upgrades: Upgrades) -> _Ways | None:
    """Return what an upgrade asks; None where there is nothing newer."""
    onwards = list(upgrades.onwards())
    return _Ways(onwards, upgrades.newest()) if onwards else None


def _sets(library: LibraryView) -> Iterator[tuple[str, str, str]]:
    """Yield each set of questions: its title, how much of it is as expected, and the worst of the others."""
    for name, title in tables.SETS.items():
        answers = library.findings(name, library.works or None)
        bad = [question for question, found in answers.items() if any(each.good is False for each in found)]
        if answers:
            yield title, tables.in_every_cell(answers), "; ".join(bad[:3]) or "none"
    yield from deep.in_every_cell(library)


def _badges(view: View) -> Iterator[tuple[LibraryView, list[tuple[str, str]]]]:
    for library in view.libraries:
        values = {
            "image": f"{_ADDRESS}badges/{library.name}.svg",
            "page": f"{_ADDRESS}library/{library.name}.html",
            "title": library.title,
        }
        yield library, [(name, form.format(**values)) for name, form in _BADGE_FORMS.items()]
