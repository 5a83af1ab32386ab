"""A proxy on loopback that does to connections what networks do: cuts them, holds back or swallows what they carry.

Nothing else stands between a client and a server here. One event loop, in a thread of its own, forwards the bytes of
all connections without looking at them.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from typing import Literal, Self

from harness.system.ports import reset_at_end

#: One of the two ends of what goes through the proxy.
Side = Literal["client", "server"]
#: Seconds that the loop may take for what it is told.
_PROMPTLY = 5.0


class Proxy:
    """Forwards what comes to :attr:`port` of 127.0.0.1 to the port *target* of it, until the block is left."""

    def __init__(self, target: int) -> None:
        self.target = target
        #: Where clients connect; 0 before the block is entered.
        self.port = 0
        self.delayed = 0.0
        self.swallowed: frozenset[Side] = frozenset()
        self.refusing = False
        #: How many bytes have been swallowed.
        self.lost = 0
        self.ends: set[_End] = set()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        listening = self.loop.create_server(lambda: _End(self, "client"), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self.loop).result(_PROMPTLY)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._do(self._server.close)
            self._do(self._reset)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    def cut(self) -> None:
        """Reset both ends of every connection, and refuse new ones until :meth:`mend`."""
        self.refusing = True
        self._do(self._reset)

    def half_open(self, gone: Side) -> None:
        """Reset the *gone* end of every connection; the other end is not told, and what it sends is swallowed."""
        self._do(lambda: self._reset(gone))

    def swallow(self, *towards: Side) -> None:
        """Forward nothing *towards* an end, neither of them where none is named; connections stay, new ones as well."""
        self.swallowed = frozenset(towards or ("client", "server"))

    def delay(self, seconds: float) -> None:
        """Forward everything so many *seconds* later, in both directions."""
        self.delayed = seconds

    def mend(self) -> None:
        """Forward everything at once again, and take connections; what was swallowed does not come back."""
        self.refusing, self.delayed, self.swallowed = False, 0.0, frozenset()

    def _reset(self, *sides: Side) -> None:
        for end in list(self.ends):
            if end.side in (sides or ("client", "server")):
                end.reset()

    def _do(self, do: Callable[[], None]) -> None:
        """Have the loop do something, and wait until it has."""

        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), self.loop).result(_PROMPTLY)


class _End(asyncio.Protocol):
    """One end of a connection; its *peer* is the other one, once that is there."""

    def __init__(self, proxy: Proxy, side: Side, peer: _End | None = None) -> None:
        self._proxy, self.side, self._peer = proxy, side, peer
        #: What came before the peer was there.
        self._early = b""
        #: When the next bytes are due here: nothing overtakes what is held back.
        self._due = 0.0
        #: Whether it was reset on purpose: its peer is not told then.
        self._hushed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._proxy.ends.add(self)
        if self._proxy.refusing:
            self.reset()
        elif self._peer is None:
            self._reaching = self._proxy.loop.create_task(self._reach())
        else:
            self._peer._peer = self
            self._send(self._peer._early)

    async def _reach(self) -> None:
        try:
            there = lambda: _End(self._proxy, "server", self)  # noqa: E731
            await self._proxy.loop.create_connection(there, "127.0.0.1", self._proxy.target)
        except OSError:
            self.reset()

    def data_received(self, data: bytes) -> None:
        if self._peer is None:
            self._early += data
        else:
            self._peer._send(data)

    def _send(self, data: bytes) -> None:
        if self.side in self._proxy.swallowed:
            self._proxy.lost += len(data)
        else:
            self._later(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        if self.transport.is_closing():  # the loop would warn of each
            self._proxy.lost += len(data)
        else:
            self.transport.write(data)

    def _later(self, do: Callable[[], None]) -> None:
        # A later moment each time: of what is due at the same one the loop keeps no order.
        self._due = max(math.nextafter(self._due, math.inf), self._proxy.loop.time() + self._proxy.delayed)
        self._proxy.loop.call_at(self._due, do)

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.ends.discard(self)
        peer = self._peer
        if peer is not None and not self._hushed and peer.side not in self._proxy.swallowed:
            peer._later(peer.transport.close)

    def reset(self) -> None:
        """End this end with a reset, without a word to the other."""
        self._hushed = True
        reset_at_end(self.transport.get_extra_info("socket"))
        self.transport.abort()

    def pause_writing(self) -> None:
        # Nobody reads here: no more is read there, so that the proxy keeps no more than a socket would.
        if self._peer is not None:
            self._peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._peer is not None and not self._peer.transport.is_closing():
            self._peer.transport.resume_reading()
