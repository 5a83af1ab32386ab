"""What changed, as a feed: changed verdicts, and releases that turned an answer.

Source of the form: RFC 4287 (Atom).
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from harness.captured.scrub import one_line
from harness.report.row import Row
from harness.report.view import View
from harness.results.explained import Cause, Turned
from harness.results.history import Entry

#: How many entries a feed has.
_LONGEST = 60
_ATOM = "http://www.w3.org/2005/Atom"
#: Begins the identifier of everything in the feed, which is no address; RFC 4151.
_TAG = "tag:djangotestwebsockets,2026:"

Changed = tuple[Row, Entry, Entry]
Guilty = tuple[Turned, Row, Cause]


def render(view: View, changes: Iterable[Changed], turned: Iterable[Guilty]) -> bytes:
    """Return the newest of *changes* and *turned* as a feed."""
    entries = [
        (entry.date, row.name, f"{row.name}: {_headline(before, entry)}", entry.text, "verdict")
        for row, before, entry in changes
    ]
    for each, row, cause in turned:
        if each.uploaded:
            title, what = f"{each.package} {each.bad}: {row.name}", f"{cause.question}/{each.package}"
            entries.append((f"{each.uploaded}T00:00:00+00:00", row.name, title, cause.text, what))
    entries.sort(reverse=True)
    feed = ElementTree.Element("feed", {"xmlns": _ATOM})
    newest = entries[0][0] if entries else f"{view.day}T00:00:00+00:00"
    _fill(feed, id=f"{_TAG}feed", title=f"{view.subject}: what changed", updated=newest)
    _fill(ElementTree.SubElement(feed, "author"), name="DjangoTestWebsockets")
    ElementTree.SubElement(feed, "link", {"rel": "self", "href": "feed.atom"})
    for when, cell, title, text, what in entries[:_LONGEST]:
        entry = ElementTree.SubElement(feed, "entry")
        _fill(entry, id=f"{_TAG}{cell}/{when}/{what}", title=title, updated=when, summary=text or title)
        ElementTree.SubElement(entry, "link", {"rel": "alternate", "href": f"cells/{cell}.html"})
    ElementTree.indent(feed)
    return bytes(ElementTree.tostring(feed, "utf-8", xml_declaration=True)) + b"\n"


def _headline(before: Entry, entry: Entry) -> str:
    """Return what changed: the verdict, and the catches that came and went."""
    verdict = [f"{before.verdict.label} → {entry.verdict.label}"] if before.verdict is not entry.verdict else []
    caught = [f"came: {each}" for each in entry.came] + [f"went: {each}" for each in entry.went]
    return "; ".join([*verdict, *caught]) or f"{entry.verdict.label}: {before.reason} → {entry.reason}"


def _fill(element: ElementTree.Element, **texts: str) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(element, name).text = one_line(text)
