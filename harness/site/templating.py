"""What the templates of the site can use: how verdicts and answers look, and what every page has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from harness.captured.scrub import printable
from harness.report import loads
from harness.report.advice import Advisor
from harness.report.view import View
from harness.results.questions import deciders
from harness.verdict import answer, sign, with_catch

_HERE = Path(__file__).resolve().parent
#: The pages that every page leads to.
_NAVIGATION = (
    ("index.html", "Answer"),
    ("compare.html", "Comparison"),
    ("libraries.html", "Side by side"),
    ("security.html", "Who can listen in"),
    ("causes.html", "Causes"),
    ("packages.html", "Packages"),
    ("upgrade.html", "Upgrades"),
    ("plots.html", "Plots"),
    ("history.html", "History"),
    ("how.html", "How a verdict is reached"),
)
#: The class of an answer in the style sheet.
_STYLES = {True: "yes", False: "no", None: "none"}


def environment_of(view: View, advisor: Advisor) -> jinja2.Environment:
    """Return what the templates are rendered in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        finalize=_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {
        "view": view,
        "advisor": advisor,
        "navigation": _NAVIGATION,
        "beware_of": advisor.beware_of,
        "numbers": advisor.numbers,
        "loads": loads,
    }
    # What stands in the rows of tables is no function: a filter is called at half the price.
    filters: dict[str, Any] = {
        "style": lambda verdict: _STYLES[verdict.good],
        "look": lambda row: "but" if advisor.beware_of(row) else _STYLES[row.verdict.good],
        "short": lambda row: with_catch(row.verdict.label, bool(advisor.beware_of(row))),
        "labelled": advisor.label,
        "good": answer,
        "sign": sign,
        "good_style": _STYLES.__getitem__,
        "moves": _moves,
        "deciders": deciders,
    }
    environment.globals.update(helpers)
    environment.filters.update(filters)
    return environment


def _text(value: object) -> object:
    """Let no control character through: HTML escapes markup, and nothing else; what is markup stays as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _moves(moved: Mapping[str, tuple[str, str]]) -> str:
    """Say which versions moved."""
    said = [f"{name} {old or '─'} → {new or '─'}" for name, (old, new) in moved.items()]
    return "; ".join(said) or "nothing that is installed"
