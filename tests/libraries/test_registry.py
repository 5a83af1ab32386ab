"""Libraries are found by name, and joined from elsewhere without a change to this project."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

import pytest
from shared import FAKES, fake_cell, harness

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries import registry
from harness.report import prose

KNOWN = registry.discover()


@pytest.mark.parametrize(
    ("name", "library", "server", "profile"),
    [
        ("py311-django22", "django-websocket-redis", "runserver", "today"),
        ("py311-django52-uwsgi", "django-websocket-redis", "uwsgi", "today"),
        ("py311-django52-channels4", "channels4", "runserver", "today"),
        ("py311-django52-channels4-granian", "channels4", "granian", "today"),
        ("py311-django52-channels4-uvicorn-pins", "channels4", "uvicorn", "pins"),
        ("py27-django18-socketio-pins", "django-socketio", "runserver_socketio", "pins"),
        ("py27-django18-pysocketio", "python-socketio", "gevent", "today"),
        ("py313-django60-pysocketio", "python-socketio", "uvicorn", "today"),
    ],
)
def test_what_a_cell_asks_for(name, library, server, profile):
    """A name tells the library, the server and the profile; what it leaves out is the usual."""
    subject = registry.setup_for(Cell.parse(name), KNOWN)
    assert (subject.library.name, subject.server.name, subject.profile) == (library, server, profile)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("py311-django52-nosuch", "no library with the suffix -nosuch"),
        ("py311-django52-channels4-channels3", "no library with the suffix -channels4-channels3"),
        ("py311-django52-socketio-granian", "django-socketio is not served by granian"),
        ("py311-django52-granian", "django-websocket-redis is not served by granian"),
        ("py311-django52-pins", "no pins are known"),
    ],
)
def test_what_no_cell_can_ask_for(name, says):
    """What is unknown, or does not go together, is refused by name: two generations at once as well."""
    with pytest.raises(UsageError, match=says):
        registry.setup_for(Cell.parse(name), KNOWN)


def test_pins_take_the_place_of_what_they_narrow():
    """A pin of a server's package is asked for once, and every pin has its reason."""
    cell = Cell.parse("py27-django18-pysocketio")
    subject = registry.setup_for(cell, KNOWN)
    assert subject.requirements(cell).count("python-engineio==3.13.2") == 1
    pinned = registry.setup_for(Cell.parse("py310-django52-channels4-pins"), KNOWN)
    assert [pin.requirement for pin in pinned.pins(cell) if pin.reason] == ["redis<8"]


LIBRARY = """
import sys
from pathlib import Path

sys.path.insert(0, {fakes!r})
from fakes import _library


class Elsewhere(_library("behaves")):
    name = "elsewhere"
    suffix = "elsewhere"

    def project(self, root):
        return Path(__file__).parent / "project"

    def environment(self, redis_url, prefix, database):
        return {{**super().environment(redis_url, prefix, database), "FAKE": "behaves"}}
"""


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder that holds a library: its module, its server's side and its prose."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(FAKES.parent / "project", folder / "project")
    (folder / "elsewhere.py").write_text(LIBRARY.format(fakes=str(FAKES)))
    prose = (Path(registry.__file__).parent / "prose" / "plain-asgi.toml").read_text(encoding="utf-8")
    (folder / "elsewhere.toml").write_text(prose.replace("Plain ASGI", "From elsewhere"), encoding="utf-8")
    return folder


def cell() -> str:
    return fake_cell("x").replace("-fake-x", "-elsewhere")


@pytest.mark.cell
def test_library_of_a_folder(elsewhere, tmp_path, no_survivors):
    """A library in a folder of its own is measured and reported, and no file of this project knows of it."""
    reports = tmp_path / "reports"
    done = harness(
        "run", cell(), "--python", sys.executable, "--libraries", elsewhere, reports=reports, HARNESS_LIBRARIES=""
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = harness("report", "--libraries", elsewhere, reports=reports, HARNESS_LIBRARIES="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "From elsewhere" in (reports / "elsewhere.rst").read_text(encoding="utf-8")
    assert "From elsewhere" in (reports / "index.rst").read_text(encoding="utf-8")


@pytest.mark.cell
def test_library_of_another_distribution(elsewhere, tmp_path, no_survivors):
    """A distribution joins through the entry point harness.libraries."""
    info = elsewhere / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere-dist\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness.libraries]\nelsewhere = elsewhere\n")
    env = {"PYTHONPATH": str(elsewhere), "HARNESS_LIBRARIES": ""}
    reports = tmp_path / "reports"
    done = harness("run", cell(), "--python", sys.executable, reports=reports, **env)
    assert done.returncode == 0, done.stdout + done.stderr
    done = harness("report", reports=reports, **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (reports / "elsewhere.rst").exists()


def test_what_an_adapter_lacks(tmp_path):
    """A class that does not fill the interface is refused with the names of what is missing."""
    (tmp_path / "half.py").write_text(
        textwrap.dedent("""
        from harness.libraries.base import Library

        class Half(Library):
            name = suffix = "half"
        """)
    )
    with pytest.raises(UsageError, match=r"Half in .* lacks announce, expected, fence, paths"):
        registry.discover((tmp_path,))


def test_broken_module(tmp_path):
    """A module that cannot be imported is named."""
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere")
    with pytest.raises(UsageError, match=r"broken\.py cannot be imported"):
        registry.discover((tmp_path,))


@pytest.mark.parametrize("name", KNOWN)
def test_its_prose_agrees(name):
    """What the prose of a library says of its settings and of a Redis is what is done."""
    library, said = KNOWN[name], prose.read(KNOWN[name].name)
    assert (said["settings"], said["uses_redis"]) == (library.settings, library.uses_broker)
