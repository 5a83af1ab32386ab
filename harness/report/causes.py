"""The tables of causes and cures: what cells have in common that fail, or that have a catch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from harness.report import rst
from harness.report.rst import Rst
from harness.report.view import View
from harness.results.explained import Attempt, Catch, Cure
from harness.results.questions import without_counts
from harness.results.roots import Root, roots
from harness.verdict import Verdict


class Weighs(Protocol):
    """Knows what a cure is worth that was tried in a cell."""

    def against(self, cell: str, cure: Cure) -> str:
        """Return what speaks against it; empty if nothing does."""
        ...

    def brought(self, cell: str, cure: Cure) -> list[Catch]:
        """Return what it brings that is milder than what it mends."""
        ...

    def shown(self, root: Root) -> dict[str, list[str]]:
        """Return the ways that answers show to mend *root*, and in which cells of it."""
        ...

    def left(self, cell: str, cure: Cure, root: Root) -> list[str]:
        """Return the questions of *root* that a *cure* which mends one of them in *cell* does not mend there."""
        ...


#: How a cure is told.
_CURES = {"pin": "install {}", "setting": "the {}", "server": "{} as the server", "cell": "as in {}"}
#: How many cells are named in a row.
_NAMED = 3


def found(view: View) -> list[Root]:
    """Return the root causes of all cells of *view*, the most frequent first."""
    return roots({row.name: row.result for row in view.rows}, {row.name: row.catches for row in view.rows})


def overview(causes: list[Root], weighs: Weighs) -> Rst:
    """Return a row for each of *causes*: how many cells it explains, what it comes from, and what mends it."""
    rows = [
        [
            Rst(f"`{len(root.results)} <cause-{root.id}_>`__"),
            f"{root.told} ({', '.join(root.libraries)})",
            root.explained or "not known yet",
            mended(root, weighs),
        ]
        for root in causes
    ]
    return rst.csv_table(["Cells", "What is seen", "What it comes from", "What mends it"], rows, "8 34 36 22")


def mended(root: Root, weighs: Weighs) -> str:
    """Say what mends *root*, in how many of its cells that was tried, and in how many it is expected."""
    tried = {named(cure) for _, cure in root.cures}
    shown = {change: cells for change, cells in weighs.shown(root).items() if change not in tried}
    also = answered(*max(shown.items(), key=lambda each: len(each[1]))) if shown else ""
    if not root.cures:
        return also or _in_vain(root)
    return "; ".join(filter(None, (_tried(root, weighs), also and f"so does {also}")))


def answered(change: str, cells: Sequence[str]) -> str:
    """Say that the answers of *cells* show what mends something."""
    return f"{change}: as the answers of {_some(cells)} show"


def _some(cells: Sequence[str]) -> str:
    """Name the first of *cells*, and say how many more there are."""
    more = f" and {len(cells) - _NAMED} more" if len(cells) > _NAMED else ""
    return f"{', '.join(cells[:_NAMED])}{more}"


def _tried(root: Root, weighs: Weighs) -> str:
    """Say what mends *root* of what was tried, the best of it."""
    counted = Counter((cure.kind, cure.change) for _, cure in root.cures)
    spoken = {(cure.kind, cure.change): why for name, cure in root.cures if (why := weighs.against(name, cure))}
    of = {library: root.proved(library) for library in root.libraries}
    proved = set().union(*of.values())
    kind, change = min(counted, key=lambda each: (each in spoken, each not in proved, rank(each[0]), -counted[each]))
    of_it = [(name, cure) for name, cure in root.cures if (cure.kind, cure.change) == (kind, change)]
    # What is proved for one library may be luck in the one cell of another.
    luck = {root.results[name].library for name, _ in of_it}
    luck = {library for library in luck if (kind, change) not in of[library]} if (kind, change) in proved else set()
    of_it = [(name, cure) for name, cure in of_it if root.results[name].library not in luck]
    tried = sorted({name for name, _ in of_it})
    # What mends one library need not mend another that fails alike.
    cured = {root.results[name].library for name in tried}
    vain = {name for name, each in root.attempts if (each.kind, each.change) == (kind, change)} - set(tried)
    alike = [name for name, result in root.results.items() if result.library in cured and name not in vain]
    whose = f", for {', '.join(sorted(cured))}" if cured < set(root.libraries) else ""
    said = f"{_CURES[kind].format(change)}{whose}: tried in {_some(tried)}"
    if (kind, change) in spoken:
        said += f"; no cure, for {spoken[kind, change]}"
    elif (kind, change) not in proved:
        said += "; it may be chance"
    elif luck:
        said += f"; for {', '.join(sorted(luck))} it may be chance"
    if kind == "pin" and (expected := len(alike) - len(tried)):
        said += f", expected in {expected} {'other' if expected == 1 else 'others'}"
    if vain:
        said += f", in vain in {', '.join(sorted(vain)[:_NAMED])}"
    if left := list(dict.fromkeys(each for name, cure in of_it for each in weighs.left(name, cure, root))):
        said += f"; not “{'”, “'.join(left)}”"
    for name, cure in of_it:
        if brings := brought(weighs.brought(name, cure)):
            return f"{said}; in {name}{brings.removeprefix(';')}"
    return said


def _in_vain(root: Root) -> str:
    """Say what of that was tried for *root* mends none of it."""
    if not root.attempts:
        return "─"
    servers = dict.fromkeys(each.change for _, each in root.attempts if each.kind == "server")
    changes = list(dict.fromkeys(named(each) for _, each in root.attempts if each.kind != "server"))
    changes += [_CURES["server"].format(" or ".join(servers))] if servers else []
    cells = sorted({name for name, _ in root.attempts})
    return f"nothing that was tried: {'; '.join(changes)} (in {_some(cells)})"


def cure(each: Cure | Attempt, brings: Iterable[Catch] = ()) -> str:
    """Say what a cure is, or what was tried to be one, what came of it and what it *brings*, and when it was tried."""
    return f"{named(each)} ({each.text}; tried on {each.tried_on}{brought(brings)})"


def brought(brings: Iterable[Catch]) -> str:
    """Say what a cure *brings* that is milder than what it mends; nothing if that is none."""
    says = dict.fromkeys(without_counts(catch.text) for catch in brings)
    return f"; it brings “{'”, “'.join(says)}”" if says else ""


def rank(kind: str) -> int:
    """Return what cures are sorted by: what mends the very cell is worth more than another one that works."""
    return list(_CURES).index(kind)


def named(each: Cure | Attempt) -> str:
    """Say what a cure is, or what was tried to be one, in a few words."""
    return _CURES[each.kind].format(each.change)


def unexplained(causes: list[Root]) -> tuple[int, int]:
    """Return how many cells have something whose cause is not known, of all that fail or have a catch."""
    wrong = {name for root in causes for name in root.results}
    open_ones = {name for root in causes for name in root.unexplained}
    return len(open_ones), len(wrong)


def linked_cells(view: View, root: Root) -> Rst:
    """Return the cells of *root*, each a link to its page."""
    library_of = {row.name: row.result.library for row in view.rows}
    tested = {row.name for row in view.rows if row.verdict is not Verdict.NOT_TESTED}
    shown = [
        rst.link(name, f"{library_of[name]}/{name}.rst") if name in tested else rst.escape(name)
        for name in sorted(root.results)
    ]
    return Rst(", ".join(shown))
