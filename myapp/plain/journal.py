"""The last messages in Redis, for long polling that looks for them there.

Nothing is written before the first request asks, so that the chat itself does without Redis.
"""

import asyncio
import json
import uuid
from functools import partial

from django.conf import settings

from myapp.plain import hub

#: How many messages are kept, and for how many seconds after the last of them.
KEPT = 1000
EXPIRES = 3600

#: The sorted set of this process, for the numbers of its messages begin at 1: the number of a message is its score.
_NAME = "%s:said:%s" % (settings.CHAT_PREFIX, uuid.uuid4().hex)
_redis = None
_writing = None


async def since(number, keys):
    """Return the number of the last message in Redis, and the messages to any of *keys* after message *number*.

    Raises:
        redis.exceptions.RedisError: Redis does not answer, or did not when something was to be written.
    """
    if _redis is None:
        _open()
    if _writing.done():
        _writing.result()
    last, found = number, []
    for entry, score in await _asked(_redis.zrangebyscore, _NAME, "(%d" % number, "+inf", withscores=True):
        _, key, data = json.loads(entry.decode("utf-8"))
        last = int(score)
        if key in keys:
            found.append(data)
    return last, found


def _open():
    global _redis, _writing
    from redis import Redis  # here, because the chat itself does without the package

    _redis = Redis.from_url(settings.CHAT_REDIS_URL)
    _writing = asyncio.ensure_future(_write(hub.copies()))


async def _write(said):
    while True:
        number, key, data = await said.get()
        if not isinstance(data, str):
            continue
        await _asked(_redis.zadd, _NAME, {json.dumps([number, key, data]): number})
        await _asked(_redis.zremrangebyrank, _NAME, 0, -KEPT - 1)
        await _asked(_redis.expire, _NAME, EXPIRES)


async def _asked(command, *arguments, **options):
    """Have Redis asked in a thread: the release of the package that needs nothing else knows no coroutines."""
    return await asyncio.get_event_loop().run_in_executor(None, partial(command, *arguments, **options))
