"""What shows a failure to somebody who has nothing of this project: commands, the smallest project, and a client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.report.choices import quoted
from harness.report.row import Row

#: The clients: programs that take the URL of a WebSocket, on any Python.
_CLIENTS = Path(__file__).parent / "clients"
#: What questions match → the client that shows their answer, with its arguments, and what else is done; what is in
#: brackets of the pattern can stand in both, and ``{subject}`` is the question up to its first colon.
_STEPS = (
    (r"idle-.*", "idle", "The client says nothing for 12 seconds."),
    (
        r"(nginx|haproxy)-idle",
        "stand",
        "Put the proxy before the server, its time-out (`proxy_read_timeout`, `timeout tunnel`) 5 s.",
    ),
    (r"early", "early", "Each time somebody else sends a message as soon as the handshake is answered."),
    (r"burst-.*", "burst", "One client sends 50 messages at once to another one, and nothing after them."),
    (r"many-.*", "many", "One handler sends 300 messages in a loop to a group of two clients."),
    (r"foreign-origin|handshake-foreign.*", "origin", "The client is of a foreign origin; a browser adds the cookies."),
    (r"unknown-broadcasts", "payload hello", "Neither client has a cookie."),
    (r"unknown-.*|not-logged-in|handshake-without-cookie", "stand", "The client has no cookie."),
    (r"handshake-session.*", "stand", "Give the client the cookie of a session that has ended."),
    (
        r"after-.*-send",
        "",
        "With Django's login before it, open a WebSocket with a session's cookie. {subject}, send something.",
    ),
    (
        r"after-.*",
        "stand",
        "With Django's login before it, give the client a session's cookie. {subject}, have somebody send something.",
    ),
    (r"broker-away-.*", "steady", "Meanwhile end Redis, and start it again 2 seconds later."),
    (
        r"broker-frozen-.*",
        "steady",
        "Meanwhile stop Redis with SIGSTOP, and let it go on 10 seconds later.",
    ),
    (
        r"broker-half-open-.*",
        "steady",
        "Meanwhile drop silently what is sent between the server and Redis.",
    ),
    (
        r"sentinel-.*",
        "",
        "With a Sentinel in the settings, have the replica take over while clients are connected.",
    ),
    (r"(broker|server)-.*", "steady", "What happens meanwhile: {subject}."),
    (r"members-.*", "", "What happens meanwhile: {subject}."),
    (r"sigterm-server|ends-open", "stand", "While the client is connected end the server with SIGTERM."),
    (r"sigterm-crowd", "", "While a hundred clients are connected end the server with SIGTERM, and start it again."),
    (r"sigterm-.*", "steady", "Meanwhile end the server with SIGTERM, and start it again."),
    (r"payload-(.*)-websocket", r"payload \1", "One client sends the data to another one."),
    (r"payload-(.*)-post", "", "Publish it from a view that handles a POST."),
    (r"long-page", "payload long-page", "One client sends 140,000 characters to another one."),
    (r"load-.*", "crowd", "A hundred clients stand, and one of them sends a message to all."),
    (r"unread-.*", "", "One client does not read for 10 seconds while another one sends to it; it reads afterwards."),
    (r"stand", "stand", ""),
)
#: How each server is started; every other one is called alike.
_SERVERS = {
    "runserver": "python app.py runserver --noreload",
    "runserver_socketio": "python app.py runserver_socketio",
    "gevent": "gunicorn --worker-class geventwebsocket.gunicorn.workers.GeventWebSocketWorker app:application",
    "granian": "granian --interface asginl app:application",
    "uwsgi": "uwsgi --http-socket 127.0.0.1:8000 --http-websockets --gevent 1000 --master --die-on-term --module app",
}
_ANY = "{server} app:application"


def environment(row: Row, installs: dict[str, str], *more: str) -> list[str]:
    """Return the commands that make an environment with *installs*, names → versions, and *more*."""
    versions = row.result.versions
    assert versions is not None
    python = row.cell.python
    make = [f"python{python} -m venv venv"]
    if row.cell.python_version < (3, 4):  # its own module makes none with pip in it, or there is none
        make = [f"python{python} -m pip install virtualenv", f"python{python} -m virtualenv venv"]
    pins = [f"{name}=={version}" if version else name for name, version in installs.items()]
    return [*make, f"venv/bin/pip install {' '.join(map(quoted, [f'Django=={versions.django}', *pins, *more]))}"]


def program(
    row: Row, upstream: Mapping[str, Any], installs: dict[str, str], question: str, asked: str = ""
) -> Iterator[str]:
    """Yield what shows the answer to *question*, as lines of Markdown: commands, the project, and the client.

    *upstream* is what the library's prose has of the project: the ``app``, and the ``path`` that clients open.
    """
    client, says = _steps(question, asked)
    if "socket.io" in upstream.get("path", "") and client != "stand":
        client = ""  # another protocol on top, which the other clients do not speak
    yield from ["```sh", *environment(row, installs, *(["websocket-client"] if client and upstream else []))]
    if upstream:
        if row.result.versions and row.result.versions.broker:
            yield "# A Redis server listens on port 6379."
        yield f"venv/bin/{_SERVERS.get(row.result.server, _ANY).format(server=_server(row))} &"
        if client:
            name, _, argument = client.partition(" ")
            yield f"venv/bin/python {name}.py 'ws://127.0.0.1:8000{upstream['path']}' {argument}".rstrip()
    yield "```"
    if says:
        yield from ["", says]
    if upstream:
        app = upstream.get("under", {}).get(row.result.server, upstream["app"])
        yield from ["", "`app.py`:", "", "```python", *app.strip().splitlines(), "```"]
        if client:
            text = (_CLIENTS / f"{name}.py").read_text(encoding="utf-8")
            yield from ["", f"`{name}.py`:", "", "```python", *text.strip().splitlines(), "```"]


def _steps(question: str, asked: str) -> tuple[str, str]:
    """Return the client that shows the answer to *question*, with its arguments, and what else is to be done."""
    for pattern, client, says in _STEPS:
        if found := re.fullmatch(pattern, question):
            return found.expand(client), says.replace("{subject}", asked.partition(":")[0])
    return "", f"{asked.partition(':')[0]}."


def _server(row: Row) -> str:
    """Return how a server is called that serves both kinds of applications."""
    if row.result.server != "gunicorn":
        return row.result.server
    threads = row.result.library == "python-socketio"
    return "gunicorn --worker-class gthread --threads 100" if threads else "gunicorn --worker-class asgi"
