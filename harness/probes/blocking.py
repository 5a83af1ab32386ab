"""Blocking: what the round trips of others do while one handler takes its time, and while one member uploads a lot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import requests

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, side_by_side, twice
from harness.cell.server import CellServer
from harness.cell.ways import Way, ways_apart
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, SendFailed
from harness.libraries.base import TRIALS, Library
from harness.results.result import Finding
from harness.system.waiting import Deadline

#: Seconds that the handler takes, and the longest round trip meanwhile that is no blocking.
_TAKES = 2.0
_BOUND = 0.5
#: Seconds between two round trips, and those that one may take.
_EACH = 0.05
_PATIENCE = 15.0
#: Seconds after which something else is said behind a message that has not come.
_BEHIND = 0.2
#: Bytes that are uploaded, and the page that they go to: it takes them, and does nothing with them.
_UPLOAD = 48_000_000
#: Seconds that it may take.
_UPLOADING = 60.0
_PAGE = "/accounts/login/"
_DEAF = "not proved: no round trip ends while nobody is busy either"
_MARY, _JOHN = Endpoint("Mary", "blocking"), Endpoint("John", "round trips")


@dataclass(frozen=True)
class _Busy:
    """How a handler takes its time, as ``myapp.trials`` calls it, and in words."""

    how: str
    says: str


_BUSY = (_Busy("await", "awaits for 2 s"), _Busy("sleep", "blocks for 2 s"))


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask every way whose server side takes trials about busy handlers, and the usual way about an upload."""
    chat.close()
    asked = [busy for busy in _BUSY if server.library.takes(busy.how, server.setup.server)]
    if asked and server.wants("While a handler"):
        notes = server.recorder.work / "trials.jsonl"
        with ways_apart(server, observed, "blocking", {TRIALS: str(notes)}) as ways:
            for way in ways:
                if way.chat is None:
                    yield from (way.not_asked(_round_trips_of(busy), _expected()) for busy in asked)
            for busy in asked:
                each = [partial(_while_busy, way, way.chat, busy, server.library) for way in ways if way.chat]
                yield from side_by_side(each, len(each))
    if server.wants(_uploading()):
        yield from guarded(_uploading(), partial(twice, partial(_while_uploading, chat)))


def _round_trips_of(busy: _Busy) -> str:
    return f"While a handler {busy.says}: another member's round trips"


def _while_busy(way: Way, chat: Chat, busy: _Busy, library: Library) -> Iterator[Finding]:
    measured = partial(_measured, way, chat, busy, library)
    return guarded(way.asked(_round_trips_of(busy)), partial(twice, measured))


def _measured(way: Way, chat: Chat, busy: _Busy, library: Library) -> list[Finding]:
    """Have Mary's handler take its time, and measure John's round trips and what is pushed to her."""
    path = raw.with_query(chat.path_for("broadcast"), f"trial={chat.token}")
    for endpoint in (_MARY, _JOHN):
        chat.open(endpoint, path, endpoint.member)
    chat.wait_subscribed([_MARY, _JOHN])
    if not _hears_himself(chat):
        return [way.found(_round_trips_of(busy), _expected(), _DEAF, None)]
    began = time.monotonic()
    library.ask_trial(chat, _MARY, {"trial": "block", "how": busy.how, "seconds": _TAKES})
    trips = _round_trips(chat, lambda: time.monotonic() - began > _TAKES)
    chat.transcript.wait([_MARY], list(trips)[-1:], _PATIENCE)
    pushed = [chat.transcript.arrival(_MARY, text) for text in trips]
    delays = [at - trips[text].sent for text, at in zip(trips, pushed, strict=True) if at is not None]
    closed = next((why for each in (_MARY, _JOHN) if (why := chat.transcript.closed(each))), "")
    chat.close([_MARY, _JOHN])
    if closed:
        return [way.found(_round_trips_of(busy), _expected(), f"not proved: a connection is {closed}", None)]
    own = way.asked(f"While a handler {busy.says}: what is sent to its own socket")
    return [
        _finding(way.asked(_round_trips_of(busy)), [each.took for each in trips.values()]),
        _finding(own, delays if len(delays) == len(trips) else [_TAKES]),
    ]


def _uploading() -> str:
    return f"While a member uploads {_UPLOAD / 1e6:.0f} MB: another member's round trips"


def _while_uploading(chat: Chat) -> list[Finding]:
    """Have Mary upload a file, and measure John's round trips."""
    chat.open(_JOHN, chat.path_for("broadcast"), _JOHN.member)
    chat.wait_subscribed([_JOHN])
    if not _hears_himself(chat):
        return [Finding(question=_uploading(), expected=_expected(), seen=_DEAF, good=None)]
    status: list[str] = []
    thread = threading.Thread(target=lambda: status.append(_upload(chat)), daemon=True)
    thread.start()
    trips = _round_trips(chat, lambda: not thread.is_alive())
    thread.join(_UPLOADING)
    chat.close([_JOHN])
    found = _finding(
        _uploading(),
        [each.took for each in trips.values()],
    )
    return (
        [found]
        if status == ["200"]
        else [
            Finding(
                question=found.question,
                expected=found.expected,
                seen=f"not proved: the upload ends with {(status or ['no answer'])[0]}",
                good=None,
            )
        ]
    )


def _upload(chat: Chat) -> str:
    """Upload a file as a form of Mary's does; return the status of the answer, or what went wrong."""
    session = chat.session(_MARY.member)
    token = session.cookie.partition(f"{chat.server.form.csrf_cookie}=")[2].partition(";")[0]
    try:
        answer = requests.post(
            f"{chat.server.base}{_PAGE}",
            data={chat.server.form.csrf_field: token},
            files={"file": ("large.bin", b"x" * _UPLOAD)},
            headers={"Cookie": session.cookie},
            timeout=_UPLOADING,
            proxies={"http": ""},  # nothing goes elsewhere than to this machine
        )
    except requests.RequestException as error:
        return type(error).__name__
    return str(answer.status_code)


@dataclass(frozen=True)
class _Trip:
    """When a message was sent, and the seconds until its sender had it; those it was waited for if it never came."""

    sent: float
    took: float


def _round_trips(chat: Chat, over: Callable[[], bool]) -> dict[str, _Trip]:
    """Have John send to himself, one message after the other, until it is *over*; return each with its times."""
    found: dict[str, _Trip] = {}
    while not found or not over():
        text = f"round trip {len(found)} ({chat.token}, {time.monotonic_ns()})"
        sent = time.monotonic()
        try:
            chat.broadcast(_JOHN, text)
        except SendFailed:
            found[text] = _Trip(sent, _PATIENCE)
            break
        at = _came_back(chat, text)
        found[text] = _Trip(sent, _PATIENCE if at is None else at - sent)
        if at is None:
            break
        threading.Event().wait(_EACH)
    return found


def _hears_himself(chat: Chat) -> bool:
    """Tell whether a round trip ends while nobody is busy: else none would prove anything."""
    text = f"before anybody is busy ({chat.token}, {time.monotonic_ns()})"
    with suppress(SendFailed):
        chat.broadcast(_JOHN, text)
        return _came_back(chat, text) is not None
    return False


def _came_back(chat: Chat, text: str) -> float | None:
    """Return when John had *text*, or what he said behind it: some libraries keep one back until the next comes."""
    limit, said = Deadline(_PATIENCE), [text]
    while not chat.transcript.wait([_JOHN], said, min(_BEHIND, limit.left)) and not limit.over:
        said.append(f"behind {text}, {len(said)}")
        with suppress(SendFailed):
            chat.broadcast(_JOHN, said[-1])
    return min((at for each in said if (at := chat.transcript.arrival(_JOHN, each)) is not None), default=None)


def _expected() -> str:
    return f"less than {_BOUND:g} s"


def _finding(question: str, seconds: list[float]) -> Finding:
    longest = max(seconds)
    good = longest < _BOUND
    seen = _expected() if good else f"up to {longest:.0f} s"
    return Finding(question=question, expected=_expected(), seen=seen, good=good)
