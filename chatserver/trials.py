"""The pages of the chat, which do what the harness asks a member's message to do; see :mod:`myapp.trials`."""

import time

from chatserver import views
from myapp import trials

_publish = views.ChatView.publish


def publish(view, audience, message):
    """Publish a message as the chat does, or do the trial that it asks for."""
    asked = trials.asked(message)
    if asked is None:
        _publish(view, audience, message)
    elif asked["trial"] == "raise":
        raise trials.Trial("asked to")
    elif asked["trial"] == "block":
        time.sleep(asked["seconds"])
    elif asked["trial"] == "burst":
        for each in trials.burst(asked):
            _publish(view, audience, each)


def put_in_place():
    """Have the pages take trials."""
    views.ChatView.publish = publish
