"""The chat of plain ASGI between a server and what the harness asks a connection to do; see :mod:`myapp.trials`."""

from myapp import trials
from myapp.plain import asgi
from myapp.trials import waiting


async def application(scope, receive, send):
    """Serve one connection as the chat does, and do what it asks for as if the chat had done it."""
    if scope["type"] != "websocket":
        await asgi.application(scope, receive, send)
        return
    codes = []

    async def received():
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
        return await received()

    try:
        await asgi.application(scope, received, send)
    finally:
        trials.note("disconnect", who=trials.name_in(scope["query_string"]), code=codes[-1] if codes else None)
