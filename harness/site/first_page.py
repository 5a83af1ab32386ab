"""What the first page offers beside the matrix: what it is filtered by, and the questions that people come with."""

from __future__ import annotations

from harness.report.view import View, versions
from harness.verdict import Reason, Verdict


def filters(view: View) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return name, label and values of each filter; the newest Python and Django first."""
    rows = view.rows
    reasons = {row.result.verdicts.overall.reason for row in rows}
    return [
        ("python", "Python", [(name, name) for name in reversed(versions(rows, "python"))]),
        ("django", "Django", [(name, name) for name in reversed(versions(rows, "django"))]),
        ("library", "Library", [(each.name, each.title) for each in view.libraries]),
        ("server", "Server", [(name, name) for name in sorted({row.result.server for row in rows})]),
        ("verdict", "Verdict", [(str(each), each.label) for each in Verdict]),
        ("catch", "With a catch", [("yes", "with a catch"), ("no", "works without one")]),
        (
            "reason",
            "What fails",
            [(str(each), str(each)) for each in Reason if each in reasons],
        ),
    ]


def questions(view: View, sections: set[str]) -> list[tuple[str, str]]:
    """Return what people come with, and where it is answered."""
    found = [
        (f"{library.title}: which server, and what breaks?", f"library/{library.name}.html")
        for library in view.libraries[:1]
    ]
    names, both = {library.name for library in view.libraries}, {"channels4", "plain-asgi"}
    without = "left=channels4&right=plain-asgi&differ=yes"
    found += [
        ("What does an upgrade ask of what I have?", "upgrade.html"),
        ("What does a release of a package break?", "packages.html"),
        ("Why is a cell red, and what mends it?", "causes.html"),
        ("Who can listen in, and whose fault is it?", "security.html"),
        (
            "What is lost when somebody comes back, or the broker restarts?",
            "libraries.html#faults" if "faults" in sections else "libraries.html",
        ),
        *([("What do I lose without a library?", f"libraries.html?{without}")] if both <= names else []),
        ("How fresh is this, and how do I reproduce it?", "history.html"),
    ]
    return found
