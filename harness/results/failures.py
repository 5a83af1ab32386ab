"""What failures have in common: the module and the exception that they name, whatever stands around it."""

from __future__ import annotations

import re

from harness.results.result import Result, Step
from harness.verdict import Verdict

#: How Pythons say that something cannot be imported: ``module`` and ``name`` are what.
_MISSING = (
    re.compile(r"No module named '?(?P<module>[\w.]+)'?"),
    re.compile(r"cannot import name '?(?P<name>\w+)'? from '(?P<module>[\w.]+)'"),
    re.compile(r"cannot import name '?(?P<name>\w+)'?"),
    re.compile(r"[Mm]odule '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'"),
)
_EXCEPTION = re.compile(r"\b(?P<kind>[A-Z]\w*(?:Error|Exception|Warning|Configured|Exit)): (?P<text>[^\n;]*)")
#: Where a file that cannot be parsed lies, and a line that imports something.
_FILE = re.compile(r'File "[^"]*?(?P<file>[\w-]+/[\w-]+\.py)"')
_IMPORTS = re.compile(r"^\s*from (?P<module>[\w.]+) import (?P<names>.+)$", re.MULTILINE)
#: What stands before what a server printed: that says more than what its clients saw.
_PRINTED = "the server printed: "
#: What differs between failures that are the same: paths, quoted texts, addresses and numbers.
_VARIES = re.compile(r"\(?<[\w ]+>/[^\s')]*\)?|/[\w./-]+|0x[0-9a-f…]+|\d+")
_LONGEST = 100


def told(result: Result) -> str:
    """Return what the failure of *result* says, in a few words that are the same for the same failure.

    Nothing where it does not fail.
    """
    overall = result.verdicts.overall
    if overall.verdict is not Verdict.DOES_NOT_WORK:
        return ""
    step = first_failed(result)
    shown = step.excerpt if step else ""
    texts = [each.partition(_PRINTED)[2] or each for each in (overall.text, step.cause if step else "", shown)]
    for text in texts:
        if missing := _missing(text, shown):
            return f"{missing} cannot be imported"
    if "SyntaxError: " in shown and (files := _FILE.findall(shown)):
        return f"{files[-1]} cannot be parsed"
    for text in texts:
        if found := _EXCEPTION.search(text):
            return _plain(f"{found['kind']}: {found['text']}")
    return f"{overall.reason}: {_plain(overall.text)}"


def first_failed(result: Result) -> Step | None:
    """Return the first step that failed; None where none did."""
    return next((step for step in result.steps if step.good is False), None)


def _missing(text: str, shown: str) -> str:
    """Return what *text* says cannot be imported, with its module; nothing where it does not say that.

    Python 2 leaves the module out; *shown* is the output with the line that imports it.
    """
    for pattern in _MISSING:
        if found := pattern.search(text):
            parts = found.groupdict()
            name = ".".join(filter(None, (parts.get("module"), parts.get("name"))))
            return name if "." in name else _in_full(name, shown)
    return ""


def _in_full(name: str, shown: str) -> str:
    for line in _IMPORTS.finditer(shown):
        if line["module"].endswith(f".{name}"):
            return line["module"]
        if name in re.findall(r"\w+", line["names"]):
            return f"{line['module']}.{name}"
    return name


def _plain(text: str) -> str:
    return " ".join(_VARIES.sub("…", text).split())[:_LONGEST]
