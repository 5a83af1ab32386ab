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
