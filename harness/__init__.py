"""The measuring side: starts, watches and stops the cells, judges and reports."""

from pathlib import Path
from typing import Any

__version__ = "0.1.0"

#: The name of this package: it is another one where it is installed.
PACKAGE = __name__
#: The folder of the package, and the checkout.
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def __getattr__(name: str) -> Any:
    """Return the assertion of the plug-in for pytest, which is imported when somebody asks for it."""
    if name == "assert_heard_exactly":
        from harness.plugin.heard import assert_heard_exactly

        return assert_heard_exactly
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
