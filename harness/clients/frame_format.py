"""How a chat's broadcasts travel in plain frames, for whoever has no time for a whole client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

#: What begins a text frame of Socket.IO that carries an event: "message" of Engine.IO, "event" of Socket.IO.
SOCKET_IO_EVENT = "42"


@dataclass(frozen=True)
class FrameFormat:
    """How plain frames carry a chat's broadcasts, for a crowd of sockets that has no time for a whole client."""

    #: The path of a connection that hears broadcasts.
    path: str
    #: Returns the messages in a frame that arrived.
    messages: Callable[[str], list[str]]
    #: Returns the frame that broadcasts a text.
    broadcast: Callable[[str], str] = str
    #: The frames that are sent as soon as a connection is open.
    opened: tuple[str, ...] = ()
    #: The frame that answers another one: its text → the answer's.
    answers: dict[str, str] = field(default_factory=dict)
    #: A frame that has to be sent again and again, and the seconds between two; None where there is none.
    every: tuple[str, float] | None = None
