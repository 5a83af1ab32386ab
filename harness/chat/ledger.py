"""The ledger: everything that was said to one server, who said it, and who may hear it.

Whatever the harness says in a cell (the fifteen, isolation, rooms, probes) stands here, and whatever any connection of
anybody receives is held against it, raw frames included: see :func:`overheard`.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

from harness.clients.connection import Endpoint
from harness.clients.transcript import Frame

#: The frames in which something can stand.
_CARRYING = ("text", "binary", "ping", "pong")
#: So many letters and digits say what they are of, also in a frame in which nothing else is as it was.
_TELLING = 20
#: What runs say, with the token of each.
_SAID = re.compile(r"\(([0-9a-f]{6})(?:-2)?\)")
#: How letters are written by their numbers, as clients of a chat read them: ``\\u0048`` in JSON, ``\\x48``.
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
#: What may be base64.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_URL_SAFE = str.maketrans("+/", "-_")
#: What is neither a letter nor a digit.
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Said:
    """One thing that was said."""

    text: str
    #: The member who said it; empty for somebody who is not logged in.
    sender: str
    #: The members who may hear it; None where everybody may.
    hearers: frozenset[str] | None = None
    #: The number of the exchange that it is the message of; None for everything else.
    exchange: int | None = None


@dataclass
class Ledger:
    """All that was said to one server, by whichever chat; several threads may add to it."""

    said: list[Said] = field(default_factory=list)
    #: The texts that are said only to keep connections busy: that they arrive says nothing of what was said before.
    pulses: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, text: str, sender: str = "", hearers: Iterable[str] | None = None, exchange: int | None = None
    ) -> str:
        """Note that *text* is about to be said; return it."""
        with self._lock:
            self.said.append(Said(text, sender, None if hearers is None else frozenset(hearers), exchange))
        return text

    def texts(self) -> set[str]:
        """Return every text that was said."""
        with self._lock:
            return {each.text for each in self.said}

    def times(self) -> Counter[str]:
        """Return how often every text was said."""
        with self._lock:
            return Counter(each.text for each in self.said)

    def unsaid(self, received: Iterable[str]) -> list[str]:
        """Return those of *received* that nobody has said.

        All of it is read before it is looked up: what is said meanwhile is noted before it can arrive.
        """
        came = list(received)
        known = self.texts()
        return [text for text in came if text not in known]

    def private(self) -> list[Said]:
        """Return what not everybody may hear, of each text once, with all who may hear it."""
        found: dict[str, Said] = {}
        with self._lock:
            for each in self.said:
                if each.hearers is None:
                    continue
                known = found.get(each.text)
                heard = each.hearers | ((known.hearers or frozenset()) if known else frozenset())
                # Whoever said it knows it anyway.
                found[each.text] = Said(each.text, each.sender, heard | {each.sender}, each.exchange)
            open_to_all = {each.text for each in self.said if each.hearers is None}
        return [each for text, each in found.items() if text not in open_to_all]


def copies(ledger: Ledger, received: Iterable[str]) -> list[str]:
    """Return each text that was *received* on one connection more often than it was said, in the order of arrival."""
    came = Counter(received)
    said = ledger.times()
    return [text for text, times in came.items() if 0 < said[text] < times]


@dataclass(frozen=True)
class Overheard:
    """Something private that arrived on a connection of somebody who may not hear it, in whatever wrapping."""

    said: Said
    endpoint: Endpoint
    #: Whose cookies the connection had; empty for somebody who is not logged in.
    owner: str


def of_another_run(text: str, token: str) -> bool:
    """Tell whether *text* is what a run says whose token is another one than *token*."""
    return token not in text and _SAID.search(text) is not None


def in_any_letters(said: str, data: str) -> bool:
    """Tell whether what was *said* stands in *data*, however it is quoted, spaced or shouted there."""
    return stands_in(_plain(said), _plain(data))


def _readings(data: str) -> Iterator[str]:
    """Yield *data* as it stands, and as a client reads it that takes escapes, addresses or base64 out of it."""
    yield data
    found = {_ESCAPED.sub(lambda each: chr(int(each[1] or each[2], 16)), data), html.unescape(data), unquote(data)}
    yield from found - {data}
    for each in _BASE64.findall(data):
        with suppress(ValueError):  # what decodes to no text is none
            yield base64.urlsafe_b64decode(each.translate(_URL_SAFE) + "=" * (-len(each) % 4)).decode()


def _plain(text: str) -> str:
    """Return the letters and digits of *text*, all small."""
    return _BETWEEN.sub("", text.casefold())


def overheard(ledger: Ledger, frames: Iterable[Frame], owners: Mapping[Endpoint, str]) -> Iterator[Overheard]:
    """Yield everything private in *frames* that came to somebody it was not for, each text once a connection.

    The beginning of a longer text is enough where no other text begins like that: a preview tells it.
    """
    came = list(frames)  # before it is looked up who may hear it
    private = [(each, {each.text, json.dumps(each.text)[1:-1]}, _plain(each.text)) for each in ledger.private()]
    beginnings = _beginnings(ledger.texts())
    found: set[tuple[str, Endpoint]] = set()
    for frame in came:
        if frame.direction != "in" or frame.kind not in _CARRYING:
            continue
        owner = owners.get(frame.endpoint, "")
        readings = [(data, _plain(data)) for data in _readings(frame.data)]
        for each, forms, bare in private:
            if each.hearers is None or owner in each.hearers or (each.text, frame.endpoint) in found:
                continue
            if any(_tells(data, whole, forms, bare, beginnings.get(bare, "")) for data, whole in readings):
                found.add((each.text, frame.endpoint))
                yield Overheard(each, frame.endpoint, owner)


def _tells(data: str, whole: str, forms: Iterable[str], bare: str, beginning: str) -> bool:
    """Tell whether *data*, *whole* in letters and digits, tells a text in one of its *forms*, or its *beginning*."""
    if any(stands_in(form, data) for form in forms):
        return True
    return (len(bare) >= _TELLING and stands_in(bare, whole)) or bool(beginning and beginning in whole)


def _beginnings(texts: Iterable[str]) -> dict[str, str]:
    """Return by what beginning each of *texts*, in letters and digits, is told from all others; some have none."""
    found = {}
    bare = ["", *sorted({_plain(each) for each in texts}), ""]
    for before, own, after in zip(bare, bare[1:], bare[2:], strict=False):
        shared = max(_shared(own, before), _shared(own, after))
        if (size := max(shared + 1, _TELLING)) < len(own):
            found[own] = own[:size]
    return found


def _shared(one: str, other: str) -> int:
    """Return how many letters two texts have in common at their beginnings."""
    alike = (mine == theirs for mine, theirs in zip(one, other, strict=False))
    return next((place for place, same in enumerate(alike) if not same), min(len(one), len(other)))


def stands_in(said: str, data: str) -> bool:
    """Tell whether what was *said* stands in the frame *data*; the beginning of a longer number is something else."""
    at = data.find(said) if said else -1
    while at >= 0:
        behind = data[at + len(said) : at + len(said) + 1]
        if not (said[-1].isdigit() and behind.isdigit()):
            return True
        at = data.find(said, at + 1)
    return False
