"""Pages as a browser without scripts meets them: a session with cookies, the login form, posts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

from harness.clients.forms import hidden
from harness.errors import CellFailure
from harness.verdict import Reason

#: Seconds for one request, from sending it to the last byte of the answer.
REQUEST_DEADLINE = 20.0
#: Bytes of the largest page.
_PAGE_LIMIT = 10_000_000


#: What Django's page of an error says while it debugs: the exception, and the file of an installed package.
_EXCEPTION = re.compile(r"<title>\s*(\w+)\s+at ")
_RAISED_IN = re.compile(
    r"Exception Location:</th>\s*<td>(?:<span[^>]*>)?[^<,]*(?:-packages|/lib/python[\d.]+)/([\w./-]+)"
)


def status_of(answer: requests.Response) -> str:
    """Return the status of *answer*, with the exception and its file where the page names them.

    ``status 403``, or ``status 500 (UnicodeEncodeError in redis/client.py)``.
    """
    status = f"status {answer.status_code}"
    if answer.status_code < 500 or (named := _EXCEPTION.search(answer.text)) is None:
        return status
    raised = _RAISED_IN.search(answer.text)
    return f"{status} ({named[1]}{f' in {raised[1]}' if raised else ''})"


@dataclass(frozen=True)
class LoginForm:
    """How members log in to a site, and how its forms are protected against those of other sites."""

    #: The path of the page with the form, to which the form is posted as well.
    path: str
    #: Returns what a member fills in, by the names of the fields.
    fields: Callable[[str], dict[str, str]]
    #: The cookie that somebody has who is logged in.
    session_cookie: str
    #: The cookie that holds the token against forged requests, and the field of a form that has to repeat it.
    csrf_cookie: str
    csrf_field: str


class HttpSession:
    """One member's session with a site: its cookies, and a new connection for each request.

    A server can close an HTTP/1.1 connection without saying so; django-websocket-redis does. Who
    uses it again sometimes gets no answer, and would blame the server for a race of its own.
    """

    def __init__(self, base: str, form: LoginForm, certificates: str = "") -> None:
        """*base* is the address of the site, such as ``http://127.0.0.1:8000``.

        *certificates* is the file of those that an ``https`` site is trusted by; empty for the system's.
        """
        self.base = base
        self._certificates = certificates
        self._form = form
        self._cookies = requests.cookies.RequestsCookieJar()
        self._headers: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """The cookies as a request header has them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def cookie_at(self, path: str) -> str:
        """The cookies that a browser sends to *path*, as a request header has them.

        Source: RFC 6265, section 5.1.4.
        """
        place = path.partition("?")[0] or "/"
        sent = [each for each in self._cookies if place == each.path or place.startswith(f"{each.path.rstrip('/')}/")]
        return "; ".join(f"{each.name}={each.value}" for each in sent)

    def take(self, cookies: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Have these *cookies*, names → values, and send these *headers* with every request."""
        self._cookies.update(cookies)
        self._headers |= headers

    def get(self, path: str) -> requests.Response:
        """GET a page.

        Raises:
            CellFailure: no answer came.
        """
        return self._request("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        """POST a form, with the token against forged requests once there is one.

        Raises:
            CellFailure: no answer came.
        """
        token = self._cookies.get(self._form.csrf_cookie)
        fields = {**form, self._form.csrf_field: token} if token else form
        return self._request("POST", path, fields)

    def post_json(self, path: str, body: str) -> requests.Response:
        """POST a *body* that is JSON, with the token against forged requests once there is one.

        Raises:
            CellFailure: no answer came.
        """
        token = self._cookies.get(self._form.csrf_cookie)
        headers = {"Content-Type": "application/json", **({"X-CSRFToken": token} if token else {})}
        return self._request("POST", path, body.encode(), headers)

    def log_in(self, member: str) -> None:
        """Log in through the login form, as a person with a browser does, who sends its hidden fields as well.

        Raises:
            CellFailure: there is no login page, or it does not let the member in.
        """
        page = self.get(self._form.path)
        if page.status_code != 200:
            raise CellFailure(Reason.PAGE_FAILED, f"the login page answers with status {page.status_code}")
        fields = self._form.fields(member)
        answer = self.post(self._form.path, {**hidden(page.text, fields), **fields})
        if answer.status_code != 302 or self._form.session_cookie not in self._cookies:
            raise CellFailure(
                Reason.PAGE_FAILED, f"{member} cannot log in: the login page answers with status {answer.status_code}"
            )

    def _request(
        self, method: str, path: str, form: dict[str, str] | bytes | None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.verify = self._certificates or True
                session.cookies = self._cookies
                # Django asks under TLS which page a form was on.
                came_from = {"Referer": self.base + path} if method == "POST" else {}
                session.headers.update({"Connection": "close", **came_from, **self._headers, **(headers or {})})
                return self._read(session, method, path, form)
        except requests.RequestException as error:
            raise CellFailure(
                Reason.PAGE_FAILED, f"{method} {path} brought no answer ({type(error).__name__})"
            ) from error

    def _read(
        self, session: requests.Session, method: str, path: str, form: dict[str, str] | bytes | None
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
