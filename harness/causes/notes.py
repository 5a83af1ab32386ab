"""What a search for a cause has found out so far, on disk: one that was broken off goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from harness import __version__
from harness.causes.question import Answer
from harness.results.model import Model
from harness.system.files import write_atomically


class _Known(Model, frozen=True, kw_only=True):
    """What one set of versions answered."""

    versions: dict[str, str]
    good: bool
    seen: str
    chance: bool


class _File(Model, frozen=True, kw_only=True):
    schema: Literal["1"] = "1"
    harness: str = __version__
    #: What everything is tried with: the Python, and what tox put there.
    base: list[str]
    #: Days → what is installed then; None where nothing can be.
    days: dict[str, dict[str, str] | None] = msgspec.field(default_factory=dict)
    answers: list[_Known] = msgspec.field(default_factory=list)
    #: What was asked once more where it could be chance, in the order in which it was asked.
    again: list[_Known] = msgspec.field(default_factory=list)


class Notes:
    """The answers of trials and the resolutions of days; each is written as soon as it is known."""

    def __init__(self, path: Path, base: list[str], anew: bool = False) -> None:
        """They are in *path*, of searches with the same *base*; *anew* forgets them."""
        self._path = path
        self._file = _File(base=base)
        self._without: list[tuple[dict[str, str], Answer]] = []
        if not anew:
            self._read(base)

    def _read(self, base: list[str]) -> None:
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError):
            return
        if (found.base, found.harness) == (base, __version__):
            self._file = found

    def answer(self, versions: Mapping[str, str]) -> Answer | None:
        """Return what *versions* answered; None where they have not been tried."""
        for each in self._file.answers:
            if each.versions == versions:
                return Answer(each.good, each.seen, each.chance)
        return next((answer for tried, answer in self._without if tried == versions), None)

    def keep(self, versions: Mapping[str, str], answer: Answer) -> None:
        """Write down what *versions* answered, in the place of an earlier answer.

        Raises:
            HarnessError: it cannot be written.
        """
        if answer.good is None:
            # Of what could not be had another run may have more.
            self._without.append((dict(versions), answer))
            return
        others = [each for each in self._file.answers if each.versions != versions]
        known = _known(versions, answer.good, answer)
        self._write(msgspec.structs.replace(self._file, answers=[*others, known]))

    def again(self, versions: Mapping[str, str]) -> list[Answer]:
        """Return what *versions* answered when they were asked once more, in that order."""
        return [Answer(each.good, each.seen, each.chance) for each in self._file.again if each.versions == versions]

    def keep_again(self, versions: Mapping[str, str], answer: Answer) -> None:
        """Write down what *versions* answered when they were asked once more, beside all earlier answers.

        Where there was no answer, nothing is written.

        Raises:
            HarnessError: it cannot be written.
        """
        if answer.good is not None:
            known = _known(versions, answer.good, answer)
            self._write(msgspec.structs.replace(self._file, again=[*self._file.again, known]))

    def resolved(self, day: date) -> tuple[bool, dict[str, str] | None]:
        """Return whether *day* was resolved, and what is installed then."""
        return str(day) in self._file.days, self._file.days.get(str(day))

    def keep_day(self, day: date, versions: dict[str, str] | None) -> None:
        """Write down what is installed on a *day* of the past, which does not change any more.

        Raises:
            HarnessError: it cannot be written.
        """
        if day < date.today():
            self._write(msgspec.structs.replace(self._file, days={**self._file.days, str(day): versions}))

    def _write(self, file: _File) -> None:
        self._file = file
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def _known(versions: Mapping[str, str], good: bool, answer: Answer) -> _Known:
    return _Known(versions=dict(versions), good=good, seen=answer.seen, chance=answer.chance)
