"""The settings of somebody's project, with a database and a broker of their own for the run.

It runs in the cell, on whatever Python that has. What of the project's settings depends on the database or on the
layers is as it would be without.
"""

import importlib
import os

_own = importlib.import_module(os.environ["DTWS_SETTINGS"])
globals().update((name, getattr(_own, name)) for name in dir(_own) if name.isupper())


def _databases(own, path):
    """Return the databases: each is SQLite, in the file *path* or in one beside it."""
    changed = {}
    for alias in own or {"default": {}}:
        name = path if alias == "default" else "{}.{}".format(path, alias)
        # A server, its commands and the harness have it open at once.
        changed[alias] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {"timeout": 30}}
    return changed


def _layers(own, url, prefix):
    """Return the channel layers: those that have hosts have *url* alone, and *prefix* before all names."""
    changed = {}
    for alias, layer in own.items():
        layer = dict(layer)
        config = dict(layer.get("CONFIG", {}))
        if "hosts" in config or "redis" in layer.get("BACKEND", "").lower():
            config.update(hosts=[url], prefix=prefix)
            layer["CONFIG"] = config
        changed[alias] = layer
    return changed


if os.environ.get("DTWS_DATABASE"):
    DATABASES = _databases(getattr(_own, "DATABASES", {}), os.environ["DTWS_DATABASE"])
if hasattr(_own, "CHANNEL_LAYERS"):
    _url = os.environ.get("DTWS_REDIS_URL", "")
    CHANNEL_LAYERS = _layers(_own.CHANNEL_LAYERS, _url, os.environ["DTWS_PREFIX"])
    if not _url and CHANNEL_LAYERS != _own.CHANNEL_LAYERS:
        raise RuntimeError("CHANNEL_LAYERS names a Redis, and the scenario has no [broker]: add that table")
# It is asked for at this address, whatever hosts it is made for.
ALLOWED_HOSTS = list(getattr(_own, "ALLOWED_HOSTS", [])) + ["127.0.0.1", "localhost"]
