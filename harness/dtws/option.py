"""Options of commands, in few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


def option(name: str, metavar: str, text: str, **more: Any) -> Callable[[_Function], _Function]:
    """Return what adds the option *name*, whose help is *text*; *more* is what click takes as well."""
    return click.option(name, metavar=metavar, help=text, **more)


def several(name: str, metavar: str, text: str) -> Callable[[_Function], _Function]:
    """Return what adds an option that may be given again."""
    return option(name, metavar, f"{text}; may be given again.", multiple=True)
