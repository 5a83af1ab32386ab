"""The chat on Channels 2, 3 and 4.

``CHAT_LAYER`` in the environment chooses the channel layer: ``core`` and ``pubsub`` are those of channels_redis,
``memory`` is the one that Channels has for tests and for one process, ``valkey`` is that of channels-valkey, which is
set up as Redis is, and further ones are in ``others.py``. ``CHAT_ORIGIN`` says whether handshakes from other sites are
refused: ``checked``, or ``any`` is let in. ``CHAT_SENTINEL``, a host and a port, is where a Sentinel knows the Redis,
which is called ``chat`` there.
"""

import os

import channels

from myapp.channels2 import others
from myapp.settings import *  # noqa: F403
from myapp.settings import CHAT_PREFIX, CHAT_REDIS_URL, DATABASES, INSTALLED_APPS

GENERATION = int(channels.__version__.split(".")[0])

# Since Channels 4 it is daphne's application that gives runserver its WebSockets; first in the list,
# or Django's own runserver is found before it.
_before = ["channels"]
if GENERATION >= 4:
    try:
        import daphne  # noqa: F401
    except ImportError:  # installed without it, to be served by another server
        pass
    else:
        _before = ["daphne"]
INSTALLED_APPS = _before + INSTALLED_APPS + ["myapp.channels2"] + others.APPS
DATABASES = dict(DATABASES, **others.DATABASES)
ASGI_APPLICATION = "myapp.channels2.asgi.application"
CHAT_ROOMS = {"": "/ws/chat/", "sync": "/ws/sync/chat/"}
CHAT_PUBLISH = "myapp.channels2.publish.publish"

_redis = {"hosts": [CHAT_REDIS_URL], "prefix": CHAT_PREFIX}
if os.environ.get("CHAT_SENTINEL"):
    _host, _, _port = os.environ["CHAT_SENTINEL"].partition(":")
    _redis["hosts"] = [{"sentinels": [(_host, int(_port))], "master_name": "chat"}]
_layers = {
    "core": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": _redis},
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": _redis},
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}
_valkey = {"BACKEND": "channels_valkey.core.ValkeyChannelLayer", "CONFIG": _redis}
CHANNEL_LAYERS = {"default": dict(_layers, valkey=_valkey, **others.LAYERS)[os.environ.get("CHAT_LAYER", "core")]}

# The tutorial of Channels 2 does not check it yet, and its validator breaks on the last patch releases of every
# Python.
CHAT_CHECKS_ORIGIN = os.environ.get("CHAT_ORIGIN", "checked" if GENERATION >= 3 else "any") == "checked"
