"""Put any text into reStructuredText so that it stays text.

Source of the rules: https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import docutils.core
import docutils.utils
from tabulate import tabulate

from harness.captured.scrub import one_line, printable

#: Characters that can begin or end inline markup or a reference, anywhere in a line.
_INLINE = re.compile(r"([\\*`|_<>@\[\]{}])")
#: A colon makes a role, a field name, or an address out of what is before it.
_COLON = re.compile(r":(?=\S)|(?<=\S):$|^:")
#: What is safe at the beginning of a line: a word or number that does not enumerate a list.
_SAFE_START = re.compile(r"(?!(?:[0-9]+|[a-zA-Z]|[ivxlcdmIVXLCDM]+)[.)](?:\s|$))[^\W_]")


class Rst(str):
    """Text that already is reStructuredText, and must not be escaped again."""


#: An escaped space: nothing at all, but something to docutils.
_NOTHING = Rst("\\ ")


def escape(value: object) -> Rst:
    """Return *value* as inline text on one line that no rule of reStructuredText matches."""
    return value if isinstance(value, Rst) else _escaped(str(value))


@lru_cache(maxsize=10_000)  # most cells say what others say
def _escaped(value: str) -> Rst:
    text = one_line(value)
    text = _COLON.sub(r"\:", _INLINE.sub(r"\\\1", text))
    if not text:
        return _NOTHING
    # An escaped space is nothing at all, and keeps a list, a directive or a title from beginning.
    return Rst(text if _SAFE_START.match(text) else "\\ " + text)


def literal(text: str, indent: int = 3) -> Rst:
    """Return *text* as an indented literal block, after a paragraph that ends with ``::``.

    Like the tables it ends with an empty line: whatever comes next must not be taken for a part.
    """
    lines = [line.rstrip() for line in printable(text).expandtabs().split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    pad = " " * indent
    return Rst("\n".join(pad + line if line.strip() else "" for line in lines or ["(nothing)"]) + "\n")


def title(text: str, mark: str) -> Rst:
    """Return *text* as a section title, underlined with *mark*, after a blank line."""
    shown = escape(text)
    return Rst(f"\n\n{shown}\n{mark * max(docutils.utils.column_width(shown), 3)}")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Rst:
    """Return a simple table; its texts are of our own vocabulary, or are escaped by the caller."""
    cells = [[escape(cell) if cell != "" else "" for cell in row] for row in rows]
    return Rst(tabulate(cells, headers=list(header), tablefmt="rst", disable_numparse=True) + "\n")


def csv_table(header: Sequence[str], rows: Iterable[Sequence[object]], widths: str) -> Rst:
    """Return a table whose cells may hold anything, also wide characters and long sentences.

    docutils reads one in half the time that it takes for a ``list-table``.
    """
    body = list(rows)
    if not body:
        return Rst("Nothing is recorded.\n")
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in body:
        writer.writerow("" if (shown := escape(cell)) == _NOTHING else shown for cell in row)
    names = ", ".join(f'"{escape(name)}"' for name in header)
    lines = [".. csv-table::", f"   :header: {names}", f"   :widths: {widths}", ""]
    return Rst("\n".join([*lines, *(f"   {line}" for line in written.getvalue().splitlines())]) + "\n")


def link(text: str, target: str) -> Rst:
    """Return an anonymous link to a file or address of our own."""
    return Rst(f"`{escape(text)} <{target}>`__")


def problems(text: str, name: str = "<text>") -> str:
    """Return what docutils says against *text* at its strictest; nothing when it is right."""
    stream = io.StringIO()
    settings = {
        "report_level": 1,
        "halt_level": 5,
        "warning_stream": stream,
        "file_insertion_enabled": False,
        "raw_enabled": False,
        "_disable_config": True,
    }
    docutils.core.publish_doctree(text, source_path=name, settings_overrides=settings)
    return stream.getvalue()


def main(paths: Sequence[str]) -> int:
    """Print what docutils says against the files at *paths*; return 1 if there is anything."""
    wrong = [found for path in paths if (found := problems(Path(path).read_text(encoding="utf-8"), path))]
    print("".join(wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
