"""Hostile text in every field stays text on every page."""

from __future__ import annotations

from hostile import folder_of
from htmlpages import Page, script

from harness.report.view import read_view
from harness.results.folder import Reports
from harness.site.build import build

#: One of each verdict, one with other ways to carry the chat, and one with exchanges that are wrong.
CELLS = ("py27-django18", "py311-django52-channels4", "py39-django30", "py33-django18", "py36-django32-pysocketio")


def test_hostile(tmp_path):
    """No cell can bring an element, a handler, a link or a control character into a page."""
    reports = Reports(folder_of(tmp_path, *CELLS))
    view = read_view(reports)
    build(view, reports, script, tmp_path / "html")
    assert sorted(row.name for row in view.rows) == sorted(CELLS)
    paths = sorted((tmp_path / "html").rglob("*.html"))
    assert len(paths) > len(CELLS)
    for path in paths:
        found = Page(path)
        assert not found.wrong, path
        # What is copied as a badge is the only picture.
        assert not set(found.all_tags) & {"iframe", "object", *(["img"] if path.name != "data.html" else [])}, path
        assert not [link for link in found.links if link.startswith("javascript") or "example.org" in link], path
        text = path.read_text(encoding="utf-8")
        assert "\x00" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "]]&gt; 49" not in text, path
        assert text.count("<script") == 1, path
