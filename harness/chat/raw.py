"""Connections that speak a chat's protocol frame by frame, where a library's own client would do too much."""

from __future__ import annotations

from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint
from harness.clients.websocket import WebSocketConnection


def connect(chat: Chat, endpoint: Endpoint, prefix: str = "", buffer: int = 0) -> WebSocketConnection:
    """Open the connection *endpoint* of one of the members to where broadcasts are heard, in the way of *chat*.

    Its path is under *prefix*. *buffer* is how many bytes may have arrived without being read; 0 leaves that to the
    system. What it hears is in the chat's transcript.

    Raises:
        HandshakeRefused: the server did not open it.
    """
    carries = chat.client.frame_format()
    path = chat.path_for("broadcast") if chat.variant else carries.path
    chat.owners[endpoint] = endpoint.member
    opened = WebSocketConnection(
        endpoint,
        f"ws://127.0.0.1:{chat.server.port}{prefix}{path}",
        chat.transcript,
        cookie=chat.cookie(endpoint.member),
        origin=chat.server.base,
        buffer=buffer,
    )
    chat.connections[endpoint] = opened
    for frame in carries.opened:
        opened.send(frame)
    return opened
