"""The chat on Channels 1.

``CHAT_LAYER`` in the environment chooses the channel layer: ``core`` is that of asgi_redis, ``memory``
the one of asgiref, for one process.
"""

from __future__ import unicode_literals

import os

from myapp.settings import *  # noqa: F403
from myapp.settings import CHAT_PREFIX, CHAT_REDIS_URL, INSTALLED_APPS

INSTALLED_APPS = ["channels"] + INSTALLED_APPS + ["myapp.channels1"]
CHAT_ROOMS = {"": "/ws/chat/"}
CHAT_PUBLISH = "myapp.channels1.consumers.publish"

# On Python 2.7 the layer puts the prefix before names, and has to be given text for that.
_redis = {"hosts": [CHAT_REDIS_URL], "prefix": "%s:" % CHAT_PREFIX}
_layers = {
    # A ChannelLiveServerTestCase serves on the layer of TEST_CONFIG; groups are on that of CONFIG even then.
    "core": {"BACKEND": "asgi_redis.RedisChannelLayer", "CONFIG": _redis, "TEST_CONFIG": _redis},
    "memory": {"BACKEND": "asgiref.inmemory.ChannelLayer"},
}
CHANNEL_LAYERS = {
    "default": dict(_layers[os.environ.get("CHAT_LAYER", "core")], ROUTING="myapp.channels1.routing.routes")
}
