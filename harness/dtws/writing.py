"""Files that are written for a project: from templates, whose own marks are ``[[ ]]`` and ``[% %]``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


def toml(value: str | list[str]) -> str:
    """Return *value* as TOML has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    # One that has quotes in it, as JSON does, is easier to read as it is.
    plain = value.isprintable() and "'" not in value
    return f"'{value}'" if '"' in value and plain else json.dumps(value, ensure_ascii=False)


def render(template: str, **values: Any) -> str:
    """Return what *template* makes of *values*."""
    environment = jinja2.Environment(  # noqa: S701 -- this is no HTML
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        variable_start_string="[[ ",
        variable_end_string=" ]]",
        block_start_string="[%",
        block_end_string="%]",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = toml
    return environment.get_template(template).render(**values)
