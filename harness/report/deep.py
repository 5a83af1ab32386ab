"""The tables of the deep sets of questions: how a library does in all, and what each cell answered, worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.report import rst, tables
from harness.report.rst import Rst
from harness.report.view import LibraryView, Rows, View
from harness.results.deep import TITLES
from harness.results.kinds import KINDS, Kind, kind_of
from harness.results.questions import deciders
from harness.results.result import Finding
from harness.verdict import answer

#: How many bad answers an overview names, and how many kinds of them a library's page begins with.
_NAMED = 3
_WORST = 3
#: How a site names an issue, with an address.
_ISSUE = "`{name} <https://github.com/{path}>`__"


@dataclass
class Asked:
    """One question of a set, and what the cells answered to it."""

    question: str
    #: The name of the cell → its answer.
    answers: dict[str, Finding] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The short name of the question."""
        return next(iter(self.answers.values())).id

    @property
    def bad(self) -> list[Finding]:
        """The answers that are not as expected."""
        return [each for each in self.answers.values() if each.good is False]

    @property
    def good(self) -> int:
        """How many answers are as expected."""
        return sum(each.good is True for each in self.answers.values())

    @property
    def judged(self) -> int:
        """How many answers say whether they are."""
        return self.good + len(self.bad)

    @property
    def worst(self) -> tuple[float, int]:
        """What questions are sorted by: the share of cells that answer otherwise than expected, then their number."""
        return (-len(self.bad) / self.judged if self.judged else 0.5, -len(self.bad))


def sets(rows: Rows) -> Iterator[tuple[str, list[Asked]]]:
    """Yield the name of each set that was asked, and its questions, worst first."""
    for name in TITLES:
        found: dict[str, Asked] = {}
        for row in rows.rows:
            for each in row.deep:
                for finding in each.findings if each.name == name else ():
                    found.setdefault(finding.question, Asked(finding.question)).answers[row.name] = finding
        if found:
            yield name, sorted(found.values(), key=lambda asked: asked.worst)


def was_asked(rows: Rows | View) -> bool:
    """Tell whether one of the cells was asked a deep set."""
    return any(row.deep for row in rows.rows)


def overview(view: View) -> Rst:
    """Return a line for each set and library: how much is as expected, and the worst; the worst library first."""
    asked_of = {library.title: dict(sets(library)) for library in view.libraries}
    rows: list[list[str]] = []
    for name, title in TITLES.items():
        of_set = [(library, found[name]) for library, found in asked_of.items() if name in found]
        for library, asked in sorted(of_set, key=lambda each: _share(each[1])):
            rows.append([title.partition(":")[0], library, _counted(asked), _worst(asked)])
    return rst.csv_table(["Set", "Library", "As expected", "The worst answers"], rows, "12 18 12 58")


def _share(asked: list[Asked]) -> float:
    """Return the part of the answers that are as expected, of those that say whether they are; 1 where none does."""
    judged = sum(each.judged for each in asked)
    return sum(each.good for each in asked) / judged if judged else 1.0


def _counted(asked: list[Asked]) -> str:
    return f"{sum(each.good for each in asked)} of {sum(each.judged for each in asked)}"


def _worst(asked: list[Asked]) -> str:
    bad = [f"{each.question}: {tables.seen(each.bad)}" for each in asked if each.bad]
    more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return "; ".join(bad[:_NAMED]) + more if bad else "none"


def summaries(library: LibraryView) -> list[tuple[str, str, str]]:
    """Return of each set its title, how many answers are as expected, and the worst of the others."""
    return [(TITLES[name], _counted(asked), _worst(asked)) for name, asked in sets(library)]


def in_every_cell(library: LibraryView) -> Iterator[tuple[str, str, str]]:
    """Yield of each set its title, how many questions every cell answers as expected, and the worst answers."""
    for name, asked in sets(library):
        answers = {each.question: [*each.answers.values()] for each in asked}
        yield TITLES[name], tables.in_every_cell(answers), _worst(asked)


def summary(library: LibraryView) -> Rst:
    """Return a line for each set: how many answers are as expected, and the worst of the others."""
    return rst.csv_table(["Set", "As expected", "The worst answers"], summaries(library), "25 12 63")


def worst(library: LibraryView) -> Rst:
    """Return the worst kinds of answers, each with its worst question and the upstream issue where one is known."""
    found: dict[Kind, list[Asked]] = {}
    for name, asked in sets(library):
        for each in asked:
            if each.bad and (kind := kind_of(name, each.question)):
                found.setdefault(kind, []).append(each)
    rows: list[list[object]] = []
    for kind in KINDS:
        if kind in found and len(rows) < _WORST:
            first, *others = found[kind]
            more = f"; and {len(others)} more of the kind" if others else ""
            cells = f"{len(first.bad)} of {first.judged}"
            issue = _issue(library.prose["known"].get(kind.name, ""))
            rows.append([first.question + more, next(iter(first.bad)).expected, tables.seen(first.bad), cells, issue])
    return rst.csv_table(["Question", "Expected", "Seen", "In cells", "Upstream"], rows, "36 18 20 8 18")


def _issue(known: str) -> Rst | str:
    """Return a link to an issue such as ``owner/name#12``; a dash where none is *known*."""
    if not known:
        return "─"
    return Rst(_ISSUE.format(name=known, path=known.replace("#", "/issues/")))


def blocking(view: View) -> Rst:
    """Return what one busy handler or one upload does to the others, for the kinds of handlers that the prose names."""
    header = ["Library", "Handlers", "While one awaits", "While one blocks", "While one uploads 48 MB", "Cells"]
    rows: list[list[object]] = []
    for library in view.libraries:
        for handlers in library.prose["handlers"]:
            server, way = handlers.get("server", ""), handlers.get("way", "")
            of_server = [row for row in library.rows if server in ("", row.result.server)]
            asked = {each.question: each for each in dict(sets(Rows(library.name, of_server))).get("blocking", [])}
            trips = [f"{what}: another member's round trips" + (f" ({way})" if way else "") for what in _BUSY]
            found = [asked.get(question) for question in trips]
            if any(found):
                cells = max(each.judged for each in found if each)
                rows.append([library.title, handlers["says"], *map(_longest, found), str(cells)])
    return rst.csv_table(header, rows, "16 24 18 18 16 8")


#: What others are asked about.
_BUSY = ("While a handler awaits for 2 s", "While a handler blocks for 2 s", "While a member uploads 48 MB")


def _longest(asked: Asked | None) -> str:
    """Return how long round trips took, in the cells that were asked."""
    if asked is None or not asked.judged:
        return "─"
    return tables.seen(asked.bad or list(asked.answers.values()))


def questions(asked: list[Asked], name: str) -> Rst:
    """Return all questions of the set *name*, each with an address of its own."""
    decided = any(map(_whose, asked))
    rows = [
        [
            # What is a target has to be referred to, so it is a link to itself as well.
            Rst(f"_`{name}-{each.id}` `¶ <{name}-{each.id}_>`__"),
            each.question,
            next(iter(each.answers.values())).expected,
            tables.seen(each.bad or list(each.answers.values())),
            *([_whose(each)] if decided else []),
            Rst(f"{answer(_judged(each))} ({each.good} of {each.judged})"),
        ]
        for each in _with_own_ids(asked)
    ]
    header = ["Address", "Question", "Expected", "Seen", *(["Decided by"] if decided else []), "As expected? (cells)"]
    return rst.csv_table(header, rows, "15 28 18 18 9 12" if decided else "15 28 18 18 12")


def _whose(asked: Asked) -> str:
    """Return whose default or code decides the answer, where that is said."""
    return ", ".join(deciders(each.decided_by for each in asked.answers.values()))


def _with_own_ids(asked: list[Asked]) -> list[Asked]:
    """Return the questions; of those that share a short name the first alone, for an address leads to one place."""
    return list({each.id: each for each in reversed(asked)}.values())[::-1]


def _judged(asked: Asked) -> bool | None:
    return False if asked.bad else True if asked.good else None
