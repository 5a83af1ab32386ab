"""The largest message, to the byte, in each direction, and how one ends that is larger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress

from harness.cell.ways import Way
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint
from harness.clients.transcript import Scales
from harness.clients.websocket import WebSocketConnection
from harness.results.result import Finding

#: Bytes that the search begins and ends with, and those that everybody may expect to get through.
_SMALLEST = 4096
_LARGEST = 32 * 1024 * 1024
_USUAL = 1_000_000
#: Seconds for one message.
_PATIENCE = 10.0


def ask(ways: list[Way]) -> Iterator[Finding]:
    """Look for the largest text that a server of the usual way takes, and the largest that it sends."""
    if ways[0].chat is None:
        return
    weighing = _Weighing(ways[0].chat)
    for direction, passes in (("from a client", weighing.takes), ("to a client", weighing.sends)):
        largest = _search(passes)
        question = f"The largest message {direction}"
        expected = f"{_USUAL} bytes or more"
        if not largest:
            seen = f"not proved: not even {_SMALLEST} bytes get through; {weighing.ended}"
            yield Finding(question=question, expected=expected, seen=seen, good=None)
            continue
        more = largest >= _LARGEST
        seen = f"{largest} bytes or more" if more else f"{largest} bytes"
        yield Finding(question=question, expected=expected, seen=seen, good=largest >= _USUAL)
        if not more:
            expected = "is closed with 1009"
            passes(largest + 1)
            yield Finding(
                question=f"A message that is larger by one byte, {direction}",
                expected=expected,
                seen=weighing.ended,
                good=weighing.ended.startswith(expected),
            )


def _search(passes: Callable[[int], bool]) -> int:
    """Return how long a message may be at most; 0 where even the smallest does not pass."""
    good, size = 0, _SMALLEST
    while size <= _LARGEST and passes(size):
        good, size = size, size * 2
    if not good:
        return 0
    bad = min(size, _LARGEST + 1)
    while bad - good > 1 and good < _LARGEST:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if passes(middle) else (good, middle)
    return good


class _Weighing:
    """Sends messages of any size in both directions, over connections that are made anew when one has ended."""

    def __init__(self, chat: Chat) -> None:
        self._chat, self._opened = chat, 0
        self._scales = Scales()
        self._line: WebSocketConnection | None = None
        #: How the last message ended that did not pass.
        self.ended = ""

    def takes(self, size: int) -> bool:
        """Send the server so many bytes."""
        empty = len(json.dumps({"trial": "weigh", "pad": ""}))
        return self._tried(json.dumps({"trial": "weigh", "pad": "x" * (size - empty)}), f"weighed {size - empty}")

    def sends(self, size: int) -> bool:
        """Have the server send so many bytes."""
        return self._tried(json.dumps({"trial": "grow", "size": size}), str(size))

    def _tried(self, text: str, answer: str) -> bool:
        """Tell whether *text* brings *answer*; that it does not is believed the second time, on another connection."""
        return self._once(text, answer) or self._once(text, answer)

    def _once(self, text: str, answer: str) -> bool:
        line = self._open()
        with suppress(OSError):  # it may be closed under what is sent: the transcript knows with what
            line.send(text)
        passed = self._scales.wait([line.endpoint], [answer], _PATIENCE)
        closed = self._scales.closed(line.endpoint)
        passed = passed and self._scales.arrival(line.endpoint, answer) is not None
        if not passed:
            self.ended = closed.replace(CLOSED_BY_SERVER, "is closed") if closed else "gets no answer, and stays open"
            line.close()
            self._line = None
        return passed

    def _open(self) -> WebSocketConnection:
        if self._line is None or self._scales.closed(self._line.endpoint):
            self._opened += 1
            endpoint = Endpoint("Mary", f"weighing {self._opened}")
            self._line = raw.connect(self._chat, endpoint, query="trial=weighing", transcript=self._scales)
        return self._line
