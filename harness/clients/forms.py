"""The forms of a page: what a browser sends with one beside that which somebody fills in."""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser


class _Forms(HTMLParser):
    """Collects the fields of each form of a page: names → type and value."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, tuple[str, str]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self.found.append({})
            self._inside = True
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and self._inside and given.get("name"):
            self.found[-1][given["name"]] = given.get("type", "text").lower(), given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def hidden(page: str, filled: Collection[str]) -> dict[str, str]:
    """Return the hidden fields of the form of *page* that asks for what is *filled* in: names → values.

    There are none where no form asks for any of it.
    """
    forms = _Forms()
    forms.feed(page)
    best = max(forms.found, key=lambda form: len(form.keys() & set(filled)), default={})
    if not best.keys() & set(filled):
        return {}
    return {name: value for name, (kind, value) in best.items() if kind == "hidden"}
