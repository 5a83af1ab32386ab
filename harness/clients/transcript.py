"""Every frame of every connection of a chat in one order, and the means to wait for one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.clients.connection import Endpoint
from harness.system.files import unwritable


@dataclass(frozen=True)
class Frame:
    """One frame, with the moment (:func:`time.monotonic`) at which it was sent or received."""

    at: float
    endpoint: Endpoint
    direction: str
    kind: str
    data: str


class Transcript:
    """All frames of all connections in one order, and the means to wait for one."""

    def __init__(self, messages: Callable[[str], Iterable[str]]) -> None:
        """*messages* returns the messages in a frame that arrived: none where it is the library's own."""
        self._changed = threading.Condition()
        self._messages = messages
        self.began = time.monotonic()
        self.frames: list[Frame] = []
        self._first: dict[tuple[Endpoint, str], float] = {}
        self._texts: dict[Endpoint, list[str]] = {}
        self._closed: dict[Endpoint, str] = {}

    def add(self, endpoint: Endpoint, direction: str, kind: str, data: str) -> None:
        """Record a frame, and wake whoever waits."""
        now = time.monotonic()
        with self._changed:
            self.frames.append(Frame(now, endpoint, direction, kind, data))
            if direction == "in" and kind in ("text", "binary"):
                for message in self._messages(data) if kind == "text" else [data]:
                    self._texts.setdefault(endpoint, []).append(message)
                    self._first.setdefault((endpoint, message), now)
            if kind == "open":  # perhaps again, under a name that was closed before
                self._closed.pop(endpoint, None)
            if kind == "closed":
                self._closed.setdefault(endpoint, data)
            self._changed.notify_all()

    def wait(self, endpoints: Iterable[Endpoint], texts: Iterable[str], seconds: float) -> bool:
        """Wait until each of *endpoints* that is open has received one of *texts*; tell whether it has."""
        wanted, any_of = list(endpoints), tuple(texts)

        def arrived() -> bool:
            return all(
                endpoint in self._closed or any((endpoint, text) in self._first for text in any_of)
                for endpoint in wanted
            )

        with self._changed:
            return self._changed.wait_for(arrived, timeout=seconds)

    def wait_closed(self, endpoint: Endpoint, seconds: float) -> bool:
        """Wait until *endpoint* is closed; tell whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: endpoint in self._closed, timeout=seconds)

    def arrival(self, endpoint: Endpoint, text: str) -> float | None:
        """Return when *endpoint* first received *text*, or None."""
        return self._first.get((endpoint, text))

    def has_one(self, endpoint: Endpoint, texts: Iterable[str]) -> bool:
        """Tell whether *endpoint* has received one of *texts*, such as one of several fences."""
        return any(self.arrival(endpoint, text) is not None for text in texts)

    def texts(self, endpoint: Endpoint) -> list[str]:
        """Return what *endpoint* received, in order, without noise."""
        with self._changed:
            return list(self._texts.get(endpoint, ()))

    def closed(self, endpoint: Endpoint) -> str:
        """Return why *endpoint* is closed, or nothing while it is open."""
        return self._closed.get(endpoint, "")

    def write(self, path: Path, scrub: Callable[[str], str]) -> None:
        """Write every frame as a line of JSON, with its seconds since the first connection.

        Raises:
            HarnessError: *path* cannot be written.
        """
        write_frames(self.frames, self.began, path, scrub)


def write_frames(frames: Iterable[Frame], began: float, path: Path, scrub: Callable[[str], str]) -> None:
    """Add each of *frames* to *path* as a line of JSON, with its seconds since *began*.

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
                    "data": scrub(frame.data),
                }
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        raise unwritable(path.name, error) from error
