"""Socket.IO 0.6 over xhr-polling: a request that waits for one message, and a request for each that is sent."""

from __future__ import annotations

import http.client
import itertools
import re
import threading
import time
from contextlib import suppress
from urllib.parse import urlencode

from harness.clients.connection import HANDSHAKE_DEADLINE, Endpoint, HandshakeRefused
from harness.clients.hixie import Reply
from harness.clients.transcript import Transcript

_PATH = "/socket.io/xhr-polling"
_SESSION = re.compile(r"~m~(\d+)~m~(.*)")
#: Seconds that the server may keep a request waiting; it answers with nothing after five.
_PATIENCE = 20.0


class PollingConnection:
    """A connection made of requests."""

    def __init__(
        self,
        endpoint: Endpoint,
        port: int,
        question: str,
        transcript: Transcript,
        cookie: str,
        origin: str,
        reply: Reply,
    ) -> None:
        """Ask for a session.

        Raises:
            HandshakeRefused: the server gives none.
        """
        self._endpoint, self._transcript, self._reply, self._port = endpoint, transcript, reply, port
        self._headers = {"Origin": origin, **({"Cookie": cookie} if cookie else {})}
        self._numbers = itertools.count(int(time.time() * 1000))
        self._closed = threading.Event()
        try:
            answer = self._ask("GET", f"{_PATH}//{question}", HANDSHAKE_DEADLINE, part=True)
        except (OSError, http.client.HTTPException) as error:
            raise HandshakeRefused(f"{type(error).__name__}: {error}") from error
        match = _SESSION.match(answer)
        if match is None:
            raise HandshakeRefused(f"it answers {answer[:100]!r} instead of a session")
        self._session = match[2][: int(match[1])]
        transcript.add(endpoint, "in", "open", "a session of xhr-polling")
        self._reader = threading.Thread(target=self._read, name=f"read {endpoint.member}/{endpoint.name}", daemon=True)
        self._reader.start()

    def send(self, text: str | bytes) -> None:
        """Post one message; OSError when that fails."""
        data = text.decode() if isinstance(text, bytes) else text
        self._transcript.add(self._endpoint, "out", "text", data)
        try:
            answer = self._ask(
                "POST", f"{_PATH}/{self._session}/send", HANDSHAKE_DEADLINE, body=urlencode({"data": data})
            )
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        if answer != "ok":
            raise ConnectionError(f"the server answers {answer[:100]!r}")

    def close(self) -> None:
        """Ask no more; the request that waits ends by itself."""
        self._closed.set()

    def _read(self) -> None:
        why = "closed"
        while not self._closed.is_set():
            try:
                text = self._ask("GET", f"{_PATH}/{self._session}/{next(self._numbers)}", _PATIENCE)
            except (OSError, http.client.HTTPException) as error:
                why = f"polling failed ({type(error).__name__})"
                break
            if text and not self._closed.is_set():
                self._transcript.add(self._endpoint, "in", "text", text)
                answer = self._reply(text)
                if answer is not None:
                    with suppress(OSError):
                        self.send(answer)
        self._transcript.add(self._endpoint, "in", "closed", why)

    def _ask(self, method: str, path: str, seconds: float, body: str = "", part: bool = False) -> str:
        """Return the answer's text; with *part* what there is of it once it has a message."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        try:
            connection.request(method, path, body=body or None, headers={**self._headers, **form})
            answer = connection.getresponse()
            if answer.status != 200:
                raise ConnectionError(f"status {answer.status}")
            # The server never ends the answer that brings the session.
            data = answer.read1(65536) if part else answer.read()
            return data.decode("utf-8", "replace")
        finally:
            connection.close()
