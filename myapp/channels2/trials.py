"""Members' consumers that do what the harness asks them to; see :mod:`myapp.trials`."""

import inspect
import time

from myapp import trials
from myapp.channels2 import async_consumers, consumers
from myapp.trials import waiting


def _closing(consumer, asked):
    """Return how a consumer of this release is closed: not every one takes a reason."""
    options = {"code": asked["code"]}
    if "reason" in inspect.signature(consumer.close).parameters:
        options["reason"] = asked["reason"]
    return options


class AsyncMemberConsumer(async_consumers.MemberConsumer):
    """A member's connection in the event loop, which also takes trials."""

    async def receive(self, text_data=None, bytes_data=None):
        asked = trials.asked(text_data)
        if asked is None:
            await super().receive(text_data, bytes_data)
        elif asked["trial"] == "raise":
            raise trials.Trial("asked to")
        elif asked["trial"] == "close":
            await self.close(**_closing(self, asked))
        elif asked["trial"] == "block":
            await waiting.busy(asked)
        elif asked["trial"] == "burst":
            for message in trials.burst(asked):
                await super().receive(message)
        else:
            await self.send(trials.answer(asked))

    async def disconnect(self, close_code):
        trials.note("disconnect", who=trials.name_in(self.scope["query_string"]), code=close_code)
        await super().disconnect(close_code)


class MemberConsumer(consumers.MemberConsumer):
    """A member's connection in a thread, which also takes trials."""

    def receive(self, text_data=None, bytes_data=None):
        asked = trials.asked(text_data)
        if asked is None:
            super().receive(text_data, bytes_data)
        elif asked["trial"] == "raise":
            raise trials.Trial("asked to")
        elif asked["trial"] == "close":
            self.close(**_closing(self, asked))
        elif asked["trial"] == "block":
            time.sleep(asked["seconds"])
        elif asked["trial"] == "burst":
            for message in trials.burst(asked):
                super().receive(message)
        else:
            self.send(trials.answer(asked))

    def disconnect(self, close_code):
        trials.note("disconnect", who=trials.name_in(self.scope["query_string"]), code=close_code)
        super().disconnect(close_code)


def put_in_place():
    """Have the routes lead to what takes trials."""
    async_consumers.MemberConsumer, consumers.MemberConsumer = AsyncMemberConsumer, MemberConsumer
