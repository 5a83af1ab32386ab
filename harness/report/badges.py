"""A badge for each library: what it works on, as an SVG and as an endpoint of shields.io.

Source of the endpoint's form: https://shields.io/badges/endpoint-badge
"""

from __future__ import annotations

import html
import json
import re

from anybadge import Badge

from harness.report.advice import Advisor
from harness.report.view import LibraryView, View

#: White text on each of these has a contrast of more than 4.5 (WCAG 2.1, 1.4.3).
_WORKS, _BUT, _FAILS = "#2e7d32", "#8a5a00", "#b3261e"


def render(view: View, advisor: Advisor) -> dict[str, str]:
    """Return the files of every library's badge by their names."""
    files = {}
    for library in view.libraries:
        message, colour = _message(library, advisor)
        endpoint = {"schemaVersion": 1, "label": library.name, "message": message, "color": colour.removeprefix("#")}
        files[f"{library.name}.json"] = json.dumps(endpoint, indent=1, ensure_ascii=False) + "\n"
        files[f"{library.name}.svg"] = _svg(library.name, message, colour)
    return files


def _message(library: LibraryView, advisor: Advisor) -> tuple[str, str]:
    usual = library.groups[0]
    if usual.works:
        beyond = [group for group in library.groups[1:] if not group.pinned and group.beyond(usual)]
        others = [f", under {group.name} {group.range_of('django')}" for group in beyond]
        said = f"works on Django {usual.range_of('django')}{''.join(others)}{library.only_claimed('django')}"
        return (f"{said}, but", _BUT) if any(map(advisor.beware_of, usual.works)) else (said, _WORKS)
    return ("works on no Django that was tried", _FAILS) if usual.tested else ("not tested", "#5f6368")


def _svg(label: str, message: str, colour: str) -> str:
    badge = Badge(label, message, default_color=colour)
    # The same for the same results: the library numbers its masks through all badges of a process.
    text = re.sub(r"anybadge_\d+", "rounded", badge.badge_svg_text)
    said = html.escape(f"{label}: {message}")
    return text.replace("<svg ", f'<svg role="img" aria-label="{said}" ', 1).rstrip() + "\n"
