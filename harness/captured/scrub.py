"""Take out of captured text what is of this machine, and what could pass for markup or control.

Captured output is data. Paths become ``<cell>/…``, ``<project>/…``; the names of the user and of
the host, ports, addresses and dates become placeholders, so that two runs that saw the same say
the same.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
import tempfile
from pathlib import Path

#: Escape sequences of terminals (ECMA-48): CSI, OSC, and two-character ones.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
#: Control characters but tab and newline; also what turns the direction of text, and surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff\ufeff]"
)
_HOME = re.compile(r"/(?:home|root|Users)/[\w.-]+|/root\b")
#: What else is of this machine or of one run, by its form: texts of which it has one, its form, and what stands for it.
#: Most output has none of those texts, and to look for a text takes a hundredth of the time.
_FORMS = tuple(
    (texts, re.compile(form), shown)
    for texts, form, shown in (
        (("0x",), r"\b0x[0-9a-fA-F]{6,}", "0x…"),
        (("[",), r"\[\d\d/[A-Z][a-z]{2}/\d{4}[ :]\d\d:\d\d:\d\d\]", "[<date>]"),
        # Where uv builds: with a new name each time.
        (
            ("/builds-v", "/sdists-v"),
            r"(/builds-v\d+/)\.tmp\w+|(/sdists-v\d+/(?:[^/\s]+/)*?)[\w-]{16,}(?=/)",
            r"\1\2<build>",
        ),
        (("sessionid=", "csrf"), r"((?:sessionid|csrftoken|csrfmiddlewaretoken)=)[\w-]+", r"\1<secret>"),
        (("127.0.0.1", "localhost"), r"(127\.0\.0\.1|localhost)([:/ ]|', |, port )\d{4,5}\b", r"\1\2<port>"),
    )
)


class Scrubber:
    """Knows the paths and names of this machine, and what stands for them."""

    def __init__(self, places: dict[Path, str]) -> None:
        """*places* are folders and what to call them, such as ``{env_dir: "<cell>"}``."""
        self._paths: list[tuple[str, str]] = []
        for path, label in (
            (tempfile.gettempdir(), "<tmp>"),
            (str(Path.home()), "<home>"),
            (sys.base_prefix, "<host python>"),
            (os.environ.get("PYENV_ROOT", ""), "<pyenv>"),
        ):
            if len(path) > 1:
                self._paths.append((path, label))
        for folder, label in places.items():
            self.learn(folder, label)
        names = {name for name in (_user(), socket.gethostname()) if len(name) > 3}
        form = "|".join(rf"\b{re.escape(name)}\b" for name in sorted(names)) or r"(?!)"
        self._names = (tuple(names), re.compile(form), "<name>")

    def learn(self, folder: Path, label: str) -> None:
        """Call *folder* by *label* from now on."""
        known = dict(self._paths)
        known.update({path: label for path in (str(folder), str(folder.resolve())) if len(path) > 1})
        # The longest first, so that a folder inside another keeps its own label.
        self._paths = sorted(known.items(), key=lambda item: -len(item[0]))

    def hide(self, secret: str | None) -> None:
        """Never show *secret* from now on."""
        if secret:
            self._paths.insert(0, (secret, "<secret>"))

    def __call__(self, text: str) -> str:
        """Return *text* without anything of this machine, and without control characters."""
        text = printable(text)
        for path, label in self._paths:
            text = text.replace(path, label)
        text = _HOME.sub("<home>", text)
        for texts, form, shown in (self._names, *_FORMS):
            if any(each in text for each in texts):
                text = form.sub(shown, text)
        return text


def printable(text: str) -> str:
    """Return *text* without terminal sequences; other control characters become ``�``."""
    if text.isprintable():  # as nearly all is
        return text
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(value: object) -> str:
    """Return *value* as text on one line, printable and without white space at its ends."""
    return " ".join(printable(str(value)).split())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
