"""The measuring side: starts, watches and stops the cells, judges and reports."""

from pathlib import Path
from typing import Any

__version__ = "0.1.0"

#: The checkout.
ROOT = Path(__file__).resolve().parent.parent


def __getattr__(name: str) -> Any:
    """Return the assertion of the plug-in for pytest, which is imported when somebody asks for it."""
    if name == "assert_heard_exactly":
        from harness.plugin.heard import assert_heard_exactly

        return assert_heard_exactly
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
