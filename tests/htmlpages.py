"""Pages of the site, read as a browser would: what they link to, load, and hold."""

from __future__ import annotations

import html.parser
from functools import cache
from pathlib import Path

from harness.libraries import registry
from harness.matrix.reproduction import script_of
from harness.report.row import Row

#: Elements that never have an end.
_EMPTY = {"meta", "link", "br", "input", "img", "col", "hr"}


class Page(html.parser.HTMLParser):
    """Reads a page: its links, what it loads, its identifiers, and whether its elements are closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.all_tags: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.meta: dict[str, str] = {}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.all_tags.append(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.links += [found[name] for name in ("href", "xlink:href") if name in found]
        elif tag == "meta":
            self.meta[found.get("name") or found.get("property", "")] = found.get("content", "")
        else:
            self.loads += [found[name] for name in ("src", "href") if name in found]
        self.wrong += [name for name in found if name.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data):
        self.texts.append(data)


def script(row: Row) -> list[str]:
    """Return the commands that reproduce a cell, as the command line hands them to the site."""
    return script_of(row.result, _libraries())


_libraries = cache(registry.discover)
