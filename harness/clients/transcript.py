"""Every frame of every connection of a chat in one order, and the means to wait for one."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.clients.connection import Endpoint
from harness.system.files import unwritable
from harness.system.waiting import patiently

#: Letters of a text that is kept as it is, also on :class:`Scales`.
_SHORT = 1000
#: Letters of a frame that is written as it is, and those that are of a longer one.
_WRITTEN = 4000
_BEGINNING = 200


@dataclass(frozen=True)
class Frame:
    """One frame, with the moment (:func:`time.monotonic`) at which it was sent or received."""

    at: float
    endpoint: Endpoint
    direction: str
    kind: str
    data: str


@dataclass(frozen=True)
class Message:
    """A message in a frame that arrived, with what the frame says of it."""

    text: str
    #: What else the frame says, such as ``sender`` → ``John``; empty is what it should say, and does not.
    says: Mapping[str, str] = field(default_factory=dict)
    #: When it arrived (:func:`time.monotonic`).
    at: float = 0.0


class Transcript:
    """All frames of all connections in one order, and the means to wait for one."""

    def __init__(self, read: Callable[[str], Iterable[Message]]) -> None:
        """*read* returns the messages in a frame that arrived: none where it is the library's own."""
        self._changed = threading.Condition()
        self._read = read
        self.began = time.monotonic()
        self.frames: list[Frame] = []
        self._arrivals: dict[tuple[Endpoint, str], list[float]] = {}
        self._messages: dict[Endpoint, list[Message]] = {}
        self._closed: dict[Endpoint, Frame] = {}

    def add(self, endpoint: Endpoint, direction: str, kind: str, data: str) -> None:
        """Record a frame, and wake whoever waits."""
        now = time.monotonic()
        with self._changed:
            frame = Frame(now, endpoint, direction, kind, data)
            self.frames.append(frame)
            if direction == "in" and kind in ("text", "binary"):
                for message in self._read(data) if kind == "text" else [Message(data)]:
                    self._messages.setdefault(endpoint, []).append(replace(message, at=now))
                    self._arrivals.setdefault((endpoint, message.text), []).append(now)
            if kind == "open":  # perhaps again, under a name that was closed before
                self._closed.pop(endpoint, None)
            if kind == "closed":
                self._closed.setdefault(endpoint, frame)
            self._changed.notify_all()

    def wait(self, endpoints: Iterable[Endpoint], texts: Iterable[str], seconds: float, since: float = 0.0) -> bool:
        """Wait until each of *endpoints* that is open has received one of *texts*; tell whether it has.

        What arrived before *since* (:func:`time.monotonic`) does not count: a text may be said more than once.
        """
        wanted, any_of = list(endpoints), tuple(texts)

        def arrived() -> bool:
            return all(
                endpoint in self._closed or any(self.arrival(endpoint, text, since) is not None for text in any_of)
                for endpoint in wanted
            )

        with self._changed:
            return patiently(lambda left: self._changed.wait_for(arrived, timeout=left), seconds)

    def wait_closed(self, endpoint: Endpoint, seconds: float) -> bool:
        """Wait until *endpoint* is closed; tell whether it is."""
        with self._changed:
            return patiently(
                lambda left: self._changed.wait_for(lambda: endpoint in self._closed, timeout=left), seconds
            )

    def arrival(self, endpoint: Endpoint, text: str, since: float = 0.0) -> float | None:
        """Return when *endpoint* first received *text* from *since* on, or None."""
        return next((at for at in self._arrivals.get((endpoint, text), ()) if at >= since), None)

    def arrivals(self, endpoint: Endpoint, text: str) -> int:
        """Return how often *endpoint* received *text*."""
        return len(self._arrivals.get((endpoint, text), ()))

    def activity(self, endpoints: Iterable[Endpoint], texts: Container[str]) -> int:
        """Return how many of *texts* *endpoints* have received: who waits sees by it that something still comes."""
        with self._changed:
            return sum(message.text in texts for endpoint in endpoints for message in self._messages.get(endpoint, ()))

    def messages(self, endpoint: Endpoint) -> list[Message]:
        """Return what *endpoint* received, in order, without the library's own."""
        with self._changed:
            return list(self._messages.get(endpoint, ()))

    def has_one(self, endpoint: Endpoint, texts: Iterable[str]) -> bool:
        """Tell whether *endpoint* has received one of *texts*, such as one of several fences."""
        return any(self.arrival(endpoint, text) is not None for text in texts)

    def texts(self, endpoint: Endpoint) -> list[str]:
        """Return what *endpoint* received, in order, without noise."""
        with self._changed:
            return [message.text for message in self._messages.get(endpoint, ())]

    def closed(self, endpoint: Endpoint) -> str:
        """Return why *endpoint* is closed, or nothing while it is open."""
        return self._closed[endpoint].data if endpoint in self._closed else ""

    def closed_since(self, endpoint: Endpoint, since: float) -> bool:
        """Tell whether *endpoint* is closed, and was still open at *since* (:func:`time.monotonic`)."""
        return endpoint in self._closed and self._closed[endpoint].at > since

    def write(self, path: Path, scrub: Callable[[str], str]) -> None:
        """Write every frame as a line of JSON, with its seconds since the first connection.

        Raises:
            HarnessError: *path* cannot be written.
        """
        write_frames(self.frames, self.began, path, scrub)


class Scales(Transcript):
    """A transcript that keeps how long each text is, as a text itself: for some that are too long to be kept."""

    def __init__(self) -> None:
        super().__init__(lambda data: [Message(data)])

    def add(self, endpoint: Endpoint, direction: str, kind: str, data: str) -> None:
        """Record a frame, with the number of its letters in place of what it says where that is much."""
        super().add(endpoint, direction, kind, data if len(data) < _SHORT else str(len(data)))


def write_frames(frames: Iterable[Frame], began: float, path: Path, scrub: Callable[[str], str]) -> None:
    """Add each of *frames* to *path* as a line of JSON, with its seconds since *began*.

    Of one that is long only the beginning is written, how long it was, and its digest, by which it can be told whether
    two are the same: thousands of long ones would fill a disk.

    Raises:
        HarnessError: *path* cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            for frame in frames:
                entry = {
                    "seconds": round(frame.at - began, 6),
                    "member": frame.endpoint.member,
                    "connection": frame.endpoint.name,
                    "direction": frame.direction,
                    "kind": frame.kind,
                    "data": _in_short(frame.data, scrub),
                }
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        raise unwritable(path.name, error) from error


def _in_short(data: str, scrub: Callable[[str], str]) -> str:
    if len(data) <= _WRITTEN:
        return scrub(data)
    digest = hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()
    # Scrubbed before it is cut, so that no half of a secret is left.
    beginning = scrub(data[:_WRITTEN])[:_BEGINNING]
    return f"{beginning}… ({len(data)} letters, SHA-256 {digest})"
