"""``dtws run``: from an empty folder to a proved verdict, and what is worse later is red."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared import ROOT

from harness.environments import interpreters
from harness.results.document import read_result
from harness.verdict import Verdict

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]
PYTHON = next((each for each in ("3.13", "3.12", "3.11") if interpreters.find(each)), "3.11")
CELL = f"py{PYTHON.replace('.', '')}-django52-mysite"
#: The chat of https://channels.readthedocs.io/en/stable/tutorial/, as short as it can be.
FILES = {
    "manage.py": """
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
execute_from_command_line(sys.argv)
""",
    "mysite/__init__.py": "",
    "mysite/settings.py": """
from pathlib import Path
SECRET_KEY = "x"
DEBUG = False
INSTALLED_APPS = ["daphne", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / "own.sqlite3"}}
ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [("127.0.0.1", 1)]}}
}
USE_TZ = True
""",
    "mysite/urls.py": "urlpatterns = []\n",
    "mysite/asgi.py": """
import os
from django.core.asgi import get_asgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
pages = get_asgi_application()
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path
from mysite.consumers import Room
rooms = URLRouter([re_path(r"ws/chat/(?P<room>\\w+)/$", Room.as_asgi())])
application = ProtocolTypeRouter({"http": pages, "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(rooms))})
""",
    "mysite/consumers.py": """
import json
from channels.generic.websocket import AsyncWebsocketConsumer
class Room(AsyncWebsocketConsumer):
    async def connect(self):
        if not self.scope["user"].is_authenticated:
            return await self.close()
        self.room = "chat_" + self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()
    async def receive(self, text_data):
        event = {"type": "said", "message": json.loads(text_data)["message"]}
        await self.channel_layer.group_send(self.room, event)
    async def said(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))
""",
}


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "mysite"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip())
    return folder


def dtws(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in *folder*, as somebody does who has installed it."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    env = {**known, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "harness.dtws", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def test_from_an_empty_folder(project):
    """A scenario that nobody has touched works; a room that leaks is worse, and does not take its place.

    Members log in by sessions that are made in the project's own environment; the project's own database, broker and
    folders are not touched, and its results are compared as those of the matrix are.
    """
    assert dtws(project, "new", "--yes", "--login", "python").returncode == 0
    asked = ("run", ".", "--python", PYTHON, "--django", "5.2", "--probe", "sessions")
    done = dtws(project, *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    result = read_result(project / "dtws" / "results" / f"{CELL}.json")
    assert (result.verdicts.overall.verdict, len(result.exchanges), result.starts) == (Verdict.WORKS, 3, 2)
    refused = {each.question: each.good for each in result.isolation}
    assert refused["What reaches an unknown client? On lobby"] is True
    assert not (project / "mysite" / "own.sqlite3").exists()
    assert not list((project / "mysite").rglob("__pycache__"))  # and Django is not compiled each time
    assert list((project / ".dtws" / CELL / "pycache").rglob("django/db/models/base.*.pyc"))
    assert "probe sessions is not asked: it needs a hand inside the application" in done.stdout

    consumers = project / "mysite" / "consumers.py"
    consumers.write_text(consumers.read_text().replace('"chat_" + self.scope["url_route"]["kwargs"]["room"]', '"chat"'))
    summary, junit = project / "summary.md", project / "chat.xml"
    worse = dtws(project, *asked[:-2], "--summary", str(summary), "--junit", str(junit))
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert "is worse than what is recorded" in worse.stdout
    assert "extra on eve's other connection" in worse.stdout, worse.stdout
    assert read_result(project / "dtws" / "results" / f"{CELL}.json") == result
    assert CELL in summary.read_text()
    assert "worse" in summary.read_text()
    assert "as recorded" in junit.read_text()
    assert dtws(project, "compare").returncode == 2


def test_a_redis_that_nobody_names(project):
    """Where the scenario has somebody name a Redis, and nobody does, that is said."""
    dtws(project, "new", "--yes")
    scenario = project / "chat.toml"
    scenario.write_text(scenario.read_text().replace("[broker]", '[broker]\nnamed_by = "MY_REDIS"'))
    done = dtws(project, "run", ".")
    assert (done.returncode, "MY_REDIS is not set" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "."), "there is no scenario chat.toml"),
        (("run", "nowhere"), "does not exist"),
        (("run", ".", "--scenario", "own.toml", "--python", "three"), "'three' is no version of Python"),
        (("run", ".", "--scenario", "own.toml", "--probe", "none"), "there is no probe called 'none'"),
        (("run", ".", "--scenario", "own.toml", "--server", "apache"), "known are daphne, uvicorn"),
        (("run", ".", "--scenario", "own.toml", "--install", "-r none.txt"), "there is no file of requirements"),
    ],
)
def test_usage(project, arguments, said):
    """What cannot be asked for is said, with code 2, and nothing is made."""
    dtws(project, "new", "--yes")
    (project / "chat.toml").rename(project / "own.toml")
    done = dtws(project, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert not (project / ".dtws").exists()


def test_no_interpreter(project):
    """Where there is no such Python the cell is not tested, and it is said how to get one."""
    dtws(project, "new", "--yes")
    done = dtws(project, "run", ".", "--python", "3.99", "--django", "5.2")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no Python 3.99 found" in done.stdout
    assert not (project / "dtws" / "results").exists()
