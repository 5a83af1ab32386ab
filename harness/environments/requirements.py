"""What a project asks an installer for: requirements, files of them, and folders."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallationError, InstallRequirement, RequirementsFile

from harness.environments import direct
from harness.errors import UsageError

_FILE = ("-r", "--requirement", "-c", "--constraint")
_EDITABLE = ("-e", "--editable")


def read(asked: Sequence[str], folder: Path) -> list[str]:
    """Return the requirements that *asked* stands for, without Django, which is the cell's own.

    Each is what an installer would be told, such as ``-r requirements.txt``, ``channels>=4`` or ``-e .``; paths are
    those from *folder* on. What a file of constraints says counts as a requirement.

    Raises:
        UsageError: there is no such file, or what stands there is no requirement.
    """
    return [each for each in _all(asked, folder) if not _is_django(each)]


def left_out(asked: Sequence[str], folder: Path) -> list[str]:
    """Return what *asked* says of Django, as :func:`read` reads it; nothing where it names no version.

    Raises:
        UsageError: as there.
    """
    return [each for each in _all(asked, folder) if _is_django(each) and Requirement(each).specifier]


def _all(asked: Sequence[str], folder: Path) -> list[str]:
    return list(dict.fromkeys(each for text in asked for each in _of_words(_split(text), folder)))


def _is_django(text: str) -> bool:
    return canonicalize_name(Requirement(text).name) == "django"


def _split(text: str) -> list[str]:
    """Return the words of *text*; what is one requirement with blanks in it is one.

    Raises:
        UsageError: a quote is left open.
    """
    try:
        Requirement(text)
    except InvalidRequirement:
        try:
            return shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{text!r} is no requirement: {error}") from error
    return [text]


def _of_words(words: Sequence[str], folder: Path) -> Iterator[str]:
    """Yield the requirements in *words*, which a command line was split into."""
    rest = list(words)
    while rest:
        word, _, value = rest.pop(0).partition("=") if rest[0].startswith("--") else (rest.pop(0), "", "")
        if word in (*_FILE, *_EDITABLE):
            value = value or (rest.pop(0) if rest else "")
            yield from _of_file(folder / value) if word in _FILE else [_one(value, folder)]
        elif word.startswith("-"):
            hint = "set options of the installer by variables, such as UV_INDEX_URL"
            raise UsageError(f"{word} is no requirement", hint)
        else:
            yield _one(word, folder)


def _of_file(path: Path) -> Iterator[str]:
    """Yield the requirements in the file *path*, and in those that it names."""
    if not path.is_file():
        raise UsageError(f"there is no file of requirements {path}", "check the path")
    try:
        read_file = RequirementsFile.from_file(str(path), include_nested=True)
    except (OSError, UnicodeDecodeError, InstallationError, RecursionError) as error:
        raise UsageError(f"{path.name} cannot be read: {type(error).__name__}: {error}") from error
    for invalid in read_file.invalid_lines:
        where = f"{Path(invalid.filename or path).name}, line {invalid.line_number}"
        raise UsageError(f"{where}: {invalid.line!r} is no requirement")
    for each in read_file.requirements:
        yield _named(each, Path(each.requirement_line.filename or path).parent)


def _named(each: InstallRequirement, folder: Path) -> str:
    """Return a requirement of a file in *folder* with its name, which a path or an address need not have."""
    extras = f"[{','.join(sorted(each.extras))}]" if each.extras else ""
    if each.link is None:
        found = str(each.req)
    elif each.name and "://" in str(each.link.url):
        found = f"{each.name}{extras} @ {_without_name(str(each.link.url))}"
    else:
        found = _one(f"{_without_name(str(each.link.url))}{extras}", folder)
    # Of what is editable the parser leaves the marker out.
    marker = each.marker or each.requirement_line.line.partition(" ;")[2].strip()
    # An address ends at a blank.
    return f"{found} ; {marker}" if marker and Requirement(found).marker is None else found


def _without_name(address: str) -> str:
    """Return *address* without the name in its fragment, in which a digest or a folder may stand as well."""
    base, _, fragment = address.partition("#")
    rest = "&".join(each for each in fragment.split("&") if each and not each.startswith("egg="))
    return f"{base}#{rest}" if rest else base


def _one(text: str, folder: Path) -> str:
    """Return one requirement as an installer takes it; a path from *folder* on as an address."""
    path, bracket, extras = text.partition("[")
    there = (folder / path).exists() and (path.startswith((".", "/")) or "/" in path)
    try:
        return str(direct.read(f"{folder / path}{bracket}{extras}" if there else text).requirement)
    except InvalidRequirement as error:
        raise UsageError(f"{text!r} is no requirement") from error
