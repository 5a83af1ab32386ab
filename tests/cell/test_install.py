"""Installing a library: what it adds is measured from a clean environment, once, and offline where it can be."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from uv import find_uv_bin
from wheels import wheel

from harness.captured.scrub import Scrubber
from harness.cell import base
from harness.cell import install as installing
from harness.cell.identify import Identity, digest
from harness.cell.install import install, packages, settings_of
from harness.cell.steps import Recorder
from harness.cells import Cell
from harness.errors import CellFailure, HarnessError
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.libraries.setup import Setup
from harness.results.installed import Claims
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason

CELL = Cell("3.11", "5.2")
#: Nobody listens there.
DEAD = "http://127.0.0.1:1"


def django(version: str, more: str = "") -> dict[str, str]:
    """Return the files of a stand-in for Django, which knows its version, and has *more* in it."""
    release = (*(int(part) for part in version.split(".")), "final", 0)
    text = f"VERSION = {release!r}\n\n\ndef get_version():\n    return {version!r}\n"
    return {"django/__init__.py": text + more}


#: Builds a wheel of what lies beside it, with nothing that would have to be fetched.
BACKEND = """
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "own-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as made:
        made.write("own.py")
        made.writestr("own-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: own\\nVersion: 1.0\\n")
        made.writestr("own-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        made.writestr("own-1.0.dist-info/RECORD", "")
    return name
"""


class Silent:
    def begin(self, name): ...

    def end(self, step, seconds): ...


class Place:
    """An environment with a stand-in for Django, and wheels to install from."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.wheels = folder, folder / "wheels"
        self.wheels.mkdir()
        # With a cache of its own: what that of the machine holds is found offline as well.
        self.env = {
            **os.environ,
            "COLUMNS": "10000",
            "UV_CACHE_DIR": str(folder / "cache"),
            "UV_FIND_LINKS": str(self.wheels),
        }
        self.env |= {"UV_OFFLINE": "1", "UV_HTTP_RETRIES": "0"}
        prefix = folder / "env"
        subprocess.run([find_uv_bin(), "venv", "-q", "-p", sys.executable, prefix], check=True, env=self.env)
        self.python = prefix / "bin" / "python"
        packages = prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        self.pip("install", wheel(self.wheels, "Django", "5.2.19", files=django("5.2.19")))
        self.identity = Identity(
            python=self.python,
            version="3.11.0",
            implementation="CPython",
            prefix=prefix,
            site_packages=(packages,),
            django="5.2.19",
            django_folder=packages / "django",
            django_digest=digest(packages / "django"),
        )

    def pip(self, *arguments: object) -> None:
        command = [find_uv_bin(), "pip", arguments[0], "-q", "--python", self.python, *arguments[1:]]
        subprocess.run(command, check=True, env=self.env)

    def with_index(self, url: str) -> None:
        """Have packages come from the index at *url* as well."""
        del self.env["UV_OFFLINE"]
        self.env["UV_INDEX_URL"] = url

    def install(self, *requirements: str, frozen: list[str] | None = None, anew: bool = False):
        class Library(DjangoWebsocketRedis):
            name = "tiny"

            def requirements(self, cell):
                return list(requirements)

        work, evidence = self.folder / "work", self.folder / "evidence"
        work.mkdir(exist_ok=True)
        evidence.mkdir(exist_ok=True)
        self.recorder = Recorder(work, evidence, Scrubber({self.folder: "<place>"}), Silent())
        subject = Setup(Library(), SERVERS["runserver"], "today")
        return install(CELL, subject, self.identity, self.recorder, self.env, frozen, anew=anew)


@pytest.fixture
def place(tmp_path) -> Place:
    made = Place(tmp_path)
    wheel(made.wheels, "tiny", "1.0", "helper")
    wheel(made.wheels, "helper", "2.0")
    return made


@pytest.fixture
def index(tmp_path):
    """An index of packages that answers, and has none; yields its address, and the paths that it was asked for."""
    asked = []

    class Answers(SimpleHTTPRequestHandler):
        def log_request(self, code="-", size="-"):
            asked.append(self.path)

        def log_error(self, *arguments): ...

    (tmp_path / "index" / "simple").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, directory=tmp_path / "index")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple", asked
        server.shutdown()


def test_what_it_adds(place):
    """The packages and bytes that are added are counted, without what was there before."""
    done = place.install("tiny")
    assert done.installation.added == ["helper==2.0", "tiny==1.0"]
    assert 1200 < done.installation.added_bytes < 3000
    assert done.packages == {"Django": "5.2.19", "helper": "2.0", "tiny": "1.0"}


def test_warm(place):
    """A second run finds it installed, starts nothing, and says the same."""
    first = place.install("tiny")
    steps = place.recorder.steps
    (place.wheels / "tiny-1.0-py3-none-any.whl").unlink()
    again = place.install("tiny")
    assert again == first
    assert place.recorder.steps == steps
    assert place.recorder.seconds["install"] == 0


def test_anew(place):
    """One of several runs installs what is there already, and takes as long as that takes; nothing is left twice."""
    first = place.install("tiny")
    wheel(place.wheels, "tiny", "1.1")
    again = place.install("tiny", anew=True)
    assert place.recorder.seconds["install"] == again.seconds > 0
    assert (first.installation.added, again.installation.added) == (["helper==2.0", "tiny==1.0"], ["tiny==1.1"])
    assert place.install("tiny").seconds == again.seconds


def test_warm_shows_what_was_printed(place):
    """The installer's output is evidence of each run, also of one that finds it installed."""
    place.install("tiny")
    log = place.recorder.evidence / "install.log"
    printed = log.read_text()
    log.unlink()
    place.install("tiny")
    assert "tiny" in printed
    assert log.read_text() == printed


def test_frozen(place):
    """Asked for the versions of the past, it installs exactly those."""
    wheel(place.wheels, "helper", "3.0")
    assert place.install("tiny").installation.added == ["helper==3.0", "tiny==1.0"]
    assert place.install("tiny", frozen=["helper==2.0", "tiny==1.0"]).installation.added == ["helper==2.0", "tiny==1.0"]


def test_after_an_interruption(place):
    """What an interrupted installation left is taken out first, so that all it adds is counted."""
    place.install("tiny")
    note = place.identity.prefix / ".harness-install.json"
    note.write_text('{"requirements": [], "begun": true}')
    place.pip("uninstall", "tiny")
    assert place.install("tiny").installation.added == ["helper==2.0", "tiny==1.0"]


def test_other_requirements(place):
    """With other requirements it is installed anew, without the packages of before."""
    place.install("tiny")
    assert place.install("helper").installation.added == ["helper==2.0"]
    assert "tiny" not in packages(place.identity)


def test_installed_by_hand(place):
    """What somebody has installed by hand is named, with how to measure it, and not taken away."""
    place.install("tiny")
    wheel(place.wheels, "handmade", "3.0")
    wheel(place.wheels, "tiny", "2.0", "helper")
    place.pip("install", "handmade", "tiny==2.0")
    with pytest.raises(HarnessError, match=r"^somebody has installed handmade 3\.0, tiny 2\.0 into") as raised:
        place.install("tiny")
    assert "-- --with REQUIREMENT" in raised.value.hint
    assert {"handmade", "tiny"} <= set(packages(place.identity))


def test_code_of_ones_own_with_the_version_of_a_release(place, tmp_path):
    """What somebody has put in the place of a release by hand is named, also where it has the same version."""
    place.install("tiny")
    (tmp_path / "own").mkdir()
    place.pip("install", "--reinstall", wheel(tmp_path / "own", "tiny", "1.0", "helper", files={"tiny.py": "MINE = 1"}))
    with pytest.raises(HarnessError, match=r"^somebody has installed tiny 1\.0 from elsewhere into"):
        place.install("tiny")
    place.pip("install", "--reinstall", "tiny")
    assert place.install("tiny").installation.added == ["helper==2.0", "tiny==1.0"]


def test_another_release_of_what_was_there(place):
    """What an installation replaced of what tox had put there is put back for the next one."""
    wheel(place.wheels, "measure", "7.0")
    wheel(place.wheels, "measure", "8.0")
    place.pip("install", "measure==7.0")
    base.renew(place.identity.prefix, {})
    wheel(place.wheels, "picky", "1.0", "measure>=8")
    assert place.install("picky").installation.added == ["measure==8.0", "picky==1.0"]
    assert place.install("tiny").installation.added == ["helper==2.0", "tiny==1.0"]
    assert packages(place.identity)["measure"] == "7.0"
    assert place.install("picky", anew=True).installation.added == ["measure==8.0", "picky==1.0"]


def test_a_folder_that_changes(place, tmp_path):
    """What comes from a folder is installed again once something in it is another one, and not before."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "pyproject.toml").write_text('[project]\nname = "own"\nversion = "1.0"\n')
    (own / "build_it.py").write_text(BACKEND)
    (own / "own.py").write_text("SAYS = 1\n")
    with (own / "pyproject.toml").open("a") as settings:
        settings.write('[build-system]\nrequires = []\nbuild-backend = "build_it"\nbackend-path = ["."]\n')
    requirement = f"own @ {own.as_uri()}"
    seconds = []
    for says in (1, 1, 2):
        if says == 2:
            (own / "own.py").write_text("SAYS = 2  # now\n")
        place.install(requirement)
        seconds.append(place.recorder.seconds["install"])
        assert (place.identity.site_packages[0] / "own.py").read_text().startswith(f"SAYS = {says}")
    assert [each > 0 for each in seconds] == [True, False, True]


def test_what_is_in_files_of_settings(place, tmp_path):
    """A file that the settings of the installer name counts with what is in it."""
    (limits := tmp_path / "limits.txt").write_text("helper<3\n")
    place.env["UV_CONSTRAINT"] = str(limits)
    before = settings_of(place.env, ())
    limits.write_text("helper<2\n")
    assert settings_of(place.env, ()) != before
    # A secret may be longer than the name of a file.
    assert settings_of({"UV_PUBLISH_TOKEN": "x" * 5000}, ()) != settings_of({"UV_PUBLISH_TOKEN": "y" * 5000}, ())


def test_installed_by_hand_before_the_first_run(place):
    """What somebody has added to an environment since it was made is named also where nothing was run in it yet."""
    base.renew(place.identity.prefix, {})
    noted = base.of(place.identity.prefix)
    assert noted == {"Django": "5.2.19"}
    wheel(place.wheels, "handmade", "3.0")
    place.pip("install", "handmade", "tiny")
    with pytest.raises(HarnessError, match=r"^somebody has installed handmade 3\.0, helper 2\.0, tiny 1\.0 into"):
        place.install("tiny")
    assert base.of(place.identity.prefix) == noted
    place.pip("uninstall", "handmade", "helper", "tiny")
    assert place.install("tiny").installation.added == ["helper==2.0", "tiny==1.0"]


def test_other_settings(place):
    """With other settings of the installer, or other options, it is installed anew: it may take something else."""
    seconds = []
    for resolution in ("highest", "lowest", "lowest"):
        place.env["UV_RESOLUTION"] = resolution
        place.install("tiny")
        seconds.append(place.recorder.seconds["install"])
    assert [each > 0 for each in seconds] == [True, True, False]


def test_what_tox_adds_later(place):
    """What tox itself adds to an environment later is no work of anybody's hand."""
    prefix = place.identity.prefix
    base.renew(prefix, {})
    place.install("tiny")
    before = base.found(prefix)
    wheel(place.wheels, "measure", "7.0")
    place.pip("install", "measure")
    base.renew(prefix, before)
    assert base.read(prefix) == {"Django": "5.2.19", "measure": "7.0"}
    assert place.install("tiny").installation.added == ["helper==2.0", "tiny==1.0"]


@pytest.mark.parametrize("noted", [False, True])
def test_first_seen_with_the_library(place, noted):
    """An environment that already holds the library measures nothing, and says what to do."""
    place.pip("install", "tiny")
    if noted:
        base.renew(place.identity.prefix, {})
    with pytest.raises(HarnessError, match="cannot be measured") as raised:
        place.install("tiny")
    assert "tox -r" in raised.value.hint


def test_another_django(place, index):
    """A library that wants another Django than the cell's cannot be installed there."""
    place.with_index(index[0])
    wheel(place.wheels, "Django", "6.0", files=django("6.0"))
    wheel(place.wheels, "newer", "1.0", "Django>=6")
    with pytest.raises(CellFailure) as raised:
        place.install("newer")
    assert raised.value.reason is Reason.INSTALLATION_FAILED
    assert packages(place.identity)["Django"] == "5.2.19"


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (django("4.2.1"), "it replaced Django 5.2.19: Django 4.2.1 is imported"),
        (
            {"django/__init__.py": "import nothing\n"},
            "it replaced Django 5.2.19: no Django can be imported",
        ),
        (django("5.2.19", "\nx = 1\n"), "it altered files of Django 5.2.19"),
        ({"django/urls.py": "x = 1\n"}, "it altered files of Django 5.2.19"),
    ],
    ids=["another", "a broken one", "the same but altered", "a file more"],
)
def test_its_own_django(place, files, text):
    """A library that brings files of Django itself is refused, though no installer notices."""
    wheel(place.wheels, "greedy", "1.0", files=files)
    with pytest.raises(CellFailure) as raised:
        place.install("greedy")
    assert packages(place.identity)["Django"] == "5.2.19"
    assert raised.value.reason is Reason.INSTALLATION_FAILED
    assert raised.value.text.startswith(text)


def test_unknown_package(place, index):
    """A package that does not exist is a failed installation: the index was reached, and does not have it."""
    url, asked = index
    place.with_index(url)
    with pytest.raises(CellFailure) as raised:
        place.install("nosuchpackage")
    assert raised.value.reason is Reason.INSTALLATION_FAILED
    assert "nosuchpackage" in place.recorder.steps[-1].excerpt
    # The index was asked once more, for what has nothing to do with the library.
    assert asked[-1] == "/simple/packaging/"


def source(folder: Path, build: str) -> str:
    """Make the source of a package whose build does *build* (PEP 517)."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (folder / "backend.py").write_text(f"import time\n\ndef build_wheel(*arguments, **options):\n    {build}\n")
    return str(folder)


def test_installer_that_hangs(place, tmp_path, monkeypatch):
    """What takes longer than the deadline to build is stopped, and the deadline is named."""
    monkeypatch.setattr(installing, "DEADLINE", 1.0)
    with pytest.raises(CellFailure, match="did not end within 1 s") as raised:
        place.install(source(tmp_path / "sleepy", "time.sleep(600)"))
    assert raised.value.reason is Reason.INSTALLATION_FAILED


@pytest.mark.parametrize(
    ("printed", "lacking"),
    [
        ("error: command 'gcc' failed: No such file or directory", "gcc"),
        ("chat.c:1:10: fatal error: Python.h: No such file or directory", "Python.h"),
    ],
)
def test_what_a_build_lacks(place, tmp_path, printed, lacking):
    """Without a compiler, or a header that the machine has to have, nothing is known of what has to be compiled."""
    with pytest.raises(CellFailure, match=f"^it has to be compiled, and there is no {lacking} here: ") as raised:
        place.install(source(tmp_path / "compiled", f"raise SystemExit({printed!r})"))
    assert raised.value.reason is Reason.ENVIRONMENT_FAILED


def test_a_header_that_python_no_longer_has(place, tmp_path):
    """What is compiled with a header that has gone from Python itself is too old for it, wherever it is compiled."""
    printed = "chat.c:1:10: fatal error: longintrepr.h: No such file or directory"
    with pytest.raises(CellFailure) as raised:
        place.install(source(tmp_path / "compiled", f"raise SystemExit({printed!r})"))
    assert raised.value.reason is Reason.INSTALLATION_FAILED


# The index


def test_no_network(place):
    """An index that cannot be reached is "not tested", not a verdict on the library."""
    place.with_index(f"{DEAD}/simple")
    with pytest.raises(CellFailure) as raised:
        place.install("nosuchpackage")
    assert raised.value.reason is Reason.NO_NETWORK, place.recorder.steps[-1].excerpt
    assert raised.value.text == "the library could not be fetched: the package index is out of reach"


def test_told_to_stay_offline(place):
    """An installer that may not use the network finds nothing out about a library that it has not here."""
    assert place.env["UV_OFFLINE"] == "1"
    with pytest.raises(CellFailure) as raised:
        place.install("nosuchpackage")
    assert raised.value.reason is Reason.NO_NETWORK, place.recorder.steps[-1].excerpt


def needy(place: Place) -> str:
    """Return a library that needs a package at an address where nobody listens."""
    made = wheel(place.folder, "needy", "1.0", f"helper @ {DEAD}/helper-1.0-py3-none-any.whl")
    return f"needy @ {made.as_uri()}"


def test_a_dead_address_of_its_own(place, index):
    """A library that needs a package at a dead address fails, as long as the index answers."""
    place.with_index(index[0])
    with pytest.raises(CellFailure) as raised:
        place.install(needy(place))
    assert f"helper @ {DEAD}/" in place.recorder.steps[-1].excerpt
    assert raised.value.reason is Reason.INSTALLATION_FAILED


def test_a_dead_address_and_a_dead_index(place):
    """Where the index does not answer either, nothing is known of a library that needs an address of its own."""
    place.with_index(f"{DEAD}/simple")
    with pytest.raises(CellFailure) as raised:
        place.install(needy(place))
    assert raised.value.reason is Reason.NO_NETWORK


def test_a_variable_that_the_installer_does_not_know(place):
    """A variable that means nothing to the installer does not keep the index from being asked."""
    place.with_index(f"{DEAD}/simple")
    place.env["UV_NO_INDEX"] = "1"
    with pytest.raises(CellFailure) as raised:
        place.install(needy(place))
    assert raised.value.reason is Reason.NO_NETWORK


# What it claims


def test_claims(place):
    """What the library's metadata claims is kept: versions in order, and what is no version left out."""
    claims = "Requires-Python: >=3.8\n" + "".join(
        f"Classifier: {each}\n"
        for each in (
            "Programming Language :: Python :: 3.10",
            "Programming Language :: Python :: 3.9",
            "Programming Language :: Python :: 3 :: Only",
            "Programming Language :: Python :: Implementation :: CPython",
            "Framework :: Django :: 5.2",
            "Framework :: Django :: 4.2",
            "Framework :: Django",
        )
    )
    wheel(place.wheels, "tiny", "1.0", metadata=claims)
    assert place.install("tiny").installation.claims == Claims(
        version="1.0", requires_python=">=3.8", pythons=["3.9", "3.10"], djangos=["4.2", "5.2"]
    )


def test_no_claims(place):
    """A library that is installed under another name claims nothing, which is not to claim everything."""
    wheel(place.wheels, "other", "1.0")
    assert place.install("other").installation.claims is None
