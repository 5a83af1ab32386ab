"""A crowd of WebSockets on one event loop: opened, counted, and spoken to through one of them."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import resource
import secrets
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import picows

from harness.clients.frame_format import FrameFormat
from harness.load.deliveries import Tally
from harness.load.frames import FrameDecoder
from harness.load.plan import Plan, Visitor

#: Handshakes that fail in a row before no more are tried.
_GIVE_UP = 200
#: How often the publisher's connection may be closed.
PUBLISHERS = 5
#: File descriptors that are not sockets of the crowd.
_RESERVED = 40
#: Bytes that a socket reads into; 10,000 of them wait at once.
_BUFFER = 1024

#: As an adapter it is used as it is; picows makes a logger of its own for each connection otherwise.
_LOGGER = logging.LoggerAdapter(logging.getLogger(__name__))

#: Looked up once: that takes longer than to compare it.
_TEXT = picows.WSMsgType.TEXT

_FULL = {errno.EMFILE, errno.ENFILE}
#: What a handshake meets when there are no more of them.
CLIENT_FULL = "no file descriptor is left"


class Ended(Exception):
    """The step cannot go on; the message says why."""


def room_for_sockets() -> int:
    """Raise this process' limit of file descriptors as far as allowed; return how many sockets there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft - _RESERVED


class _Listener(picows.WSListener):
    """One socket of the crowd, which hands on what arrives to it."""

    __slots__ = ("crowd", "number", "parts", "transport")

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.crowd, self.number = crowd, number
        self.parts: list[bytes] | None = None
        self.transport: picows.WSTransport | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport
        for text in self.crowd.frame_format.opened:
            transport.send(picows.WSMsgType.TEXT, text.encode())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        kind = frame.msg_type
        if kind == _TEXT and frame.fin:
            self.crowd.arrived(self, frame.get_payload_as_bytes())
        elif kind == picows.WSMsgType.CLOSE:
            self.crowd.said_goodbye(self, frame.get_close_code().value)
            # As it came: of none, picows would make the code 0, which there is not; RFC 6455, section 7.4.
            transport.send(picows.WSMsgType.CLOSE, frame.get_payload_as_bytes())
            transport.disconnect()
        elif kind in (picows.WSMsgType.TEXT, picows.WSMsgType.BINARY):
            self.parts = [frame.get_payload_as_bytes()]
            if frame.fin:
                self.crowd.arrived(self, self.parts[0])
        elif kind == picows.WSMsgType.CONTINUATION and self.parts is not None:
            self.parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                self.crowd.arrived(self, b"".join(self.parts))
                self.parts = None

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.crowd.gone(self)


@dataclass
class Crowd:
    """All sockets of a step, and one more that publishes, which is not counted."""

    plan: Plan
    #: How frames carry the chat's messages.
    frame_format: FrameFormat
    tally: Tally = field(init=False)
    listeners: list[_Listener] = field(default_factory=list)
    publisher: _Listener | None = None
    #: Sockets that were not opened: why → how many.
    refused: Counter[str] = field(default_factory=Counter)
    #: Sockets that the server closed: how → how many.
    closed: Counter[str] = field(default_factory=Counter)
    #: The close frames of sockets whose connection has not ended yet: their number → the close code in words.
    goodbye: dict[int, str] = field(default_factory=dict)
    leaving: bool = False
    #: How many connections the publisher has had, one after the other.
    published_by: int = 0

    def __post_init__(self) -> None:
        self.tally = Tally(self.plan.sockets)
        self.token = secrets.token_hex(4)
        self.decoder = FrameDecoder(self.frame_format)
        self._known = self.decoder.known  # what is looked up for each frame
        self.changed = asyncio.Event()

    def arrived(self, listener: _Listener, data: bytes) -> None:
        """Count what is in a frame."""
        now = time.perf_counter()
        numbers = self._known.get(data)
        if numbers is None:
            numbers = self._decode(listener, data)
        if listener.number < 0:
            return
        for number in numbers:
            if self.tally.arrive(number, listener.number, now):
                self.changed.set()

    def _decode(self, listener: _Listener, data: bytes) -> tuple[int, ...]:
        answer = self.decoder.answers.get(data)
        if answer is not None and listener.transport is not None:
            listener.transport.send(picows.WSMsgType.TEXT, answer)
            return ()
        numbers, foreign = self.decoder.decode(data)
        self.tally.foreign += foreign * (listener.number >= 0)
        return numbers

    def said_goodbye(self, listener: _Listener, code: int) -> None:
        """Remember the code of a close frame, for the end of the connection that follows."""
        self.goodbye[listener.number] = f"close code {code}"

    def gone(self, listener: _Listener) -> None:
        """Count a connection that has ended, unless it was ended here."""
        if self.leaving:
            return
        if listener is self.publisher:
            self.publisher = None  # that is no news of whether something arrives
            return
        self.closed[self.goodbye.get(listener.number, "dropped")] += 1
        self.tally.close(listener.number)
        self.changed.set()

    async def have_publisher(self) -> None:
        """Open the publisher's connection, again where it was closed: it is not what is measured.

        Raises:
            Ended: it is not let in, or is closed each time.
        """
        while self.publisher is None:
            if self.published_by > PUBLISHERS:
                raise Ended(f"the publisher's connection was closed {PUBLISHERS} times")
            self.published_by += 1
            if why := await self._open(-1, self.plan.publisher):
                raise Ended(f"the publisher was not let in: {why}")

    def publish(self, text: str, at: float | None = None) -> int:
        """Broadcast *text*, which is due *at*; return its number.

        Raises:
            Ended: the publisher's connection has ended.
        """
        if self.publisher is None or self.publisher.transport is None:
            raise Ended("the publisher's connection was closed")
        number = self.tally.begin(text, time.perf_counter() if at is None else at)
        self.decoder.numbers[text] = number
        self.publisher.transport.send(picows.WSMsgType.TEXT, self.frame_format.broadcast(text).encode())
        return number

    async def connect(self) -> None:
        """Open every socket, the publisher's first."""
        await self.have_publisher()
        numbers = itertools.count()
        failures = 0

        async def work() -> None:
            nonlocal failures
            while failures < _GIVE_UP and (number := next(numbers)) < self.plan.sockets:
                why = await self._open(number, self.plan.visitors[number % len(self.plan.visitors)])
                if why:
                    self.refused[why] += 1
                failures = failures + 1 if why else 0
                if why == CLIENT_FULL:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.plan.at_once, self.plan.sockets)):
                group.create_task(work())

    async def _open(self, number: int, visitor: Visitor) -> str:
        """Open the socket *number*, -1 for the publisher's; return why that failed, or nothing."""
        listener = _Listener(self, number)
        headers = [("Origin", self.plan.origin), *([("Cookie", visitor.cookie)] if visitor.cookie else [])]
        try:
            await picows.ws_connect(
                lambda: listener,
                self.plan.url,
                extra_headers=headers,
                websocket_handshake_timeout=self.plan.handshake,
                read_buffer_init_size=_BUFFER,
                max_redirects=0,
                proxy=None,
                # uvloop's own connections are opened in less time than aiofastnet's, and take less memory.
                use_aiofastnet=False,
                logger_name=_LOGGER,
            )
        except (OSError, picows.WSError, TimeoutError) as error:
            return _why(error, self.plan.handshake)
        if listener.transport is None:  # picows has no error for a connection that ends before it is answered
            return "closed without an answer"
        if number < 0:
            self.publisher = listener
        else:
            self.listeners.append(listener)
        return ""

    def leave(self) -> None:
        """End every connection; what happens then is not counted."""
        self.leaving = True
        for transport in self._transports():
            transport.disconnect(False)

    def keep_alive(self) -> None:
        """Send on every connection the frame that keeps it alive."""
        assert self.frame_format.every is not None
        if not self.leaving:
            for transport in self._transports():
                transport.send(picows.WSMsgType.TEXT, self.frame_format.every[0].encode())

    def _transports(self) -> list[picows.WSTransport]:
        everyone = [*self.listeners, *([self.publisher] if self.publisher else [])]
        return [listener.transport for listener in everyone if listener.transport is not None]


def _why(error: BaseException, seconds: float) -> str:
    """Return in a few words why a handshake failed, for which it had so many *seconds*."""
    if isinstance(error, picows.WSInvalidStatusError):
        return f"status {getattr(error.response, 'status', 0):d}"
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:.0f} s"
    return named(error)


def named(error: BaseException) -> str:
    """Return the system's name for *error*, such as ``ECONNREFUSED``, or the name of its class."""
    if isinstance(error, OSError) and error.errno:
        return CLIENT_FULL if error.errno in _FULL else errno.errorcode.get(error.errno, type(error).__name__)
    return type(error).__name__
