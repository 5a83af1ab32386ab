"""The chat of plain ASGI between a server and what the harness asks a connection to do; see :mod:`myapp.trials`."""

from collections import deque

from myapp import trials
from myapp.plain import asgi
from myapp.trials import waiting

#: Where what is sent comes back as it is, for whoever comes.
ECHO = "/echo/"


async def application(scope, receive, send):
    """Serve one connection as the chat does, and do what it asks for as if the chat had done it."""
    if scope["type"] != "websocket":
        await asgi.application(scope, receive, send)
    elif scope["path"] == ECHO:
        await _echo(receive, send)
    else:
        await _tried(scope, receive, send)


async def _tried(scope, receive, send):
    codes, burst = [], deque()

    async def received():
        if burst:
            return {"type": "websocket.receive", "text": burst.popleft()}
        event = await receive()
        if event["type"] == "websocket.disconnect":
            codes.append(event.get("code"))
        asked = trials.asked(event.get("text"))
        if asked is None:
            return event
        if asked["trial"] == "raise":
            raise trials.Trial("asked to")
        if asked["trial"] == "close":
            await send({"type": "websocket.close", "code": asked["code"], "reason": asked["reason"]})
        elif asked["trial"] == "block":
            await waiting.busy(asked)
        elif asked["trial"] == "burst":
            burst.extend(trials.burst(asked))
        else:
            await send({"type": "websocket.send", "text": trials.answer(asked)})
        return await received()

    try:
        await asgi.application(scope, received, send)
    finally:
        trials.note("disconnect", who=trials.name_in(scope["query_string"]), code=codes[-1] if codes else None)


async def _echo(receive, send):
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        kind = "text" if event.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: event[kind]})
