"""The distributions in an environment, read without what their descriptions and their lists of files cost to parse.

Source: https://packaging.python.org/specifications/recording-installed-packages/
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import Distribution
from pathlib import Path

#: Where a distribution has its metadata; the last is a file by itself, of old setuptools.
_METADATA = ("METADATA", "PKG-INFO", "")


def within(folders: Iterable[Path]) -> Iterator[tuple[Distribution, Message]]:
    """Yield each distribution in *folders* that has a name, with its metadata but for the description."""
    for each in importlib.metadata.distributions(path=[str(folder) for folder in folders]):
        text = next((found for name in _METADATA if (found := each.read_text(name))), "")
        head = HeaderParser().parsestr(text.partition("\n\n")[0])
        if head["Name"]:
            yield each, head


def versions(folders: Iterable[Path]) -> dict[str, str]:
    """Return the names of the distributions in *folders*, sorted, and their versions."""
    return dict(sorted((head["Name"], head["Version"]) for _, head in within(folders)))


def placed(folders: Iterable[Path]) -> dict[str, str]:
    """Return the distributions in *folders* that no index gave: names → what is noted of where they come from.

    Source: https://packaging.python.org/specifications/direct-url/
    """
    found = ((head["Name"], each.read_text("direct_url.json")) for each, head in within(folders))
    return dict(sorted((name, text) for name, text in found if text))


def bringing(folders: Iterable[Path], modules: set[str]) -> list[str]:
    """Return the names of the distributions in *folders* that brought one of *modules*, which are top-level ones."""
    found = {head["Name"] for each, head in within(folders) if not modules.isdisjoint(_modules(each))}
    return sorted(found)


def _modules(distribution: Distribution) -> Iterator[str]:
    """Yield what the files of *distribution* are called that can be imported, and of those in folders the folder."""
    if record := distribution.read_text("RECORD"):
        tops: Iterable[str] = (line.lstrip('"').partition(",")[0].partition("/")[0] for line in record.splitlines())
    else:  # installed by something older, which has lists of other kinds
        tops = (file.parts[0] for file in distribution.files or ())
    return (top.partition(".")[0] for top in tops)
