"""Somebody's own chat in the place of a library."""

from __future__ import annotations

import importlib.util
import json
import os
import sys

import msgspec
import pytest

from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.errors import CellFailure, UsageError
from harness.libraries import registry
from harness.libraries.scenario import OwnChat, library
from harness.scenario.model import BrokerTable
from harness.scenario.opening import Credentials

CHAT = """
name = "own"
[server]
folder = "src"
install = ["channels"]
prepare = ["python manage.py migrate --noinput", "python -m seeds --all", "./fill.sh"]
%(serve)s
environment = { DEBUG = "1" }
%(more)s
[broker]
variable = "REDIS_URL"
[login]
python = "token = member"
[members]
ann = {}
[connections.chat]
path = "/ws/"
[[exchanges]]
from = "ann"
"""
SERVE = 'serve = "daphne -p {port} site.asgi:application"\napplication = "site.asgi:application"'
CELL = Cell.parse("py313-django52-own")


@pytest.fixture
def made(tmp_path):
    """Make a project with a chat, and return its library."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")\n')

    def make(serve: str = SERVE, more: str = "") -> OwnChat:
        (tmp_path / "chat.toml").write_text(CHAT % {"serve": serve, "more": more})
        found = library(tmp_path / "chat.toml")()
        assert isinstance(found, OwnChat)
        return found

    return make


def test_what_it_is_called(made, tmp_path):
    """A scenario is found like a module of a library, and its cells are called by its name."""
    made()
    libraries = registry.discover((tmp_path / "chat.toml",))
    setup = registry.setup_for(CELL, libraries)
    assert (setup.library.name, setup.server.name, setup.requirements(CELL)) == ("own", "daphne", ["channels"])
    other = registry.setup_for(Cell.parse("py313-django52-own-uvicorn"), libraries)
    assert other.requirements(CELL) == ["channels", "uvicorn[standard]"]
    assert registry.module_folders({"own": setup.library}) == (tmp_path / "chat.toml",)


def test_its_commands(made, tmp_path):
    """Programs are those of the environment where it has them; each step is called by what it does."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "daphne").touch()
    python, own = tmp_path / "bin" / "python", made()
    steps = own.prepare(python)
    assert [each.name for each in steps] == ["migrate", "seeds", "fill-sh"]
    assert steps[0].arguments == (str(python), "manage.py", "migrate", "--noinput")
    assert steps[2].arguments == ("./fill.sh",)
    command = own.serve(python, 8000, own.own_server(CELL))
    assert command == [str(tmp_path / "bin" / "daphne"), "-p", "8000", "site.asgi:application"]
    assert [each.name for each in own.inspect(python)] == ["check"]


def test_a_program_that_is_not_there(made, tmp_path):
    """A program that neither the environment nor the machine has is a fault of the scenario, and named."""
    own = made(serve='serve = "dafne -p {port} site.asgi:application"')
    with pytest.raises(UsageError, match=r"^there is no program dafne, by which 'dafne -p 8000 site\.asgi") as raised:
        own.serve(tmp_path / "bin" / "python", 8000, own.own_server(CELL))
    assert "is it spelled right" in raised.value.hint


def test_its_variables(made, tmp_path):
    """The project is told its broker, and its settings a database of its own."""
    env = made().environment("redis://x", "prefix", tmp_path / "db")
    assert (env["REDIS_URL"], env["DTWS_REDIS_URL"], env["DTWS_DATABASE"]) == (
        "redis://x",
        "redis://x",
        str(tmp_path / "db"),
    )
    assert (env["DTWS_SETTINGS"], env["DEBUG"]) == ("site.settings", "1")
    assert env["PYTHONPATH"].split(os.pathsep)[1] == str(tmp_path / "src")
    kept = made(more='database = "project"').environment("redis://x", "prefix", tmp_path / "db")
    assert kept["DTWS_DATABASE"] == ""


def test_no_server(made):
    """Where nobody says how it is served that is told, and how to say it."""
    with pytest.raises(UsageError, match="does not say how the chat is served") as raised:
        made(serve="").own_server(CELL)
    assert "serve =" in raised.value.hint


def test_whose_settings(made, tmp_path):
    """Settings that cannot be stood before are refused, and so is a project that does not say which are its own."""
    manage = tmp_path / "src" / "manage.py"
    own = made()
    manage.write_text('os.environ["DJANGO_SETTINGS_MODULE"] = "site.settings"\n')
    with pytest.raises(UsageError, match="whatever stands in the environment"):
        own.environment("", "", tmp_path)
    manage.write_text("")
    with pytest.raises(UsageError, match="nobody says which the settings"):
        own.environment("", "", tmp_path)
    assert made(more='settings = "a.b"').environment("", "", tmp_path)["DTWS_SETTINGS"] == "a.b"


def test_logging_in(made):
    """What the lines of Python leave is what somebody is let in by; where they leave nothing, or fail, that is said."""
    left = {"ann": {"cookies": {"sessionid": 7}, "headers": None, "token": "t"}}
    asked = []

    def inside(code, *arguments):
        asked.append(arguments)
        return f"warning\n{json.dumps(left)}\n"

    own = made()
    assert own._let_in(inside, {"ann": "anna"}) == {"ann": Credentials({"sessionid": "7"}, {}, "t")}
    assert asked == [('{"ann": "anna"}', "token = member")]
    for nothing in ({"ann": {"cookies": {}, "headers": {}, "token": None}}, {}, []):
        left = nothing
        with pytest.raises(CellFailure, match="leave neither cookies, headers nor a token"):
            own._let_in(inside, {"ann": "ann"})


def test_all_log_in_at_once(made):
    """The lines of Python are run once for all members, whoever comes first."""
    asked = []

    def inside(code, *arguments):
        asked.append(arguments)
        return json.dumps({"ann": {"cookies": {"a": "b"}, "headers": {}, "token": ""}})

    client = made().client(CELL, inside)
    chat = Chat(client, RunningServer(port=1, form=client.form))
    for _ in range(2):
        chat.log_in()
    assert (len(asked), chat.cookie("ann")) == (1, "a=b")


def test_probes_that_need_a_hand(made):
    """What needs a hand inside the application is not asked of it; the rest is, for each member speaks to all."""
    assert made().lacks(hand=True) == "it needs a hand inside the application"
    assert made().lacks(hand=False) == ""


@pytest.mark.parametrize(("more", "url"), [("", "redis://127.0.0.1:1/1"), ('named_by = "X"', "redis://127.0.0.1:1/0")])
def test_a_database_for_caches(tmp_path, made, more, url):
    """Caches have a database of their own, for to clear one empties it; of a Redis that is named there is but one."""
    own = made()
    own.described = msgspec.structs.replace(own.described, broker=BrokerTable(named_by="X" if more else ""))
    assert own.environment("redis://127.0.0.1:1/0", "p", tmp_path / "db")["DTWS_CACHES_URL"] == url


def loaded():
    """Return the module of settings that stands before the project's own, as it is just now."""
    path = os.path.join(os.path.dirname(sys.modules[OwnChat.__module__].__file__), "settings", "dtws_settings.py")
    spec = importlib.util.spec_from_file_location("dtws_settings", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_settings(monkeypatch, tmp_path):
    """Databases, layers, caches and hosts are those of the run; all else is the project's own."""
    (tmp_path / "own_settings.py").write_text(
        "SECRET = 1\nALLOWED_HOSTS = ['x']\nDATABASES = {'default': {'ENGINE': 'pg'}, 'other': {}}\n"
        "CHANNEL_LAYERS = {'default': {'BACKEND': 'channels_redis.core.RedisChannelLayer'},\n"
        "    'memory': {'BACKEND': 'channels.layers.InMemoryChannelLayer'}}\n"
        "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://live',\n"
        "    'OPTIONS': {'password': 'secret', 'ssl_cert_reqs': None, 'pool_class': 'x',\n"
        "    'CONNECTION_POOL_KWARGS': {'ssl_ca_certs': 'x', 'max_connections': 5}}},\n"
        "    'other': {'BACKEND': 'django_redis.cache.RedisCache', 'KEY_PREFIX': 'o'}, 'local': {'BACKEND': 'Local'}}\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    urls = (("REDIS_URL", "redis://x"), ("CACHES_URL", "redis://x/1"))
    for name, value in (("SETTINGS", "own_settings"), ("DATABASE", "/db"), *urls, ("PREFIX", "p")):
        monkeypatch.setenv(f"DTWS_{name}", value)
    found = loaded()
    assert found.SECRET == 1
    assert [each["NAME"] for each in found.DATABASES.values()] == ["/db", "/db.other"]
    assert found.CHANNEL_LAYERS["default"]["CONFIG"] == {"hosts": ["redis://x"], "prefix": "p"}
    assert "CONFIG" not in found.CHANNEL_LAYERS["memory"]
    cache = found.CACHES["default"]
    assert (cache["LOCATION"], cache["KEY_PREFIX"]) == ("redis://x/1", "p:default:")
    # What says where another Redis is, and how one is let in there, is of no use here.
    assert cache["OPTIONS"] == {"pool_class": "x", "CONNECTION_POOL_KWARGS": {"max_connections": 5}}
    assert found.CACHES["other"]["KEY_PREFIX"] == "p:other:o"
    assert found.CACHES["local"] == {"BACKEND": "Local"}
    assert found.ALLOWED_HOSTS == ["x", "127.0.0.1", "localhost"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("CACHES", "CACHES = {'default': {'BACKEND': 'django_redis.cache.RedisCache', 'LOCATION': 'redis://live'}}"),
        ("CHANNEL_LAYERS", "CHANNEL_LAYERS = {'default': {'BACKEND': 'x', 'CONFIG': {'hosts': ['redis://live']}}}"),
    ],
)
def test_a_redis_without_a_broker(monkeypatch, tmp_path, name, line):
    """Settings that name a Redis, where the scenario has none, end with what to add: the live one is not touched."""
    (tmp_path / "broker_settings.py").write_text(f"{line}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "broker_settings", raising=False)
    for variable, value in (("SETTINGS", "broker_settings"), ("REDIS_URL", ""), ("CACHES_URL", ""), ("PREFIX", "p")):
        monkeypatch.setenv(f"DTWS_{variable}", value)
    with pytest.raises(RuntimeError, match=rf"{name} names a Redis, and the scenario has no \[broker\]"):
        loaded()
