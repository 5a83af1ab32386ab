"""What there was before WebSockets: a request each second, or one that waits until there is something.

``GET /poll/?since=7`` answers at once. ``GET /long-poll/?since=7`` answers with the next message, for which it waits
at a queue in memory; ``GET /redis-poll/?since=7`` does so too, and looks into Redis again and again. Each answer has
the number to ask for next. They are here to be compared with the WebSocket of the same chat.
"""

import asyncio
import json
import time
from urllib.parse import parse_qs

from myapp.plain import hub, journal

#: Seconds that a request waits at most.
PATIENCE = 20.0
#: Seconds between two looks into Redis.
EACH = 0.1


async def _at_once(since, keys):
    return hub.last(), hub.since(since, keys)


async def _from_memory(since, keys):
    if not hub.since(since, keys):
        listener = hub.Listener(keys)
        try:
            await asyncio.wait_for(listener.queue.get(), PATIENCE)
        except asyncio.TimeoutError:
            pass
        finally:
            listener.close()
    return await _at_once(since, keys)


async def _from_redis(since, keys):
    until = time.monotonic() + PATIENCE
    while True:
        last, found = await journal.since(since, keys)
        if found or time.monotonic() > until:
            return last, found
        await asyncio.sleep(EACH)


#: The pages, and what each answers with: the number of the last message, and those that are new.
PAGES = {"/poll/": _at_once, "/long-poll/": _from_memory, "/redis-poll/": _from_redis}


async def answer(scope, keys, send):
    """Answer one request of a member who may receive *keys*."""
    since = parse_qs(scope["query_string"].decode("latin-1")).get("since", ["0"])[0]
    if not since.isdecimal():
        await _respond(send, 400, {"error": "since is the number of a message"})
        return
    last, found = await PAGES[scope["path"]](int(since), keys)
    await _respond(send, 200, {"last": last, "messages": [json.loads(data) for data in found]})


async def _respond(send, status, fields):
    body = json.dumps(fields).encode("utf-8")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
