"""What the harness has one member's connection do, to see how a library takes it; none of it is part of the chat.

Only where ``CHAT_TRIALS`` in the environment names a file: what the server's side sees is written there, a line of JSON
each. The ``trials`` module beside a library's settings puts what takes trials in the place of the chat's own. A
connection that is asked to says who it is in its address, ``?trial=NAME``, and what it is to do in a message:
``{"trial": "close", "code": 4400, "reason": "enough"}``. The trials, and what else stands in their messages:

``raise``
    The handler raises.
``close``
    It closes the connection with the *code* and the *reason*.
``block``
    It takes its time for so many *seconds*: *how* is ``await`` or ``sleep``.
``burst``
    It handles so many messages (*count*) as if they had come one after the other; in the text of each, *message*,
    ``$N`` is its number.
``weigh``
    It sends back how long the text *pad* was.
``grow``
    It sends a text of so many letters (*size*).
"""

import json
import os
from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

try:
    from urllib.parse import parse_qs
except ImportError:  # Python 2
    from urlparse import parse_qs


def asked(text):
    """Return what the message *text* asks a connection to do, as a dictionary; None where it is an ordinary one."""
    try:
        fields = json.loads(text)
    except (TypeError, ValueError):
        return None
    return fields if isinstance(fields, dict) and "trial" in fields else None


def name_in(query):
    """Return the name of the connection that the query string *query* of its address gives."""
    if isinstance(query, bytes):
        query = query.decode("latin-1")
    return parse_qs(query).get("trial", [""])[0]


def note(event, **fields):
    """Write down that *event* happened on the server's side."""
    line = json.dumps(dict(fields, event=event)) + "\n"
    # One write each, at the end of the file: lines of several processes do not mix.
    file = os.open(settings.CHAT_TRIALS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode("utf-8"))
    finally:
        os.close(file)


def burst(asked):
    """Return the messages of a burst."""
    return [asked["message"].replace("$N", str(number)) for number in range(asked["count"])]


def answer(asked):
    """Return what the connection is sent that asks to ``weigh`` or to ``grow``; None for other trials."""
    if asked["trial"] == "weigh":
        return "weighed %d" % len(asked["pad"])
    return "x" * asked["size"] if asked["trial"] == "grow" else None


class Trial(Exception):
    """What a handler raises that was asked to."""


class TrialsConfig(AppConfig):
    """Puts what takes trials in the place of the chat's own, before anything is served."""

    name = "myapp.trials"

    def ready(self):
        module = import_module(settings.SETTINGS_MODULE.rpartition(".")[0] + ".trials")
        # One that is itself what the server serves is just being imported.
        getattr(module, "put_in_place", lambda: None)()
