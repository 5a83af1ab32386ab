"""Channel layers for Channels 4 that neither Channels nor channels_redis has, by the names ``CHAT_LAYER`` has for them.

``postgres`` and ``nats`` are those of channels_postgres and channels-nats, which have to be installed.
``CHAT_POSTGRESQL``, a host and a port, and ``CHAT_NATS``, an address, are where they find what they talk to.
"""

import os

from myapp.settings import CHAT_PREFIX

LAYERS = {
    "nats": {
        "BACKEND": "channels_nats.NatsChannelLayer",
        "CONFIG": {"servers": os.environ.get("CHAT_NATS"), "prefix": CHAT_PREFIX},
    },
}
APPS = []
DATABASES = {}

if os.environ.get("CHAT_LAYER") == "postgres":
    _host, _, _port = os.environ["CHAT_POSTGRESQL"].partition(":")
    # The layer reads all that Django would fill in for a database of its own.
    _database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "PASSWORD": "",
        "HOST": _host,
        "PORT": _port,
        "TIME_ZONE": None,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {},
    }
    APPS = ["channels_postgres"]
    DATABASES = {"channels_postgres": _database}
    LAYERS["postgres"] = {
        "BACKEND": "channels_postgres.core.PostgresChannelLayer",
        "CONFIG": dict(_database, prefix=CHAT_PREFIX),
    }
