"""What the cell's own Python says of itself, and installing for Pythons that are very old."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from pathlib import Path

import django
import pytest
from cellservers import recorder_in

from harness.cell import install as installing
from harness.cell.identify import Identity, digest, identify
from harness.cell.steps import Recorder
from harness.cells import Cell
from harness.environments.legacy import LegacyError
from harness.errors import CellFailure, HarnessError
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.libraries.setup import Setup
from harness.results.result import Step
from harness.servers.catalogue import SERVERS
from harness.system import processes
from harness.system.processes import Ended
from harness.verdict import Reason

CELL = Cell.parse("py311-django52")
AGAIN = "make the environment again with `tox -r -e py311-django52`"


class Python:
    """A Python that answers what it is told to."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.recorder = recorder_in(folder)
        self.prefix = folder / "env"
        self.django = folder / "env" / "django"
        self.django.mkdir(parents=True)
        (self.django / "__init__.py").write_text("VERSION = (5, 2, 19)\n")
        self.facts = {
            "version": "3.11.9",
            "python": [3, 11],
            "implementation": "CPython",
            "prefix": str(self.prefix),
            "base": "/usr/python",
            "site_packages": [str(self.prefix)],
            "django": "5.2.19",
            "release": [5, 2],
            "folder": str(self.django),
            "lacking": {},
        }
        self.status, self.cause = 0, ""
        self.printed: str | None = None
        monkeypatch.setattr(self.recorder, "command", self.command)
        monkeypatch.setattr(processes, "run", self.run)

    @property
    def text(self) -> str:
        return json.dumps(self.facts) if self.printed is None else self.printed

    def command(self, name, command, env, cwd, deadline, says):
        (self.recorder.work / f"{name}.log").write_text(self.text)
        outcome = "failed" if self.status else "ok"
        step = Step(name=name, outcome=outcome, exit_status=self.status, cause=self.cause, text=says(self.text))
        self.recorder.steps.append(step)
        return step, self.text

    def run(self, command, env, cwd, log, deadline):
        log.write_text(self.text)
        return Ended(self.status, False, 0.1)

    def asked(self) -> Identity:
        return identify(CELL, Path("/env/bin/python"), self.recorder, {})


@pytest.fixture
def python(tmp_path, monkeypatch) -> Python:
    return Python(tmp_path, monkeypatch)


def test_identified(python):
    """The exact versions are those that it says, and the step shows them."""
    found = python.asked()
    assert (found.version, found.implementation, found.django) == ("3.11.9", "CPython", "5.2.19")
    assert (found.python, found.prefix) == (Path("/env/bin/python"), python.prefix)
    assert (found.site_packages, found.django_folder) == ((python.prefix,), python.django)
    assert python.recorder.steps[0].text == "Python 3.11.9, Django 5.2.19"


def test_a_real_one(tmp_path):
    """The question is understood by a Python: the one of these tests says of itself what is so."""
    release = [int(part) for part in platform.python_version_tuple()[:2]]
    own = Cell.parse(f"py{release[0]}{release[1]}-django{django.VERSION[0]}{django.VERSION[1]}")
    recorder = recorder_in(tmp_path)
    recorder.command = stored_beside(recorder, tmp_path)
    found = identify(own, Path(sys.executable), recorder, dict(os.environ))
    assert (found.version, found.django) == (platform.python_version(), django.get_version())
    assert found.django_folder == Path(django.__file__).parent
    assert Path(django.__file__).parent.parent in found.site_packages


def stored_beside(recorder, folder):
    """Return what asks a real Python, and has it say that it lives in *folder*, where the digest may be kept."""
    ask = Recorder.command

    def command(*arguments):
        step, text = ask(recorder, *arguments)
        log = recorder.work / "identify.log"
        facts = json.loads(log.read_text().splitlines()[-1])
        log.write_text(json.dumps({**facts, "prefix": str(folder), "base": str(folder)}))
        return step, text

    return command


def test_behind_warnings(python):
    """What importing Django prints before is no answer."""
    python.printed = f"x.py:1: DeprecationWarning: old\n{python.text}\n\n"
    assert python.asked().version == "3.11.9"


def test_its_base(python):
    """The Python that an environment is made of has a name of its own in what is shown."""
    python.asked()
    assert python.recorder.scrub("see /usr/python/lib/x.py") == "see <python>/lib/x.py"


def test_without_an_environment(python):
    """Where it is no environment its base is not called otherwise."""
    python.facts["prefix"] = python.facts["base"] = str(python.prefix)
    python.asked()
    assert python.recorder.scrub(f"see {python.prefix}/lib/x.py") == "see <place>/env/lib/x.py"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"version": "3.12.1", "python": [3, 12]},
            "py311-django52 asks for Python 3.11, and its environment has Python 3.12.1",
        ),
        (
            {"version": "3.1.1", "python": [3, 1]},
            "py311-django52 asks for Python 3.11, and its environment has Python 3.1.1",
        ),
        (
            {"django": "5.1.9", "release": [5, 1]},
            "py311-django52 asks for Django 5.2, and its environment has Django 5.1.9",
        ),
    ],
)
def test_another_one(python, change, said):
    """What is not what the cell's name says measures nothing, and it is said what to do."""
    python.facts |= change
    with pytest.raises(HarnessError) as raised:
        python.asked()
    assert str(raised.value) == said
    assert raised.value.hint == AGAIN


def test_before_its_release(python):
    """A Django before its release is of the release that it becomes."""
    python.facts |= {"django": "5.2rc1", "release": [5, 2]}
    assert python.asked().django == "5.2rc1"


def test_it_fails(python):
    """A Python that cannot import Django cannot be asked, and it is said why."""
    python.status, python.cause, python.printed = 1, "ImportError: No module named django", "Traceback"
    with pytest.raises(HarnessError) as raised:
        python.asked()
    assert str(raised.value) == (
        "the Python of py311-django52 could not be asked for its version and Django:"
        " ImportError: No module named django"
    )
    assert raised.value.hint == AGAIN
    assert python.recorder.steps[0].text == ""


def test_it_lacks_something(python):
    """A Python that was built without parts of its own library is not whole, and each of them is named."""
    python.facts["lacking"] = {"zlib": "No module named 'zlib'", "ctypes": "No module named '_ctypes'"}
    with pytest.raises(CellFailure) as raised:
        python.asked()
    assert raised.value.reason is Reason.ENVIRONMENT_FAILED
    assert raised.value.text == (
        "the Python of py311-django52 cannot import its own ctypes (No module named '_ctypes');"
        " its own zlib (No module named 'zlib')"
    )


def test_it_crashes(python):
    """A Python that is ended by a signal when it imports its own library is not whole."""
    python.status, python.printed = -signal.SIGSEGV, ""
    with pytest.raises(CellFailure) as raised:
        python.asked()
    assert (raised.value.reason, raised.value.text) == (
        Reason.ENVIRONMENT_FAILED,
        "the Python of py311-django52 is ended by SIGSEGV when it imports its own ctypes, hashlib, sqlite3, zlib",
    )


@pytest.mark.parametrize("printed", ["", "hello", "\n \n", "[]", "5", "null"])
def test_no_answer(python, printed):
    """What answers anything else is no Python to be measured, and its step shows nothing."""
    python.printed = printed
    with pytest.raises(HarnessError, match=r"^the Python of py311-django52 does not answer in JSON: "):
        python.asked()
    assert python.recorder.steps[0].text == ""


# The files of Django


def test_the_same_files(python):
    """As long as nobody touches the files of Django they are those that tox installed."""
    first = python.asked()
    assert python.asked() == first
    assert first.django_digest == digest(python.django)
    first.check_django({}, python.recorder.work)


def test_files_that_an_earlier_run_altered(python):
    """An environment in which the files of Django are others than at first has to be made again."""
    python.asked()
    (python.django / "urls.py").touch()
    with pytest.raises(HarnessError, match=r"^the files of Django are not those that tox installed$") as raised:
        python.asked()
    assert raised.value.hint == AGAIN


@pytest.mark.parametrize(
    ("django", "text"),
    [
        ("4.2.1", "it replaced Django 5.2.19: Django 4.2.1 is imported"),
        (None, "it replaced Django 5.2.19: no Django can be imported any more"),
    ],
)
def test_another_django_in_the_end(python, django, text):
    """What is imported as Django in the end has to be what was found at first."""
    found = python.asked()
    python.facts["django"], python.status = django, int(django is None)
    with pytest.raises(CellFailure) as raised:
        found.check_django({}, python.recorder.work)
    assert (raised.value.reason, raised.value.text) == (Reason.INSTALLATION_FAILED, text)


def altered(python):
    (python.django / "__init__.py").write_text("VERSION = (5, 2, 19)  # ours\n")


def another_folder(python):
    python.facts["folder"] = "/elsewhere/django"


@pytest.mark.parametrize("change", [altered, another_folder])
def test_other_files_in_the_end(python, change):
    """The same version out of other files, or of another folder, is not the Django that was found at first."""
    found = python.asked()
    change(python)
    with pytest.raises(CellFailure) as raised:
        found.check_django({}, python.recorder.work)
    assert (raised.value.reason, raised.value.text) == (
        Reason.INSTALLATION_FAILED,
        "it altered files of Django 5.2.19",
    )


def size(folder):
    (folder / "a.py").write_bytes(b"xx")
    os.utime(folder / "a.py", (1, 1))


def time(folder):
    os.utime(folder / "a.py", (2, 2))


def name(folder):
    (folder / "a.py").rename(folder / "b.py")


def more(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "c.py").touch()


@pytest.mark.parametrize("change", [size, time, name, more])
def test_digest(tmp_path, change):
    """A Python file of another size, time or name makes another digest, and so does one more."""
    (tmp_path / "a.py").write_bytes(b"x")
    os.utime(tmp_path / "a.py", (1, 1))
    before = digest(tmp_path)
    change(tmp_path)
    assert digest(tmp_path) != before


def test_what_a_digest_leaves_out(tmp_path):
    """What Python makes of its files, and what is no Python, does not count; nor does where the folder is."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "a.py").write_bytes(b"x")
        os.utime(folder / "a.py", (1, 1))
    (second / "a.pyc").touch()
    (second / "django.mo").touch()
    assert digest(first) == digest(second)
    assert digest(first) != digest(tmp_path / "nowhere") == digest(tmp_path / "neither")


# What the server imports


def distribution(folder: Path, name: str, *files: str) -> None:
    """Leave in *folder* some *files*, and what says that the distribution *name* has brought them."""
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{each},,\n" for each in files))


def test_imported(python):
    """The distributions are named that brought a module or a package which is imported."""
    distribution(python.prefix, "Django", "django/__init__.py", "../django-admin")
    distribution(python.prefix, "single", "single.py")
    distribution(python.prefix, "compiled", "fast.cpython-311-x86_64-linux-gnu.so")
    distribution(python.prefix, "another", "another/__init__.py")
    found = python.asked()
    python.printed = 'django is slow\n["django", "fast", "json", "single"]\n'
    assert found.imported({}, python.recorder.work, python.recorder.work, ["chat.wsgi"]) == [
        *("Django", "compiled", "single"),
    ]


@pytest.mark.parametrize("printed", ["", "Segmentation fault\n", "5\n"])
def test_nobody_knows_what_is_imported(python, printed):
    """Where the Python gives no answer nothing is known of what is imported."""
    distribution(python.prefix, "Django", "django/__init__.py")
    found = python.asked()
    python.printed = printed
    assert found.imported({}, python.recorder.work, python.recorder.work, []) == []


# Very old Pythons


OLD = Cell.parse("py27-django18")


@pytest.fixture
def install_old(tmp_path, monkeypatch):
    """Return a way to install into an environment of Python 2.7, where fetching does what a test wants."""
    recorder = recorder_in(tmp_path)
    identity = Identity(
        python=Path("/env/bin/python"),
        version="2.7.18",
        implementation="CPython",
        prefix=tmp_path,
        site_packages=(),
        django="1.8.19",
        django_folder=tmp_path / "django",
        django_digest=digest(tmp_path / "django"),
    )
    here = {"pip": "20.3.4", "Django": "1.8.19"}
    commands: list[list[str]] = []
    environments: list[dict[str, str]] = []

    def command(name, command, env, cwd, deadline, says=None):
        commands.append(command)
        environments.append(env)
        (recorder.work / f"{name}.log").touch()
        recorder.seconds[name] = 1.5
        here["django-websocket-redis"] = "0.6.0"
        return Step(name=name, outcome="ok", command="pip install"), ""

    monkeypatch.setattr(recorder, "command", command)
    monkeypatch.setattr(installing, "packages", lambda identity: dict(here))
    monkeypatch.setattr(Identity, "check_django", lambda identity, env, work: commands.append(["check Django"]))

    def install(fetch=lambda *arguments: "", locked=True):
        monkeypatch.setattr(installing.legacy, "fetch", fetch)
        monkeypatch.setattr(installing.legacy, "locked", lambda version, name: locked)
        setup = Setup(DjangoWebsocketRedis(), SERVERS["runserver"], "today")
        done = installing.install(OLD, setup, identity, recorder, {})
        assert commands[1:] == [["check Django"]]
        return done, commands[0], environments[0]

    install.recorder = recorder
    return install


def test_offline(install_old):
    """For a very old Python everything is fetched first, and its own pip installs from there."""
    fetched = []
    done, command, env = install_old(lambda *arguments: fetched.append(arguments))
    wanted = ["django-websocket-redis==0.6.0", "Django==1.8.19"]
    assert fetched == [(Path("/env/bin/python"), wanted, ("django-websocket-redis", "runserver"))]
    assert command[:3] == ["/env/bin/python", "-m", "pip"]
    assert command[-2:] == wanted
    # A setup.py that asks pip for something finds it there as well.
    assert env == {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": command[command.index("--find-links") + 1]}
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
