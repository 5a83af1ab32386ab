"""The chat over ASGI, whose handler does what the harness asks it to; see :mod:`myapp.trials`."""

import json

from myapp import trials
from myapp.pysocketio import asgi
from myapp.trials import waiting

application = asgi.application


#: What the harness calls connections that were asked to say so, by their session ids.
_names = {}


@asgi.server.on("connect")
async def connect(sid, environ, *auth):
    """Remember what the connection is called."""
    _names[sid] = trials.name_in(environ.get("QUERY_STRING", ""))
    return await asgi.connect(sid, environ, *auth)


@asgi.server.on("disconnect")
async def disconnect(sid, *reason):
    """Write down that the handler runs."""
    trials.note("disconnect", who=_names.pop(sid, ""), code="".join(reason))


@asgi.server.on("chat")
async def said(sid, fields):
    """Send a message to its audience, or do the trial that it asks for."""
    if "trial" not in fields:
        await asgi.said(sid, fields)
    elif fields["trial"] == "raise":
        raise trials.Trial("asked to")
    elif fields["trial"] == "block":
        await waiting.busy(fields)
    elif fields["trial"] == "burst":
        for message in trials.burst(fields):
            await asgi.said(sid, json.loads(message))
