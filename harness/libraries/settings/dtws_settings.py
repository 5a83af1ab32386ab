"""The settings of somebody's project, with a database and a broker of their own for the run.

It runs in the cell, on whatever Python that has. What of the project's settings depends on the database, on the layers
or on the caches is as it would be without.
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


def _without_place(options):
    """Return *options* without those that say which Redis it is, and how one is let in there."""
    place = ("password", "username", "db", "connection_class", "credential_provider")
    kept = {name: each for name, each in options.items() if name.lower() not in place and name[:3].lower() != "ssl"}
    if isinstance(kept.get("CONNECTION_POOL_KWARGS"), dict):
        kept["CONNECTION_POOL_KWARGS"] = _without_place(kept["CONNECTION_POOL_KWARGS"])
    return kept


def _caches(own, url, prefix):
    """Return the caches: those in a Redis are in that of *url*, and have *prefix* and their names before all keys."""
    changed = {}
    for alias, cache in own.items():
        cache = dict(cache)
        if "redis" in cache.get("BACKEND", "").lower():
            before = "{}:{}:{}".format(prefix, alias, cache.get("KEY_PREFIX", ""))
            options = _without_place(cache.get("OPTIONS", {}))
            cache.update(LOCATION=url, KEY_PREFIX=before, OPTIONS=options)
        changed[alias] = cache
    return changed


if os.environ.get("DTWS_DATABASE"):
    DATABASES = _databases(getattr(_own, "DATABASES", {}), os.environ["DTWS_DATABASE"])
for _name, _changed, _place in (
    ("CHANNEL_LAYERS", _layers, "DTWS_REDIS_URL"),
    ("CACHES", _caches, "DTWS_CACHES_URL"),
):
    _before, _url = getattr(_own, _name, {}), os.environ.get(_place, "")
    _now = _changed(_before, _url, os.environ["DTWS_PREFIX"])
    if not _url and _now != _before:
        raise RuntimeError(_name + " names a Redis, and the scenario has no [broker]: add that table")
    if _before:
        globals()[_name] = _now
# It is asked for at this address, whatever hosts it is made for.
ALLOWED_HOSTS = list(getattr(_own, "ALLOWED_HOSTS", [])) + ["127.0.0.1", "localhost"]
