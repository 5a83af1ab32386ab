"""NGINX before a server; that a crowd comes through it is in ``test_front.py``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import needs
import pytest
import requests

from harness.servers import nginx
from harness.servers.front import NoFront
from harness.system.ports import free_port

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]


def fetched(port: int, path: str) -> tuple[int, str]:
    answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)
    return answer.status_code, answer.text


@contextmanager
def telling() -> Iterator[int]:
    """Serve the path that is asked for as the page; yield the port."""

    class Tells(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tells)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@needs.nginx
@pytest.mark.parametrize(
    ("strips", "page", "socket"), [(True, "/page", "/ws/chat"), (False, "/sub/page", "/sub/ws/chat")]
)
def test_under_a_path(tmp_path, strips, page, socket):
    """What is served under a path comes to the server with it or without it, pages and sockets alike."""
    env = {"PATH": os.environ["PATH"]}
    with telling() as behind, nginx.before([behind], env, tmp_path, prefix="/sub", strips=strips) as (port, _):
        assert fetched(port, "/sub/page") == (200, page)
        assert fetched(port, "/sub/ws/chat") == (200, socket)
        assert fetched(port, "/page")[0] in (403, 404)


@needs.nginx
def test_two_servers(tmp_path):
    """Of two servers the one that is there serves."""
    env = {"PATH": os.environ["PATH"]}
    with telling() as behind, nginx.before([free_port(), behind], env, tmp_path) as (port, _):
        assert {fetched(port, "/page") for _ in range(4)} == {(200, "/page")}


@needs.nginx
def test_does_not_start(tmp_path):
    """What it says itself is the reason when it does not start."""
    with (
        pytest.raises(NoFront, match=r"nginx does not start: .*invalid number"),
        nginx.before([1], {"PATH": os.environ["PATH"]}, tmp_path / "nginx", files=40),
    ):
        pass


def test_missing(monkeypatch):
    """Where it is not here, what to install is said."""
    monkeypatch.setenv(nginx.NGINX, "no-such-nginx")
    with pytest.raises(NoFront, match="install Debian's package nginx-light"):
        nginx.find()
