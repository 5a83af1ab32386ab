"""The cell's pages as a browser without scripts meets them: readiness, login, pages, posts."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress

import requests

from harness.errors import CellFailure
from harness.processes import Child
from harness.result import Reason

#: Seconds for one request.
REQUEST_DEADLINE = 20.0

#: Bytes of the largest page.
_PAGE_LIMIT = 10_000_000

LOGIN = "/accounts/login/"


class PortTaken(Exception):
    """Another process listens on the port that the server was to use."""


class Browser:
    """One member's session with the cell: its cookies, and a new connection for each request.

    A server can close an HTTP/1.1 connection without saying so; django-websocket-redis does. Who
    uses it again sometimes gets no answer, and would blame the server for a race of its own.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self._cookies = requests.cookies.RequestsCookieJar()

    @property
    def cookie(self) -> str:
        """The cookies as a request header has them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def get(self, path: str) -> requests.Response:
        """GET a page.

        Raises:
            CellFailure: no answer came.
        """
        return self._request("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        """POST a form, with the CSRF token that Django asks for.

        Raises:
            CellFailure: no answer came.
        """
        token = self._cookies.get("csrftoken")
        fields = {**form, "csrfmiddlewaretoken": token} if token else form
        return self._request("POST", path, fields)

    def log_in(self, member: str) -> None:
        """Log in through Django's login view, as a person with a browser does.

        Raises:
            CellFailure: there is no login page, or it does not let the member in.
        """
        page = self.get(LOGIN)
        if page.status_code != 200:
            raise CellFailure(Reason.PAGE_FAILED, f"the login page answers with status {page.status_code}")
        answer = self.post(LOGIN, {"username": member, "password": member, "next": "/"})
        if answer.status_code != 302 or "sessionid" not in self._cookies:
            raise CellFailure(
                Reason.PAGE_FAILED, f"{member} cannot log in: the login page answers with status {answer.status_code}"
            )

    def _request(self, method: str, path: str, form: dict[str, str] | None) -> requests.Response:
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.cookies = self._cookies
                session.headers["Connection"] = "close"
                return self._read(session, method, path, form)
        except requests.RequestException as error:
            raise CellFailure(
                Reason.PAGE_FAILED, f"{method} {path} brought no answer ({type(error).__name__})"
            ) from error

    def _read(
        self, session: requests.Session, method: str, path: str, form: dict[str, str] | None
    ) -> requests.Response:
        """Read the whole answer within the deadline: the library's own time-out is one for each read."""
        began, body = time.monotonic(), b""
        answer = session.request(
            method, self.base + path, data=form, allow_redirects=False, timeout=REQUEST_DEADLINE, stream=True
        )
        for piece in answer.iter_content(65536):
            body += piece
            if time.monotonic() - began > REQUEST_DEADLINE or len(body) > _PAGE_LIMIT:
                raise CellFailure(Reason.PAGE_FAILED, f"the answer to {method} {path} does not end")
        answer._content = body
        return answer


def wait_until_ready(server: Child, port: int, deadline: float) -> float:
    """Ask until the server answers HTTP; return the seconds that took.

    Raises:
        PortTaken: somebody else listens there.
        CellFailure: the server ended, or does not answer in time.
    """
    while (waited := time.monotonic() - server.started) < deadline:
        if server.exit_status is not None:
            raise CellFailure(
                Reason.SERVER_DID_NOT_START,
                f"the server ended with exit status {server.exit_status} before it answered",
            )
        answer = _ask(server, port, deadline - waited)
        if answer is not None:
            if not server.listens_on(port):
                if server.exit_status is None and waited < 5:
                    time.sleep(0.05)  # it may be about to fail because the port is taken
                    continue
                raise PortTaken(f"port {port} is taken by another process")
            if answer.startswith(b"HTTP/"):
                return time.monotonic() - server.started
            raise CellFailure(Reason.SERVER_DID_NOT_START, "what the server answers is not HTTP")
        time.sleep(0.01)
    raise CellFailure(Reason.SERVER_DID_NOT_START, f"the server did not answer within {deadline:.0f} s")


def _ask(server: Child, port: int, seconds: float) -> bytes | None:
    """Return the first bytes of an answer to a plain request, or None while there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {LOGIN} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            data = _first(connection, server, time.monotonic() + seconds)
            # To the end, or the server would note a broken pipe that is none of its own; but not
            # for long, as a server may keep the connection open although it was asked not to.
            connection.settimeout(0.2)
            with suppress(OSError):
                for _ in range(64):
                    if not connection.recv(65536):
                        break
            return data or None
    except OSError:
        return None


def _first(connection: socket.socket, server: Child, until: float) -> bytes:
    """Return what comes first; nothing once *server* has ended, for a stranger may hold the port in silence."""
    connection.settimeout(0.1)
    while server.exit_status is None and time.monotonic() < until:
        with suppress(TimeoutError):
            return connection.recv(65536)
    return b""


def check_pages(anonymous: Browser, member: Browser, name: str, paths: Iterable[str]) -> list[str]:
    """Ask for every page, with and without a login; return what each answered.

    Raises:
        CellFailure: a page does not answer a member, or shows itself to somebody unknown.
    """
    answers = []
    for path in paths:
        unknown = anonymous.get(path)
        if unknown.status_code != 302 or LOGIN not in unknown.headers.get("Location", ""):
            raise CellFailure(
                Reason.PAGE_FAILED, f"{path} answers somebody unknown with status {unknown.status_code}, not the login"
            )
        known = member.get(path)
        if known.status_code != 200 or not re.search(rf"\b{re.escape(name)}\b", known.text):
            raise CellFailure(Reason.PAGE_FAILED, f"{path} answers {name} with status {known.status_code}")
        answers.append(f"{path} {known.status_code}")
    return answers
