"""The measuring side: starts, watches and stops the cells, judges and reports."""

__version__ = "0.1.0"
