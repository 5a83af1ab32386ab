"""What was there before WebSockets: a request each second, or one that waits until there is something.

``GET /poll/?since=7`` answers at once and ``GET /long-poll/?since=7`` with the next message, both with the number to
ask for next. They are here to be compared with the WebSocket of the same chat.
"""

import asyncio
import json
from urllib.parse import parse_qs

from myapp.plain import hub

#: Seconds that a request waits at most.
PATIENCE = 20.0


async def answer(scope, keys, send):
    """Answer one request of a member who hears *keys*."""
    since = parse_qs(scope["query_string"].decode("latin-1")).get("since", ["0"])[0]
    if not since.isdecimal():
        await _respond(send, 400, {"error": "since is the number of a message"})
        return
    number = int(since)
    found = hub.since(number, keys)
    if scope["path"] == "/long-poll/" and not found:
        listener = hub.Listener(keys)
        try:
            await asyncio.wait_for(listener.queue.get(), PATIENCE)
        except asyncio.TimeoutError:
            pass
        finally:
            listener.close()
        found = hub.since(number, keys)
    await _respond(send, 200, {"last": hub.last(), "messages": [json.loads(data) for _, data in found]})


async def _respond(send, status, fields):
    body = json.dumps(fields).encode("utf-8")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
