"""The plug-in as somebody uses it: with pytest-django, in tests and coroutines, side by side, under each server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shared import ROOT

pytestmark = pytest.mark.cell
FILES = {
    "site_settings.py": """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ASGI_APPLICATION = "site_asgi.application"
USE_TZ = True
ROOT_URLCONF = "site_urls"
""",
    # A chat without a library: rooms by paths; who is logged in is told by the session, from the tests' database.
    "site_asgi.py": """
import json
from http.cookies import SimpleCookie
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
pages, rooms = get_asgi_application(), {}
def who(headers):
    from django.contrib.auth import get_user_model
    from django.contrib.sessions.models import Session
    cookie = SimpleCookie(dict(headers).get(b"cookie", b"").decode()).get("sessionid")
    data = Session.objects.get(pk=cookie.value).get_decoded() if cookie else {}
    return get_user_model().objects.get(pk=data["_auth_user_id"]).username if data else "nobody"
async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return await pages(scope, receive, send)
    name = await sync_to_async(who)(scope["headers"])
    room = rooms.setdefault(scope["path"], [])
    await receive()
    await send({"type": "websocket.accept"})
    room.append(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            said = json.loads(event["text"])["message"]
            for each in rooms["/leaky/"] if said == "to all" else room:
                await each({"type": "websocket.send", "text": json.dumps({"message": said, "by": name})})
    finally:
        room.remove(send)
        await sync_to_async(who)(scope["headers"])  # as consumers look at the database when they end
""",
    "test_site.py": """
import pytest
from harness import assert_heard_exactly
def test_rooms(ws_server, members, django_user_model):
    user = django_user_model.objects.create_user("anna")
    ann, eve = members("/a/", users=[user]) + members("/b/")
    ann.say({"message": "hi"})
    assert_heard_exactly({"message": "hi", "by": "anna"}, by=[ann], fence=[ann, eve])
@pytest.mark.parametrize("number", range(3))
def test_many(members, number):
    everybody = members("/a/", 4)
    everybody[0].say({"message": "hi"})
    assert_heard_exactly({"message": "hi", "by": "nobody"}, by=everybody, fence=everybody[:1])
@pytest.fixture
def anyio_backend():
    return "asyncio"
@pytest.mark.anyio
async def test_a_coroutine(members, ws_server):
    ann, bob = members("/a/", 2)
    ann.say({"message": "hi"})
    assert_heard_exactly({"message": "hi", "by": "nobody"}, by=[ann, bob], fence=[ann])
    assert ws_server.url.startswith("ws://127.0.0.1:")
def test_committed(ws_server, django_user_model):
    from django.db import connection
    assert not connection.in_atomic_block
def test_a_page(ws_server):
    import urllib.error, urllib.request
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(ws_server.http + "/nowhere/", timeout=60)
""",
}


def ran(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a project in *folder* with the plug-in."""
    for name, text in FILES.items():
        (folder / name).write_text(text.lstrip())
    (folder / "site_urls.py").write_text("urlpatterns = []\n")
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = . " + str(ROOT) + "\n")
    command = [sys.executable, "-m", "pytest", "-p", "harness.plugin.fixtures", "--ds", "site_settings"]
    command += ["-o", "faulthandler_timeout=100", *options]  # where it hangs it says where
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_as_it_is_used(tmp_path):
    """Rooms, logins from the tests' database, tests one after the other and coroutines, under uvicorn."""
    done = ran(tmp_path)
    assert " 7 passed" in done.stdout, done.stdout + done.stderr


def test_side_by_side(tmp_path):
    """Each worker of xdist has a server of its own."""
    done = ran(tmp_path, "-n", "2")
    assert " 7 passed" in done.stdout, done.stdout + done.stderr


def test_a_failure(tmp_path):
    """A test that fails shows who heard what, and nothing of how that was found out."""
    (tmp_path / "test_wrong.py").write_text(
        "from harness import assert_heard_exactly\n"
        "def test_wrong(members):\n"
        "    ann, bob = members('/leaky/') + members('/leaky/')\n"
        "    ann.say({'message': 'hi'})\n"
        "    assert_heard_exactly({'message': 'hi', 'by': 'nobody'}, by=[ann], fence=[ann])\n"
    )
    done = ran(tmp_path, "test_wrong.py")
    assert done.returncode == 1
    assert "bob heard what was not to come" in done.stdout, done.stdout
    assert "harness/plugin/heard.py" not in done.stdout


def test_no_application(tmp_path):
    """Where nobody says what is to be served that is said, and how to say it."""
    done = ran(tmp_path, "--ws-application", "site_asgi:nothing", "-k", "test_rooms")
    assert "has no attribute 'nothing'" in done.stdout
