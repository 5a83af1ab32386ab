"""Put any text into Markdown so that it stays text, also where a person or an address in it would become a link.

Source of the rules: https://github.github.com/gfm/, 6.3 Code spans, and 4.10 Tables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2

from harness.captured.scrub import one_line

_BACKTICKS = re.compile(r"`+")


class Markdown(str):
    """Text that already is Markdown, and must not be escaped again."""


def code(value: object) -> Markdown:
    """Return *value* as a code span, in which nothing means anything; a bar would end the cell of a table."""
    text = one_line(value).replace("|", "\\|")
    if not text:
        return Markdown("")
    fence = "`" * (max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")


def _finalize(value: object) -> object:
    """Let only our own words through as they are; whatever was captured is a code span."""
    return value if isinstance(value, Markdown | int) else code(value)


def render(template: str, **values: Any) -> str:
    """Return the Markdown that *template* makes of *values*."""
    environment = jinja2.Environment(  # noqa: S701 -- this is no HTML; finalize makes every value a code span
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["words"] = Markdown
    return environment.get_template(template).render(**values)
