"""Frames of somebody's own chat: made from a template, and read by a pointer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from harness.clients.transcript import Message

#: The words of templates.
WORDS = ("TEXT", "MEMBER", "USER", "PASSWORD", "TO", "TOKEN", "TICKET")
_WORD = re.compile(rf"\$({'|'.join(WORDS)})\b")
#: The part of a pointer that stands for all that is in a list.
ALL = "*"
#: What is not there.
_MISSING = object()


def is_json(template: str) -> bool:
    """Tell whether *template* is JSON, in which what is filled in has to be escaped."""
    try:
        json.loads(template)
    except ValueError:
        return False
    return True


def filled(template: str, words: Mapping[str, str]) -> str:
    """Return *template* with its *words*, ``TEXT`` → what stands for ``$TEXT``; escaped where it is JSON."""
    # Something may stand before the JSON, as in Socket.IO.
    begins = min((at for at in (template.find("{"), template.find("[")) if at >= 0), default=-1)
    escaped = begins >= 0 and is_json(template[begins:])

    def word(found: re.Match[str]) -> str:
        text = words.get(found[1], "")
        return json.dumps(text, ensure_ascii=False)[1:-1] if escaped and found.start() > begins else text

    return _WORD.sub(word, template)


def words_in(template: str) -> set[str]:
    """Return the words of *template*, without their dollars."""
    return set(_WORD.findall(template))


def points(text: str) -> bool:
    """Tell whether *text* is a JSON pointer, as such or with dots."""
    return text.startswith(("/", "."))


def pointer(text: str) -> str:
    """Return *text* as a JSON pointer: ``.data.message`` is ``/data/message``."""
    return "/" + text[1:].replace(".", "/") if text.startswith(".") else text


def found_at(value: Any, where: str) -> Any:
    """Return what stands in *value* where the JSON pointer *where* points to (RFC 6901).

    Raises:
        KeyError: there is nothing.
    """
    for part in where.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            raise KeyError(where)
    return value


def all_at(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield what stands in *value* where the JSON pointer *where* points to, each with its place; perhaps nothing.

    A part ``*`` stands for all that is in a list; the places are the numbers that stand for it.
    """
    before, star, behind = _star(where)
    with suppress(KeyError):
        found = found_at(value, before)
        if not star:
            yield "", found
            return
        for number, each in enumerate(found if isinstance(found, list) else ()):
            yield from ((f"/{number}{place}", inner) for place, inner in all_at(each, behind))


def _star(where: str) -> tuple[str, bool, str]:
    """Return what stands before and behind the first part ``*`` of a pointer, and whether there is one."""
    parts = where.split("/")
    at = parts.index(ALL) if ALL in parts else len(parts)
    return "/".join(parts[:at]), at < len(parts), "".join(f"/{each}" for each in parts[at + 1 :])


def _at_place(where: str, place: str) -> str:
    """Return the pointer *where* with the numbers of *place* in the place of its stars, as far as they go."""
    for number in place.split("/")[1:]:
        before, star, behind = _star(where)
        where = f"{before}/{number}{behind}" if star else where
    return where


class Reader:
    """Finds the messages in a frame."""

    def __init__(
        self,
        pointers: Iterable[str],
        prefix: str = "",
        match: str = "",
        ignore: Iterable[str | Mapping[str, Any]] = (),
        says: Iterable[str] = (),
    ) -> None:
        """*says* are pointers to what is told of each message beside its text."""
        self._pointers = [pointer(each) for each in pointers]
        self._says = [pointer(each) for each in says]
        self._prefix = prefix
        self._match = re.compile(match, re.DOTALL) if match else None
        self._patterns = [re.compile(each, re.DOTALL) for each in ignore if isinstance(each, str)]
        self._objects = [
            {pointer(where): value for where, value in each.items()} for each in ignore if not isinstance(each, str)
        ]

    def messages(self, data: str) -> list[Message]:
        """Return what is said in the frame *data*, with what it says of it; nothing where it is no message.

        A frame that is not as it is expected to be is a message as it stands, so that nobody overlooks it; but not one
        in which the pointers find nothing, which is the chat's own. What is said of a message, and is not there, is
        empty.
        """
        if not data.startswith(self._prefix) or self.ignores(data):
            return []
        value = self._value(data)
        return [
            Message(self._matched(text), {each: _told(value, each, place) for each in self._says})
            for place, text in self._texts(data.removeprefix(self._prefix), value)
        ]

    def ignores(self, data: str) -> bool:
        """Tell whether the frame *data* is one of those that are said to be no messages."""
        value = self._value(data) if self._objects else _MISSING
        return any(each.fullmatch(data) for each in self._patterns) or any(_has(value, each) for each in self._objects)

    def _value(self, data: str) -> Any:
        """Return the JSON of the frame *data*, where it is that."""
        try:
            return json.loads(data.removeprefix(self._prefix))
        except (ValueError, RecursionError):
            return _MISSING

    def _texts(self, text: str, value: Any) -> list[tuple[str, str]]:
        """Return the texts of all messages, each with its place; *text* as it is where it is not read by a pointer."""
        if not self._pointers or value is _MISSING:
            return [("", text)]
        for where in self._pointers:
            # What is null or empty there is so in a frame of the chat's own.
            if found := [(place, each) for place, each in all_at(value, where) if each is not None and each != ""]:
                return [(place, _as_text(each)) for place, each in found]
        return []

    def _matched(self, text: str) -> str:
        matched = self._match.fullmatch(text) if self._match else None
        return matched[1] if matched else text


def _told(value: Any, where: str, place: str) -> str:
    """Return what the pointer *where* finds for the message at *place*; empty where it finds nothing."""
    found = None if value is _MISSING else next((each for _, each in all_at(value, _at_place(where, place))), None)
    return "" if found is None else _as_text(found)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _has(value: Any, wanted: Mapping[str, Any]) -> bool:
    """Tell whether everything *wanted*, by its pointers, stands in *value*."""
    try:
        return all(found_at(value, where) == what for where, what in wanted.items())
    except KeyError:
        return False
