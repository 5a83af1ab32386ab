"""Connections that speak a chat's protocol frame by frame, where a library's own client would do too much."""

from __future__ import annotations

from itertools import cycle, islice

from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint
from harness.clients.transcript import Transcript
from harness.clients.visits import Visitor
from harness.clients.websocket import WebSocketConnection


def with_query(path: str, query: str) -> str:
    """Return *path* with a further *query* such as ``name=value``; some libraries' paths end with one of their own."""
    return path + ("&" if "?" in path else "?") + query if query else path


def visitor(chat: Chat, member: str, method: str = "GET", headers: tuple[str, ...] = ()) -> Visitor:
    """Return *member* as one who comes from the site's own page to where broadcasts are heard."""
    carries, server = chat.client.frame_format(), chat.server
    return Visitor(server.port, carries.path, chat.cookie(member), server.base, carries.opened, method, headers)


def visitors(chat: Chat, number: int) -> list[Visitor]:
    """Return so many of them, the members in turn."""
    return [visitor(chat, member) for member in islice(cycle(chat.members), number)]


def connect(
    chat: Chat,
    endpoint: Endpoint,
    prefix: str = "",
    *,
    path: str = "",
    query: str = "",
    buffer: int = 0,
    transcript: Transcript | None = None,
) -> WebSocketConnection:
    """Open the connection *endpoint* of one of the members to *path*, or to where broadcasts are heard in *chat*'s way.

    The path is under *prefix*, and gets a further *query* such as ``name=value``. *buffer* is how many bytes may have
    arrived without being read; 0 leaves that to the system. What it hears is in *transcript*; None stands for the
    chat's.

    Raises:
        HandshakeRefused: the server did not open it.
    """
    carries = chat.client.frame_format()
    path = path or (chat.path_for("broadcast") if chat.variant else carries.path)
    path = with_query(path, query)
    chat.owners[endpoint], chat.addresses[endpoint] = endpoint.member, path
    opened = WebSocketConnection(
        endpoint,
        f"{chat.server.sockets}{prefix}{path}",
        chat.transcript if transcript is None else transcript,
        cookie=chat.cookie(endpoint.member),
        origin=chat.server.base,
        buffer=buffer,
    )
    chat.connections[endpoint] = opened
    for frame in carries.opened:
        opened.send(frame)
    return opened
