"""Drafts of issues for the people upstream: versions, what shows it, what is expected, and what is seen.

Whoever reads one has the library and this text, and nothing of this project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from harness.cells import Cell
from harness.environments.names import project_of
from harness.report import causes, showing
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView, View
from harness.results import catches, failures
from harness.results.questions import without_counts
from harness.results.result import Finding, Result
from harness.results.roots import Root

#: What this project says and nobody else → what everybody does.
_PLAIN = (
    (re.compile(r"John's"), "a member's"),
    (re.compile(r"the private messages to John, chatusers"), "private messages, and those to a group"),
    (re.compile(r"John, Mary, admin"), "everybody"),
    (re.compile(r"POST /\S+"), "the request that sends it"),
    (re.compile(r"\d+ of \d+ exchanges right in \d+ rounds"), "works"),
    (re.compile(r'<(?:cell|home)>/[^\s"]*?(?:site-packages|/src)/'), "…/"),
    (re.compile(r"<(?:cell|home|project|python)>/"), "…/"),
)
#: The lines of a traceback that name a place, and the one that ends it.
_PLACE = re.compile(r'\s+File "(?P<path>[^"]+)", line \d+(?:, in (?P<function>\S+))?')
_ENDS = re.compile(r"[A-Z][\w.]*(?:Error|Exception|Exit|Configured)\b|[a-z][\w.]+\.[A-Z]\w*(?:Error|Exception)\b")
#: What carries connections and messages below a library: its release decides as well.
_BELOW = ("redis", "daphne", "gevent", "gevent-websocket", "gevent-socketio", "python-engineio")
#: What a package that stands on Django needs before it can be imported alone.
_QUOTED = re.compile(r"“([^”]*)”")
_CONFIGURED = "import django.conf as c; c.settings.configure()"


def drafts(root: Root, advisor: Advisor) -> list[str]:
    """Return the drafts of issues about *root*, in Markdown: one for each package that is asked for, most cells first.

    What this project decides, or is somebody's own chat, is no issue of anybody upstream.
    """
    own = {library.name for library in advisor.view.libraries if library.own}
    cells: dict[str, set[str]] = {}
    for name, result in root.results.items():
        if result.library not in own and result.versions is not None:
            asked = result.installation.requirements if result.installation else []
            cells.setdefault(project_of(asked[0]) if asked else result.library, set()).add(name)
    made = (_draft(root, advisor, names) for names in sorted(cells.values(), key=len, reverse=True))
    return list(filter(None, made))


def _draft(root: Root, advisor: Advisor, names: set[str]) -> str:
    """Return the draft about the cells of *root* that are called *names*; nothing where this project decides it."""
    row, finding = _example(root, advisor.view, names)
    trouble = catches.trouble_of(finding.id) if finding is not None else None
    if finding is not None and (finding.decided_by == "project" or (trouble is not None and not trouble.upstream)):
        return ""
    library, result = advisor.library_of(row), row.result
    where, ends = _traceback(result) if finding is None else ("", [])
    installs = {} if where.startswith("django.") else _installs(root, row)
    lines = [f"# {_subject(result, installs, where)}: {_plain(_seen(root, finding))}", "", "## Versions", ""]
    lines += [f"- {each}" for each in _versions(result, installs)]
    lines += ["", "## What shows it", ""]
    if finding is None:
        lines += _shown_by_import(row, library, installs, where) or [
            *showing.program(row, library.prose["upstream"], installs, "stand")
        ]
        lines += ["", "## Expected", "", "It can be installed, starts, and works.", ""]
        lines += ["## Seen", "", "```", *ends, "```", ""]
    else:
        lines += showing.program(row, library.prose["upstream"], installs, finding.id, finding.question)
        lines += ["", "## Expected", "", _plain(f"{finding.question}: {finding.expected}."), ""]
        lines += ["## Seen", "", f"{_plain(_seen(root, finding))}.", ""]
    if since := _since(root, row):
        lines += ["## Since when", "", f"{_plain(since)}.", ""]
    if helps := _helps(root, row, finding, advisor):
        lines += ["## What helps until then", "", f"{_plain(helps)}.", ""]
    return "\n".join(lines)


def _example(root: Root, view: View, names: set[str]) -> tuple[Row, Finding | None]:
    """Return the newest of the cells that says what its title does, and that answer; None where it is the verdict."""
    rows = sorted(
        (row for row in view.rows if row.name in names),
        key=lambda row: (Cell.parse(row.name).order, row.result.server),
        reverse=True,
    )
    if not root.questions:
        return rows[0], None
    bad = [(row, each) for row in rows for each in row.answers if each.id in root.questions and each.good is False]
    said = [(row, each) for row, each in bad if _answer(each).startswith(root.what)]
    return (said or bad)[0]


def _answer(finding: Finding) -> str:
    return without_counts(f"{finding.question}: {finding.summary}")


def _seen(root: Root, finding: Finding | None) -> str:
    """Return what is seen, without how often of how many times."""
    return root.what if finding is None else _answer(finding)


def _plain(text: str) -> str:
    for pattern, instead in _PLAIN:
        text = pattern.sub(instead, text)
    return text


def _subject(result: Result, installs: dict[str, str], where: str) -> str:
    """Return the package that is asked about first, with its release; Django where that fails by itself."""
    if where.startswith("django.") and result.versions is not None:
        return f"Django {result.versions.django}"
    first = next(iter(installs), "")
    return f"{first.partition('[')[0]} {installs[first]}" if first else result.library


def _installs(root: Root, row: Row) -> dict[str, str]:
    """Return what the installer was asked for, with its extras, what is guilty, and what carries messages below it.

    Names → installed versions.
    """
    result = row.result
    assert result.versions is not None
    installed = {canonicalize_name(name): version for name, version in result.versions.installed.items()}
    turned = [each for _, cause in root.causes for each in cause.turned if each.met(result.versions.installed)]
    guilty = [name for each in turned for name in (each.package, *each.brings)]
    asked = result.installation.requirements if result.installation else []
    found: dict[str, str] = {}
    for each in [*asked, *guilty, *(each for each in _BELOW if asked and (each != "redis" or result.versions.broker))]:
        try:
            requirement = Requirement(each)
            name, extras = requirement.name, ",".join(sorted(requirement.extras))
        except InvalidRequirement:
            name, extras = project_of(each), ""
        version = installed.get(canonicalize_name(name))
        if version and not any(
            canonicalize_name(known.partition("[")[0]) == canonicalize_name(name) for known in found
        ):
            found[f"{name}[{extras}]" if extras else name] = version
    return found


def _versions(result: Result, installs: dict[str, str]) -> Iterator[str]:
    versions = result.versions
    assert versions is not None
    yield f"Python {versions.python}, Django {versions.django}"
    yield from (f"{name.partition('[')[0]} {version}" for name, version in installs.items())
    if versions.broker:
        yield versions.broker


def _traceback(result: Result) -> tuple[str, list[str]]:
    """Return the module of a package at whose import the failure is raised, if any, and the end of its traceback."""
    step = failures.first_failed(result)
    lines = (step.excerpt if step else "").splitlines()
    # What comes first of several is what the others come from.
    end = next((number for number, line in enumerate(lines) if _ENDS.match(line)), None)
    if end is None:
        return "", [_plain(step.excerpt or step.cause if step else result.verdicts.overall.text)]
    places = [(number, found) for number, line in enumerate(lines[:end]) if (found := _PLACE.match(line))]
    if not places:
        return "", [_plain(lines[end])]
    began, place = places[-1]
    shown = [_plain(line) for line in lines[began : end + 1]]
    _, inside, path = place["path"].partition("/site-packages/")
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return (module if inside and place["function"] == "<module>" else ""), shown


def _shown_by_import(row: Row, library: LibraryView, installs: dict[str, str], module: str) -> list[str]:
    """Return the commands after which an import shows the failure, or an installation does; none where neither does."""
    step = failures.first_failed(row.result)
    if step is not None and step.name == "install":
        # What could not be installed here is asked for by the same names as where it can be.
        asked = next((each.result.installation.requirements for each in library.rows if each.result.installation), [])
        wanted = dict.fromkeys(asked or [library.name], "")
        return ["```sh", *showing.environment(row, wanted), "```", "", "The installation shows it."]
    if not module:
        return []
    importing = f'venv/bin/python -c "{_CONFIGURED}; import {module}"'
    return ["```sh", *showing.environment(row, installs), importing, "```"]


def _since(root: Root, row: Row) -> str:
    """Return since when it is so, of what is installed in the cell of *row*."""
    assert row.result.versions is not None
    there = row.result.versions.installed
    turned = [cause for _, cause in root.causes if cause.turned and all(each.met(there) for each in cause.turned)]
    # How often an answer came is of the runs here.
    return _QUOTED.sub(lambda said: f"“{without_counts(said[1])}”", turned[0].text) if turned else root.since


def _helps(root: Root, row: Row, finding: Finding | None, advisor: Advisor) -> str:
    """Return what mends it in a cell of the same library, and nothing speaks against; the empty text where nothing."""
    words = {"pin": "with `{}`", "server": "under {}", "setting": "with the {}"}
    question, library = finding.id if finding else "", row.result.library
    found = []
    for name, cure in root.cures:
        mine = cure.kind in words and root.results[name].library == library and cure.question == question
        if not mine or (cure.kind, cure.change) not in root.proved(library) or advisor.remedies.against(name, cure):
            continue
        if advisor.remedies.in_vain(row.name, question, cure):
            continue
        where = "" if name == row.name or cure.kind == "pin" else f", on {_pair(root.results[name])}"
        brings = causes.brought(advisor.remedies.brought(name, cure))
        says = f"It is as expected {words[cure.kind].format(cure.change)}{where}{brings}"
        found.append((name != row.name, causes.rank(cure.kind), says))
    return min(found)[2] if found else ""


def _pair(result: Result) -> str:
    cell = Cell.parse(result.cell)
    return f"Python {cell.python} with Django {cell.django}"
