"""Frames of somebody's own chat: made from a template, and read by a pointer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: A word of a template.
_WORD = re.compile(r"\$(TEXT|MEMBER|USER|PASSWORD|TO|TOKEN|TICKET)\b")
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


class Reader:
    """Finds the message in a frame."""

    def __init__(
        self, pointers: Iterable[str], prefix: str = "", match: str = "", ignore: Iterable[str | Mapping[str, Any]] = ()
    ) -> None:
        self._pointers = [pointer(each) for each in pointers]
        self._prefix = prefix
        self._match = re.compile(match, re.DOTALL) if match else None
        self._patterns = [re.compile(each, re.DOTALL) for each in ignore if isinstance(each, str)]
        self._objects = [
            {pointer(where): value for where, value in each.items()} for each in ignore if not isinstance(each, str)
        ]

    def message(self, data: str) -> str | None:
        """Return what is said in the frame *data*; None where it is no message.

        A frame that is not as it is expected to be is a message as it stands, so that nobody overlooks it; but not one
        in which the pointers find nothing, which is the chat's own.
        """
        if any(each.fullmatch(data) for each in self._patterns):
            return None
        if not data.startswith(self._prefix):
            return None
        try:
            value = json.loads(data.removeprefix(self._prefix))
        except (ValueError, RecursionError):
            value = _MISSING
        if value is not _MISSING and any(_has(value, each) for each in self._objects):
            return None
        return self._said(data.removeprefix(self._prefix), value)

    def _said(self, text: str, value: Any) -> str | None:
        if self._pointers and value is not _MISSING:
            for where in self._pointers:
                try:
                    found = found_at(value, where)
                except KeyError:
                    continue
                if found is None or found == "":  # as in a frame of the chat's own
                    continue
                text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
                break
            else:
                return None
        if self._match and (matched := self._match.fullmatch(text)):
            return matched[1]
        return text


def _has(value: Any, wanted: Mapping[str, Any]) -> bool:
    """Tell whether everything *wanted*, by its pointers, stands in *value*."""
    try:
        return all(found_at(value, where) == what for where, what in wanted.items())
    except KeyError:
        return False
