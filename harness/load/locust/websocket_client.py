"""A WebSocket that is read in a loop, on websocket-client: what Locust's users have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import websocket

from harness.load.crowd import named
from harness.load.plan import Plan, Visitor

#: What may go wrong with a connection; websocket-client meets some of it as what it is not.
BROKEN = (websocket.WebSocketException, OSError, ValueError, AttributeError)


class WebSocketClient:
    """One connection of *visitor*; it waits without holding up others where gevent has patched what it waits with."""

    def __init__(self, plan: Plan, visitor: Visitor) -> None:
        self._plan, self._visitor = plan, visitor
        self._socket = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
        #: How the connection ended.
        self.ended = ""

    def connect(self) -> str:
        """Open it; return why it was not opened."""
        try:
            self._socket.connect(
                self._plan.url,
                timeout=self._plan.handshake,
                cookie=self._visitor.cookie or None,
                origin=self._plan.origin,
                redirect_limit=0,
                http_no_proxy=["*"],
            )
            return "" if self._socket.status == 101 else f"status {self._socket.status}"
        except websocket.WebSocketBadStatusException as error:
            return f"status {error.status_code}"
        except (websocket.WebSocketTimeoutException, TimeoutError):
            return f"no answer within {self._plan.handshake:.0f} s"
        except websocket.WebSocketConnectionClosedException:
            return "closed without an answer"
        except BROKEN as error:
            return named(error)

    def send(self, text: str | bytes) -> None:
        """Send a text; one of :data:`BROKEN` when the connection is gone."""
        self._socket.send(text, websocket.ABNF.OPCODE_TEXT)

    def frames(self, seconds: float | None = None) -> Iterator[bytes]:
        """Yield the data of each message until the connection ends, or nothing comes for so many *seconds*."""
        try:
            self._socket.settimeout(seconds)
            while True:
                kind, frame = self._socket.recv_data_frame(control_frame=True)
                if kind == websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(frame.data[:2], "big") if len(frame.data) >= 2 else 1005
                    self.ended = f"close code {code}"
                    break
                if kind in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                    yield bytes(frame.data)
        except websocket.WebSocketTimeoutException:
            return
        except BROKEN:
            self.ended = "dropped"
        self.leave()

    def leave(self) -> None:
        """End the connection without a word."""
        with suppress(*BROKEN):
            self._socket.shutdown()
