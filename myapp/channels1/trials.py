"""A member's consumer that does what the harness asks it to; see :mod:`myapp.trials`."""

import time

from myapp import trials
from myapp.channels1 import consumers


class MemberConsumer(consumers.MemberConsumer):
    """A member's connection, which also takes trials."""

    def admit(self, message):
        message.channel_session["who"] = trials.name_in(message.content.get("query_string", ""))
        super(MemberConsumer, self).admit(message)

    def receive(self, text=None, bytes=None, **kwargs):
        asked = trials.asked(text)
        if asked is None:
            super(MemberConsumer, self).receive(text=text, bytes=bytes, **kwargs)
        elif asked["trial"] == "raise":
            raise trials.Trial("asked to")
        elif asked["trial"] == "close":
            self.close(asked["code"])  # it takes no reason
        elif asked["trial"] == "block":
            time.sleep(asked["seconds"])
        elif asked["trial"] == "burst":
            for message in trials.burst(asked):
                super(MemberConsumer, self).receive(text=message, **kwargs)
        else:
            self.send(text=trials.answer(asked))

    def disconnect(self, message, **kwargs):
        trials.note("disconnect", who=message.channel_session.get("who", ""), code=message.content.get("code"))
        super(MemberConsumer, self).disconnect(message, **kwargs)


def put_in_place():
    """Have the routes lead to what takes trials."""
    consumers.MemberConsumer = MemberConsumer
