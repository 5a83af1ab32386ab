"""What the cell's own Python says of itself, and installing for Pythons that are very old."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cellservers import recorder_in

from harness.cell import install as installing
from harness.cell.install import identify
from harness.cells import Cell
from harness.environments.legacy import LegacyError
from harness.errors import CellFailure, HarnessError
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.libraries.setup import Setup
from harness.results.result import Step
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason

CELL = Cell.parse("py311-django52")
FACTS = {
    "version": "3.11.9",
    "implementation": "CPython",
    "prefix": "/env",
    "base": "/usr/python",
    "site_packages": ["/env/lib/site-packages"],
    "django": "5.2.19",
}


class Python:
    """A Python that answers what it is told to."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.recorder = recorder_in(folder)
        self.printed = json.dumps(FACTS)
        self.failed = ""
        monkeypatch.setattr(self.recorder, "command", self.command)

    def command(self, name, command, env, cwd, deadline, says):
        (self.recorder.work / f"{name}.log").write_text(self.printed)
        step = Step(name=name, outcome="failed" if self.failed else "ok", cause=self.failed, text=says(self.printed))
        self.recorder.steps.append(step)
        return step, self.printed

    def asked(self):
        return identify(CELL, Path("/env/bin/python"), self.recorder, {})


@pytest.fixture
def python(tmp_path, monkeypatch) -> Python:
    return Python(tmp_path, monkeypatch)


def test_identified(python):
    """The exact versions are those that it says, and the step shows them."""
    found = python.asked()
    assert (found.version, found.implementation, found.django) == ("3.11.9", "CPython", "5.2.19")
    assert (found.python, found.prefix) == (Path("/env/bin/python"), Path("/env"))
    assert found.site_packages == (Path("/env/lib/site-packages"),)
    assert python.recorder.steps[0].text == "Python 3.11.9, Django 5.2.19"


def test_behind_warnings(python):
    """What importing Django prints before is no answer."""
    python.printed = f"x.py:1: DeprecationWarning: old\n{python.printed}\n\n"
    assert python.asked().version == "3.11.9"


def test_its_base(python):
    """The Python that an environment is made of has a name of its own in what is shown."""
    python.asked()
    assert python.recorder.scrub("see /usr/python/lib/x.py") == "see <python>/lib/x.py"


def test_without_an_environment(python):
    """Where it is no environment its base is not called otherwise."""
    python.printed = json.dumps({**FACTS, "base": "/env"})
    python.asked()
    assert python.recorder.scrub("see /env/lib/x.py") == "see /env/lib/x.py"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "3.12.1"}, "py311-django52 asks for Python 3.11, and its environment has Python 3.12.1"),
        ({"version": "3.1.1"}, "py311-django52 asks for Python 3.11, and its environment has Python 3.1.1"),
        ({"django": "5.1.9"}, "py311-django52 asks for Django 5.2, and its environment has Django 5.1.9"),
        ({"django": "5.2rc1"}, "py311-django52 asks for Django 5.2, and its environment has Django 5.2rc1"),
    ],
)
def test_another_one(python, change, said):
    """What is not what the cell's name says measures nothing, and it is said what to do."""
    python.printed = json.dumps({**FACTS, **change})
    with pytest.raises(HarnessError) as raised:
        python.asked()
    assert str(raised.value) == said
    assert raised.value.hint == "make the environment again with `tox -r -e py311-django52`"


def test_it_fails(python):
    """A Python that cannot import Django cannot be asked, and it is said why."""
    python.failed, python.printed = "ImportError: No module named django", "Traceback"
    with pytest.raises(HarnessError) as raised:
        python.asked()
    assert str(raised.value) == (
        "the Python of py311-django52 could not be asked for its version and Django:"
        " ImportError: No module named django"
    )
    assert python.recorder.steps[0].text == ""


@pytest.mark.parametrize("printed", ["", "hello", "\n \n"])
def test_no_answer(python, printed):
    """What answers anything else is no Python to be measured."""
    python.printed = printed
    with pytest.raises(HarnessError, match=r"^the Python of py311-django52 answers what is no JSON: "):
        python.asked()


@pytest.mark.parametrize("printed", ["[]", "5", '{"version": "3.11"}', "null"])
def test_nothing_to_show(printed):
    """What is no such answer shows nothing with its step."""
    assert installing._said(printed) == ""


# Very old Pythons


OLD = Cell.parse("py27-django18")


@pytest.fixture
def install_old(tmp_path, monkeypatch):
    """Return a way to install into an environment of Python 2.7, where fetching does what a test wants."""
    recorder = recorder_in(tmp_path)
    identity = installing.Identity(Path("/env/bin/python"), "2.7.18", "CPython", tmp_path, (), "1.8.19")
    here = {"pip": "20.3.4", "Django": "1.8.19"}
    commands = []

    def command(name, command, env, cwd, deadline, says=None):
        commands.append(command)
        (recorder.work / f"{name}.log").touch()
        recorder.seconds[name] = 1.5
        here["django-websocket-redis"] = "0.6.0"
        return Step(name=name, outcome="ok", command="pip install"), ""

    monkeypatch.setattr(recorder, "command", command)
    monkeypatch.setattr(installing, "packages", lambda identity: dict(here))

    def install(fetch=lambda *arguments: "", locked=True):
        monkeypatch.setattr(installing.legacy, "fetch", fetch)
        monkeypatch.setattr(installing.legacy, "locked", lambda version, name: locked)
        setup = Setup(DjangoWebsocketRedis(), SERVERS["runserver"], "today")
        done = installing.install(OLD, setup, identity, recorder, {})
        return done, commands[0]

    install.recorder = recorder
    return install


def test_offline(install_old):
    """For a very old Python everything is fetched first, and its own pip installs from there."""
    fetched = []
    done, command = install_old(lambda *arguments: fetched.append(arguments))
    wanted = ["django-websocket-redis==0.6.0", "Django==1.8.19"]
    assert fetched == [(Path("/env/bin/python"), wanted, ("django-websocket-redis", "runserver"))]
    assert command[:3] == ["/env/bin/python", "-m", "pip"]
    assert command[-2:] == wanted
    assert (done.installer, done.installation.added, done.seconds) == (
        *("pip 20.3.4", ["django-websocket-redis==0.6.0"], 1.5),
    )


def test_nobody_has_listed_it(install_old):
    """What nobody has listed the exact versions of cannot be resolved any more, which says nothing of it."""
    with pytest.raises(CellFailure) as raised:
        install_old(locked=False)
    assert (raised.value.reason, raised.value.text) == (
        Reason.NOT_APPLICABLE,
        "nobody has listed the versions of django-websocket-redis for Python 2.7 in harness/environments/locks",
    )


@pytest.mark.parametrize(
    ("printed", "reason", "text"),
    [
        (
            "Temporary failure in name resolution",
            Reason.NO_NETWORK,
            "the library could not be fetched: the package index is out of reach",
        ),
        (
            "ERROR: No matching distribution found for six==9",
            Reason.ENVIRONMENT_FAILED,
            "the host could not fetch the packages: ERROR: No matching distribution found for six==9",
        ),
    ],
)
def test_not_fetched(install_old, printed, reason, text):
    """What the host cannot fetch is no fault of the library, and is told with the step."""

    def fetch(*arguments):
        raise LegacyError(f"pip … exited with 1:\n{printed}\n")

    with pytest.raises(CellFailure) as raised:
        install_old(fetch)
    assert (raised.value.reason, raised.value.text) == (reason, text)
    (step,) = install_old.recorder.steps
    assert (step.name, step.outcome) == ("install", "failed")
    assert step.cause.startswith("the host could not fetch the packages: ")
