"""WebSocket connections of the members (RFC 6455), as a browser makes them.

websocket-client makes the handshake. The frames are read by wsproto, which is as strict as browsers are: it takes no
masked frames, lengths that are longer than they need be, reserved bits, or text that is no UTF-8.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import websocket
from websocket import _cookiejar, _handshake
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from harness.clients import answers, counting
from harness.clients.connection import (
    CLOSED_BY_SERVER,
    HANDSHAKE_DEADLINE,
    NO_WEBSOCKET,
    Endpoint,
    HandshakeRefused,
    as_binary,
)
from harness.clients.transcript import Transcript
from harness.system.ports import reset_at_end
from harness.system.threads import start
from harness.system.waiting import Deadline

#: Bytes that are read at once.
_PIECE = 65536
#: Letters of the body of an answer that refuses a handshake, and what of a page is not shown.
_SHOWN = 200
_NO_WORDS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[a-z!/][^>]*>", re.IGNORECASE | re.DOTALL)
#: Seconds between two fragments.
_FRAGMENT_PAUSE = 0.05
#: What Chromium offers, and what may be chosen of it: https://www.rfc-editor.org/rfc/rfc7692#section-7.1
_OFFER = "permessage-deflate; client_max_window_bits"
_ACCEPTED = re.compile(
    r"permessage-deflate(?:\s*;\s*(?:(?:server|client)_no_context_takeover|"
    r'(?:server|client)_max_window_bits\s*=\s*"?(?:9|1[0-5])"?))*'
)
#: What a server proves by that it understood the handshake (RFC 6455, 1.3).
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: What stands for a close frame without a code (RFC 6455, 7.1.5).
_NO_CODE = 1005
#: Seconds that a server may take nothing of what is sent.
_SENDING = 20
#: Seconds that a server has to end the TCP connection after both have said goodbye (RFC 6455, 7.1.1).
_HANGING_UP = 1
_KINDS = {Opcode.PING: "ping", Opcode.PONG: "pong"}


class _NoCookies(_cookiejar.SimpleCookieJar):
    """Keeps no cookie: websocket-client has one jar for all who are in this process, and hands each what others got."""

    def add(self, set_cookie: str | None) -> None:
        """Forget the cookie."""


_handshake.CookieJar = _NoCookies()
answers.read_as_browsers()


@dataclass(frozen=True)
class Offer:
    """What a client offers in its handshake, beside what every one does."""

    #: Whether permessage-deflate is offered (RFC 7692), as browsers do.
    compression: bool = False
    subprotocols: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: With which certificates it is spoken to under TLS; None for those of the system.
    tls: ssl.SSLContext | None = None


class WebSocketConnection:
    """One WebSocket connection, read by a thread of its own."""

    def __init__(
        self,
        endpoint: Endpoint,
        url: str,
        transcript: Transcript,
        cookie: str = "",
        origin: str = "",
        offer: Offer | None = None,
        buffer: int = 0,
        answer: Callable[[str], str | None] | None = None,
    ) -> None:
        """Connect; *offer* is what the handshake offers, nothing where that is None.

        *answer* returns what is sent at once when a text has arrived, None for nothing; nothing is where it is None.
        *buffer* is how many bytes may have arrived without being read; 0 leaves that to the system.

        Raises:
            HandshakeRefused: the server did not answer with a WebSocket handshake (RFC 6455, 4.2.2), or not in time.
        """
        self.endpoint = endpoint
        #: In how many fragments each message is sent (RFC 6455, 5.4), with a pause between them.
        self.fragments = 1
        self._transcript = transcript
        self._answer = answer or (lambda text: None)
        self._deflate = PerMessageDeflate()
        offer, key = offer or Offer(), base64.b64encode(secrets.token_bytes(16)).decode()
        handshake = websocket.WebSocket(skip_utf8_validation=True)
        try:
            handshake.connect(
                url,
                socket=counting.line_to(url, buffer, offer.tls),
                timeout=HANDSHAKE_DEADLINE,
                cookie=cookie or None,
                origin=origin or None,
                suppress_origin=not origin,
                redirect_limit=0,  # no browser follows one here
                # What was chosen of it is looked at here: not by websocket-client, which says no more than "invalid".
                header={**offer.headers, **_offered(offer), "Sec-WebSocket-Key": key},
            )
            self.wire = self._opened(handshake, offer, key)
        except websocket.WebSocketBadStatusException as error:
            body = _in_words(error.resp_body or b"")
            handshake.shutdown()
            raise HandshakeRefused(f"status {error.status_code}" + (f": {body}" if body else "")) from error
        except (websocket.WebSocketException, OSError, ValueError) as error:
            response = handshake.handshake_response
            handshake.shutdown()
            if response is not None and 300 <= response.status < 400:  # which is told as a limit of redirects
                where = (response.headers or {}).get("location", "nowhere")
                raise HandshakeRefused(f"status {response.status}, which sends to {where}") from error
            raise HandshakeRefused(f"{type(error).__name__}: {error}") from error
        self._frames = FrameProtocol(client=True, extensions=[self._deflate])
        self._sending = threading.Lock()
        self._goodbye_said = self._vanished = False
        self._reads = threading.Event()
        self._reads.set()
        transcript.add(endpoint, "in", "open", f"status {handshake.status}")
        self._reader = threading.Thread(target=self._read, name=f"read {endpoint.member}/{endpoint.name}", daemon=True)
        start(self._reader)

    def _opened(self, handshake: websocket.WebSocket, offer: Offer, key: str) -> counting.Counting:
        """Return the TCP connection once the answer to *key* is one that a browser takes.

        Raises:
            WebSocketException: it is not.
        """
        wire, headers = handshake.sock, handshake.headers or {}
        assert isinstance(wire, counting.Counting)
        if handshake.status != 101:
            raise websocket.WebSocketException(f"status {handshake.status} instead of 101")
        if wire.beginning != b"HTTP/1.1":
            raise websocket.WebSocketException(f"it answers with {wire.beginning.decode('latin-1')}")
        right = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()  # noqa: S324 -- RFC 6455
        if headers.get("sec-websocket-accept") != right:  # websocket-client takes it in any case of letters
            raise websocket.WebSocketException(
                f"it answers with Sec-WebSocket-Accept: {headers.get('sec-websocket-accept')}, and not {right}"
            )
        chosen, offered = headers.get("sec-websocket-protocol"), ", ".join(offer.subprotocols)
        if chosen and chosen not in offer.subprotocols:
            raise websocket.WebSocketException(
                f"it chooses the subprotocol {chosen}, and {offered or 'none'} was offered"
            )
        if offered and not chosen:  # https://websockets.spec.whatwg.org/: browsers fail it
            raise websocket.WebSocketException(f"it chooses no subprotocol, and {offered} was offered")
        extensions = headers.get("sec-websocket-extensions") or ""
        if extensions and not (offer.compression and _ACCEPTED.fullmatch(extensions.strip())):
            raise websocket.WebSocketException(f"it chooses the extension {extensions}, which was not offered")
        if extensions:
            self._deflate.finalize(extensions)
        wire.deadline = None
        wire.settimeout(None)
        # A server that does not read any more must not keep the harness waiting for ever (socket(7): SO_SNDTIMEO).
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SENDING, 0))
        return wire

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError when the connection is gone."""
        binary = isinstance(text, bytes)
        shown = f"{len(text)} bytes" if binary else str(text)
        self._transcript.add(self.endpoint, "out", "binary" if binary else "text", shown)
        size = max(-(-len(text) // self.fragments), 1)
        pieces = [text[at : at + size] for at in range(0, len(text), size)] or [text]
        with self._sending:
            for number, piece in enumerate(pieces, 1):
                if number > 1:
                    time.sleep(_FRAGMENT_PAUSE)  # or they would be in one packet
                self.wire.sendall(self._frames.send_data(piece, fin=number == len(pieces)))

    def say_goodbye(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame (RFC 6455, 5.5.1), and go on reading until the server answers it."""
        with suppress(OSError), self._sending:
            if not self._goodbye_said:
                self._goodbye_said = True
                self.wire.sendall(self._frames.close(code, reason or None))

    def _answer_goodbye(self, code: int) -> None:
        """Answer the server's close frame with its own code (RFC 6455, 5.5.1), unless this is an answer itself."""
        with suppress(OSError), self._sending:
            if not self._goodbye_said:
                self._goodbye_said = True
                self.wire.sendall(self._frames.close(None if code == _NO_CODE else code))

    def pause(self) -> None:
        """Read nothing more, but for one piece that may be under way, until :meth:`go_on`."""
        self._reads.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reads.set()

    def vanish(self) -> None:
        """Reset the TCP connection, as a client does that is killed."""
        self._vanished = True
        with suppress(OSError):
            reset_at_end(self.wire)
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RD)
        self._reader.join(timeout=5)
        self.wire.close()

    def close(self) -> None:
        """Say goodbye and end the reading; never waits for the server."""
        self.go_on()
        self.say_goodbye()
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=5)
        self.wire.close()

    def _read(self) -> None:
        try:
            why = self._until_closed()
        except OSError as error:
            why = f"connection lost ({type(error).__name__})"
        except ParseFailed as error:
            why = f"{NO_WEBSOCKET} ({error})"
        except Exception as error:  # a reader that dies in silence would leave everybody waiting
            why = f"what arrives cannot be read ({type(error).__name__})"
        self._transcript.add(self.endpoint, "in", "closed", why)
        self._hang_up()

    def _hang_up(self) -> None:
        """End the TCP connection once the server has, or has had its time: some wait for that, and hold up a room."""
        if self._vanished:  # which is another end
            return
        deadline = Deadline(_HANGING_UP)
        with suppress(OSError):
            while not deadline.over:
                self.wire.settimeout(max(deadline.left, 0.001))
                if not self.wire.recv(_PIECE):
                    break
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)

    def _receive(self) -> bytes:
        self._reads.wait()
        return self.wire.recv(_PIECE)

    def _until_closed(self) -> str:
        """Record what arrives; return how it ended.

        Raises:
            OSError: the connection broke.
            ParseFailed: what arrived is nothing that a browser takes.
        """
        message: list[Any] = []
        while data := self._receive():
            self._frames.receive_bytes(data)
            for frame in self._frames.received_frames():
                payload: Any = frame.payload  # of a type that depends on the opcode
                if frame.opcode is Opcode.CLOSE:
                    code, reason = payload
                    self._answer_goodbye(int(code))
                    return f"{CLOSED_BY_SERVER} with {int(code)} {reason}".strip()
                if frame.opcode.iscontrol():
                    shown = bytes(payload).decode("utf-8", "replace")
                    self._transcript.add(self.endpoint, "in", _KINDS[frame.opcode], shown)
                    if frame.opcode is Opcode.PING:
                        with self._sending:
                            self.wire.sendall(self._frames.pong(bytes(payload)))
                    continue
                message.append(payload)
                if not frame.message_finished:
                    continue
                binary = frame.opcode is Opcode.BINARY
                whole = as_binary(b"".join(map(bytes, message))) if binary else "".join(message)
                self._transcript.add(self.endpoint, "in", "binary" if binary else "text", whole)
                message.clear()
                if not binary and (answer := self._answer(whole)) is not None:
                    self.send(answer)
        return "connection lost (the server closed it without a word)"


def _in_words(body: bytes) -> str:
    """Return the beginning of what stands in the *body* of an answer, without the tags of a page."""
    text = body[:_PIECE].decode("utf-8", "replace")
    return " ".join(html.unescape(_NO_WORDS.sub(" ", text)).split())[:_SHOWN]


def _offered(offer: Offer) -> dict[str, str]:
    """Return the headers that offer what *offer* says."""
    headers = {"Sec-WebSocket-Extensions": _OFFER} if offer.compression else {}
    if offer.subprotocols:
        headers["Sec-WebSocket-Protocol"] = ", ".join(offer.subprotocols)
    return headers
