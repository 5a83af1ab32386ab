"""A session with pages, on a site of this machine: its cookies, its forms, and answers that do not come."""

from __future__ import annotations

import http.server
import threading
from types import SimpleNamespace

import pytest
import requests

from harness.clients import http as pages
from harness.clients.http import HttpSession, LoginForm, status_of
from harness.errors import CellFailure
from harness.system.ports import free_port
from harness.verdict import Reason

FORM = LoginForm(
    path="/login/",
    fields=lambda member: {"username": member, "password": f"{member}'s"},
    session_cookie="sessionid",
    csrf_cookie="csrftoken",
    csrf_field="csrfmiddlewaretoken",
)


class Site(http.server.ThreadingHTTPServer):
    """A site with a login; it keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        #: What else it answers, by method and path: status, headers, body.
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    wbufsize = -1

    def log_message(self, *arguments): ...

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        usual = {
            "GET /login/": (200, {"Set-Cookie": "csrftoken=t1; Path=/"}, b"log in"),
            "POST /login/": (302, {"Set-Cookie": "sessionid=s1; Path=/", "Location": "/"}, b""),
        }
        known = {**usual, **self.server.answers}
        status, headers, data = known.get(f"{self.command} {self.path}", (404, {}, b"nothing"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer


@pytest.fixture
def site():
    with Site() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def session(site) -> HttpSession:
    return HttpSession(site.base, FORM)


def failure(do) -> tuple[Reason, str]:
    with pytest.raises(CellFailure) as raised:
        do()
    return raised.value.reason, raised.value.text


def test_a_page(session, site):
    """A page is answered with its status and its whole text, and the connection is not used again."""
    site.answers["GET /"] = (200, {}, "Grüße".encode() * 50_000)
    answer = session.get("/")
    assert (answer.status_code, answer.content.decode()) == (200, "Grüße" * 50_000)
    assert site.asked[0][2]["Connection"] == "close"


def test_redirections_are_answers(session, site):
    """Who is sent elsewhere does not go there: that is the answer."""
    site.answers["GET /"] = (302, {"Location": "/login/"}, b"")
    answer = session.get("/")
    assert (answer.status_code, answer.headers["Location"], len(site.asked)) == (302, "/login/", 1)


def test_the_hosts_proxy_plays_no_part(session, site, monkeypatch):
    """A proxy that the host is told to use is not used."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert session.get("/login/").status_code == 200


def test_cookies(session, site):
    """Cookies are kept, sent with the next request, and shown as a header has them."""
    site.answers["GET /more/"] = (200, {"Set-Cookie": "theme=dark; Path=/"}, b"")
    assert session.cookie == ""
    session.get("/login/")
    session.get("/more/")
    assert session.cookie == "csrftoken=t1; theme=dark"
    session.get("/")
    assert [headers.get("Cookie") for _, _, headers, _ in site.asked] == [
        *(None, "csrftoken=t1", "csrftoken=t1; theme=dark"),
    ]


def test_cookies_of_a_path(session, site):
    """A cookie goes where its path is: to that place, and to all below it."""
    site.answers["GET /login/"] = (200, {"Set-Cookie": "here=1; Path=/accounts/"}, b"")
    session.get("/login/")
    session.take({"everywhere": "2"}, {})
    asked = {
        path: session.cookie_at(path)
        for path in ("/", "/ws/members/", "/accounts/", "/accounts?next=/", "/accounts/ws/?a=b", "/accountsandmore")
    }
    assert asked == {
        "/": "everywhere=2",
        "/ws/members/": "everywhere=2",
        "/accounts/": "here=1; everywhere=2",
        "/accounts?next=/": "everywhere=2",
        "/accounts/ws/?a=b": "here=1; everywhere=2",
        "/accountsandmore": "everywhere=2",
    }


def test_nobody_shares_cookies(site):
    """Two sessions have nothing in common."""
    one, two = HttpSession(site.base, FORM), HttpSession(site.base, FORM)
    one.get("/login/")
    assert (one.cookie, two.cookie) == ("csrftoken=t1", "")


def test_forms(session, site):
    """A form carries the token against forged requests once there is one, and is not changed for who filled it in."""
    form = {"message": "hi & bye"}
    session.post("/chat/", form)
    session.get("/login/")
    session.post("/chat/", form)
    assert [body for method, _, _, body in site.asked if method == "POST"] == [
        "message=hi+%26+bye",
        "message=hi+%26+bye&csrfmiddlewaretoken=t1",
    ]
    assert form == {"message": "hi & bye"}


def test_logging_in(session, site):
    """To log in the form is asked for, filled in, and posted; the session is the cookie that comes back."""
    session.log_in("Mary")
    assert [(method, path) for method, path, _, _ in site.asked] == [("GET", "/login/"), ("POST", "/login/")]
    assert site.asked[1][3] == "username=Mary&password=Mary%27s&csrfmiddlewaretoken=t1"
    assert session.cookie == "csrftoken=t1; sessionid=s1"


def test_the_fields_of_a_form(session, site):
    """What is hidden in the form is sent with it, as a token that is in no cookie; so is the page that it was on."""
    page = b"""<form action=/search><input name=q><input type=hidden name=page value=1></form>
        <form method=post><input type=hidden name=csrfmiddlewaretoken value="t2"><input name="username">
        <input type=password name=password><input type="HIDDEN" name=next value="/a&amp;b"></form>"""
    site.answers["GET /login/"] = (200, {}, page)
    session.log_in("Mary")
    assert site.asked[1][3] == "csrfmiddlewaretoken=t2&next=%2Fa%26b&username=Mary&password=Mary%27s"
    assert site.asked[1][2]["Referer"] == f"{site.base}/login/"
    assert "Referer" not in site.asked[0][2]


def test_no_login_page(session, site):
    """Without a form nobody can log in; its status is told."""
    site.answers["GET /login/"] = (500, {}, b"")
    assert failure(lambda: session.log_in("Mary")) == (
        Reason.PAGE_FAILED,
        "the login page answers with status 500",
    )


@pytest.mark.parametrize(
    ("status", "cookie"), [(200, "sessionid=s1"), (302, "theme=dark"), (403, "theme=dark")], ids=["200", "302", "403"]
)
def test_not_let_in(session, site, status, cookie):
    """Who is not sent on with a session is not logged in."""
    site.answers["POST /login/"] = (status, {"Set-Cookie": cookie}, b"")
    assert failure(lambda: session.log_in("Mary")) == (
        Reason.PAGE_FAILED,
        f"Mary cannot log in: the login page answers with status {status}",
    )


def test_nobody_answers():
    """Where nobody listens no answer comes, and it is told of what."""
    session = HttpSession(f"http://127.0.0.1:{free_port()}", FORM)
    assert failure(lambda: session.post("/chat/", {})) == (
        Reason.PAGE_FAILED,
        "POST /chat/ brought no answer (ConnectionError)",
    )


def test_an_answer_that_breaks_off(session, site):
    """An answer that ends before it is whole is none."""
    site.answers["GET /"] = (200, {"Transfer-Encoding": "chunked"}, b"5\r\nhel")
    assert failure(lambda: session.get("/")) == (
        Reason.PAGE_FAILED,
        "GET / brought no answer (ChunkedEncodingError)",
    )


def test_an_answer_that_does_not_end(session, site, monkeypatch):
    """An answer that takes longer than it may, piece by piece, is given up."""
    site.answers["GET /"] = (200, {}, b"x" * 200_000)
    times = iter((0.0, 10.0, 20.1))
    monkeypatch.setattr(pages, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert failure(lambda: session.get("/")) == (Reason.PAGE_FAILED, "the answer to GET / does not end")


def test_an_answer_without_measure(session, site, monkeypatch):
    """An answer that is larger than any page is given up."""
    monkeypatch.setattr(pages, "_PAGE_LIMIT", 1000)
    site.answers["GET /"] = (200, {}, b"x" * 1000)
    assert len(session.get("/").content) == 1000
    site.answers["GET /"] = (200, {}, b"x" * 1001)
    assert failure(lambda: session.get("/")) == (Reason.PAGE_FAILED, "the answer to GET / does not end")


@pytest.mark.parametrize(
    ("status", "page", "said"),
    [
        (403, "<title>403 Forbidden</title>", "status 403"),
        (500, "<h1>Server Error (500)</h1>", "status 500"),
        (404, "<title>Page not found at /chat/</title>", "status 404"),
        (500, "<title>KeyError\n          at /chat/user/</title>", "status 500 (KeyError)"),
        (
            500,
            (
                "<title>KeyError at /chat/</title> <th>Exception Location:</th>\n"
                "      <td>/cells/py27/lib/python2.7/site-packages/ws4redis/redis_store.py in __new__, line 71</td>"
            ),
            "status 500 (KeyError in ws4redis/redis_store.py)",
        ),
        (
            500,
            (
                '<title>KeyError at /chat/</title> <th scope="row">Exception Location:</th>\n'
                '      <td><span class="fname">/usr/lib/python3.13/json/decoder.py</span>, line 353, in raw_decode</td>'
            ),
            "status 500 (KeyError in json/decoder.py)",
        ),
        (
            500,
            (
                "<title>KeyError at /chat/</title> <th>Exception Location:</th>\n"
                "      <td>/home/chat/views.py, line 3, in view</td>"
            ),
            "status 500 (KeyError)",
        ),
    ],
)
def test_status_of(status, page, said):
    """A page that says which exception it is about has that, and the package it was raised in, behind its status."""
    answer = requests.Response()
    answer.status_code, answer._content = status, page.encode()
    assert status_of(answer) == said
