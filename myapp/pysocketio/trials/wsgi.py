"""The chat over WSGI, whose handler does what the harness asks it to; see :mod:`myapp.trials`."""

import json
import time

from myapp import trials
from myapp.pysocketio import wsgi

application = wsgi.application

try:
    from gevent.monkey import get_original
except ImportError:
    _sleep = time.sleep
else:  # what blocks, also where gevent has put its own in the place of that
    _sleep = get_original("time", "sleep")


#: What the harness calls connections that were asked to say so, by their session ids.
_names = {}


@wsgi.server.on("connect")
def connect(sid, environ, *auth):
    """Remember what the connection is called."""
    _names[sid] = trials.name_in(environ.get("QUERY_STRING", ""))
    return wsgi.connect(sid, environ, *auth)


@wsgi.server.on("disconnect")
def disconnect(sid, *reason):
    """Write down that the handler runs."""
    trials.note("disconnect", who=_names.pop(sid, ""), code="".join(reason))


@wsgi.server.on("chat")
def said(sid, fields):
    """Send a message to its audience, or do the trial that it asks for."""
    if "trial" not in fields:
        wsgi.said(sid, fields)
    elif fields["trial"] == "raise":
        raise trials.Trial("asked to")
    elif fields["trial"] == "block":
        _sleep(fields["seconds"])
    elif fields["trial"] == "burst":
        for message in trials.burst(fields):
            wsgi.said(sid, json.loads(message))
