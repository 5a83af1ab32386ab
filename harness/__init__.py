"""The measuring side: starts, watches and stops the cells, judges and reports."""

from pathlib import Path

__version__ = "0.1.0"

#: The checkout.
ROOT = Path(__file__).resolve().parent.parent
