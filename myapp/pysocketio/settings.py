"""The chat on python-socketio; the library serves it itself, and hands requests on to Django."""

import socketio

from myapp.settings import *  # noqa: F403

CHAT_PUBLISH = "myapp.pysocketio.publish.publish"

# python-socketio 5 speaks the protocol of JavaScript clients 3 and 4; before, that of 2.
_REVISION = 4 if int(getattr(socketio, "__version__", "5").split(".")[0]) >= 5 else 3
CHAT_PROTOCOL = "engine.io-%d" % _REVISION
CHAT_SOCKET = "/socket.io/?EIO=%d&transport=websocket" % _REVISION
