"""What is fetched for very old Pythons, and how an environment is made of it; with a stand-in for all programs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness import ROOT
from harness.environments import legacy
from harness.environments.legacy import LegacyError

FACTS = '[2, 7, true, "/env"]'


class Programs:
    """Runs nothing, and answers for what is run."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.wheelhouse, self.locks = folder / "wheelhouse", folder / "locks"
        self.locks.mkdir()
        (self.locks / "py27.txt").write_text(
            "# of all\npip==20.3.4\nwheel==0.37.1\nsetuptools==44.1.1\ncoverage==5.5\n"
        )
        (self.locks / "py27-tiny.txt").write_text("six==1.17.0\n")
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.facts = FACTS
        #: What pip cannot download as wheels.
        self.refused: set[str] = set()
        self.broken: dict[str, str] = {}
        self.error: Exception | None = None
        monkeypatch.setenv("HARNESS_WHEELHOUSE", str(self.wheelhouse))
        monkeypatch.setattr(legacy, "LOCKS", self.locks)
        monkeypatch.setattr(legacy.platform, "machine", lambda: "x86_64")
        monkeypatch.setattr(legacy.subprocess, "run", self.run)

    def run(self, command, stdout, stderr, timeout, check, env):
        self.commands.append(command)
        self.environments.append(env)
        if self.error:
            raise self.error
        if command[1:2] == ["-c"]:
            out = self.facts if "json" in command[2] else ""
            return subprocess.CompletedProcess(command, 0, out.encode())
        for word, said in self.broken.items():
            if word in command:
                return subprocess.CompletedProcess(command, 1, said.encode())
        if "download" in command:
            wanted = [each for each in command if "==" in each]
            if self.refused & set(wanted):
                return subprocess.CompletedProcess(command, 1, b"no matching distribution")
            for each in wanted:
                name, _, version = each.partition("==")
                (self.wheelhouse / "py27" / f"{name}-{version}-py2-none-any.whl").touch()
            return subprocess.CompletedProcess(command, 0, f"Saved {', '.join(wanted)}\n".encode())
        if "harness.environments.archives" in command:
            name, _, version = command[-1].partition("==")
            (Path(command[-2]) / f"{name}-{version}.tar.gz").touch()
            return subprocess.CompletedProcess(command, 0, b"")
        return subprocess.CompletedProcess(command, 0, b"done\n")

    def of(self, word: str) -> list[list[str]]:
        return [command for command in self.commands if word in command]


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


PYTHON = Path("/env/bin/python")


def test_locks(programs):
    """The lists of exact versions are the common one, and those of a library or a server that has any."""
    assert [path.name for path in legacy.lock_files("2.7", ["tiny", "uvicorn"])] == ["py27.txt", "py27-tiny.txt"]
    assert (legacy.locked("2.7", "tiny"), legacy.locked("2.7", "uvicorn")) == (True, False)


def test_fetched(programs):
    """What the locks and the requirements name is downloaded at once, for that Python, as wheels."""
    said = legacy.fetch(PYTHON, ["Django==1.8.19"], ["tiny"])
    (command,) = programs.of("download")
    assert command[:6] == [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
    assert command[-6:] == [
        *("pip==20.3.4", "wheel==0.37.1", "setuptools==44.1.1", "coverage==5.5", "six==1.17.0", "Django==1.8.19"),
    ]
    for option in ("--python-version", "27", "--abi=cp27mu", "--abi=none", "--platform=manylinux1_x86_64"):
        assert option in command
    assert "--only-binary=:all:" in command
    assert said.startswith("Saved pip==20.3.4")


@pytest.mark.parametrize(
    ("facts", "abi"),
    [(FACTS, "cp27mu"), ('[2, 7, false, "/env"]', "cp27m"), ('[3, 5, true, "/env"]', "cp35m")],
)
def test_abi(programs, facts, abi):
    """Before Python 3.3 the width of a character is part of the ABI."""
    programs.facts = facts
    assert legacy._facts(PYTHON)[1] == abi


def test_only_what_is_missing(programs):
    """What is in the wheelhouse is not downloaded again, and where nothing is missing nothing is."""
    legacy.fetch(PYTHON, [], [])
    legacy.fetch(PYTHON, ["six==1.17.0"], [])
    assert programs.of("download")[1][-1] == "six==1.17.0"
    assert len([each for each in programs.of("download")[1] if "==" in each]) == 1
    assert legacy.fetch(PYTHON, ["six==1.17.0"], []) == ""
    assert len(programs.of("download")) == 2


def test_one_by_one(programs):
    """Where not all are there as wheels each is tried by itself, and then its source archive."""
    programs.refused = {"six==1.17.0"}
    legacy.fetch(PYTHON, [], ["tiny"])
    assert [command[-1] for command in programs.of("download")][1:] == [
        *("pip==20.3.4", "wheel==0.37.1", "setuptools==44.1.1", "coverage==5.5", "six==1.17.0"),
    ]
    (archive,) = programs.of("harness.environments.archives")
    assert archive[-2:] == [str(programs.wheelhouse / "py27"), "six==1.17.0"]
    assert (programs.wheelhouse / "py27" / "six-1.17.0.tar.gz").exists()


def test_nowhere(programs):
    """What is neither there as a wheel nor as an archive is an error, with what was printed."""
    programs.refused = {"six==1.17.0"}
    programs.broken = {"harness.environments.archives": "ERROR: No matching distribution found for six==1.17.0\n"}
    with pytest.raises(LegacyError, match=r"ERROR: No matching distribution found for six==1.17.0"):
        legacy.fetch(PYTHON, [], ["tiny"])


def test_installed(programs):
    """What is installed comes from the wheelhouse alone, within the versions of the locks."""
    assert legacy.install(PYTHON, ["Django==1.8.19"]) == "done\n"
    command = programs.commands[-1]
    assert command == [
        *("/env/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--find-links"),
        *(str(programs.wheelhouse / "py27"), "--constraint", str(programs.locks / "py27.txt"), "Django==1.8.19"),
    ]
    told = programs.environments[-1]
    assert (told["PIP_NO_INDEX"], told["PIP_FIND_LINKS"]) == ("1", str(programs.wheelhouse / "py27"))


def test_with_the_locks_of_a_library(programs):
    """A library's own list holds as well."""
    command = legacy.install_command(PYTHON, "2.7", ["tiny"], ["tiny", "uvicorn"])
    assert [command[place + 1] for place, each in enumerate(command) if each == "--constraint"] == [
        str(programs.locks / "py27.txt"),
        str(programs.locks / "py27-tiny.txt"),
    ]


def test_an_environment(programs, tmp_path, monkeypatch):
    """An environment is made by the interpreter itself, with a virtualenv of its own time, and filled with its seed."""

    def with_script(command, **options):
        done = original(command, **options)
        wheel = programs.wheelhouse / "py27" / "virtualenv-16.7.12-py2-none-any.whl"
        if "download" in command:
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr("virtualenv.py", "made = True\n")
                archive.writestr("virtualenv_support/pip.whl", "")
        if "--no-download" in command:
            assert Path(command[1]).read_text() == "made = True\n"
            assert Path(command[4]).is_dir()
        return done

    original = programs.run
    monkeypatch.setattr(legacy.subprocess, "run", with_script)
    legacy.make_environment(Path("/usr/bin/python2.7"), "virtualenv==16.7.12", tmp_path / "env")
    (made,) = programs.of("--no-download")
    assert (made[0], made[-1]) == ("/usr/bin/python2.7", str(tmp_path / "env"))
    assert [tmp_path.joinpath("env", "bin", "python").as_posix(), "-c", "import pip"] in programs.commands
    installed = programs.commands[-1]
    assert installed[-3:] == ["pip==20.3.4", "wheel==0.37.1", "setuptools==44.1.1"]


def test_where_the_wheelhouse_is(monkeypatch):
    """The wheelhouse lies beside tox's environments, unless it is moved."""
    monkeypatch.delenv("HARNESS_WHEELHOUSE", raising=False)
    assert legacy.wheelhouse("3.5") == ROOT / ".tox" / "wheelhouse" / "py35"
    monkeypatch.setenv("HARNESS_WHEELHOUSE", "/elsewhere")
    assert legacy.wheelhouse("3.5") == Path("/elsewhere/py35")


def test_variables(programs, monkeypatch):
    """Where other modules would come from plays no part, but for the harness's own programs."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    legacy.install(PYTHON, ["six==1.17.0"])
    for command, env in zip(programs.commands, programs.environments, strict=True):
        assert "PYTHONHOME" not in env
        assert env.get("PYTHONPATH") == (str(ROOT) if command[0] == sys.executable else None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (subprocess.TimeoutExpired("x", 60), "/env/bin/python did not finish within 60 s"),
        (PermissionError(13, "Permission denied"), "/env/bin/python could not be started: [Errno 13] Permission"),
    ],
)
def test_programs_that_do_not_run(programs, error, said):
    """A program that does not end or start is named."""
    programs.error = error
    with pytest.raises(LegacyError) as raised:
        legacy.install(PYTHON, [])
    assert str(raised.value).startswith(said)


def test_programs_that_fail(programs):
    """A program that fails is told by how it was called, with all that it printed."""
    programs.broken = {"install": "ERROR: what\nis this\n"}
    with pytest.raises(LegacyError) as raised:
        legacy.install(PYTHON, ["six==1.17.0"])
    assert str(raised.value) == (
        "/env/bin/python -m pip --disable-pip-version-check … exited with 1:\nERROR: what\nis this\n"
    )


def test_the_program(programs, monkeypatch, capsys):
    """As a program it installs, and ends with 1 where it cannot."""
    monkeypatch.setattr(sys, "argv", ["legacy", str(PYTHON), "--packages", "six==1.17.0"])
    assert legacy.main() == 0
    assert capsys.readouterr().out == "done\n\n"
    programs.broken = {"install": "ERROR: no\n"}
    assert legacy.main() == 1
    assert "ERROR: no" in capsys.readouterr().err
