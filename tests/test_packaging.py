"""What ``pip install`` of this repository gives: one package of its own name, a command, and a plug-in."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from chats import OwnChat
from packaging.requirements import Requirement
from shared import ROOT
from uv import find_uv_bin

from harness.scenario.read import parse

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pinned() -> dict[str, str]:
    """Return what tox.ini pins for the harness: names → requirements."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    lines = f"{settings['tox']['requires']}\n{settings['plots']['deps']}".splitlines()
    found = [Requirement(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]
    return {each.name.lower(): str(each.specifier) for each in found}


def test_one_set_of_pins():
    """What decides a verdict is pinned alike for the matrix and for somebody's own chat; nothing is forgotten."""
    extra = {
        Requirement(each).name.lower(): str(Requirement(each).specifier)
        for each in PROJECT["optional-dependencies"]["run"]
    }
    base = {Requirement(each).name.lower() for each in PROJECT["dependencies"]}
    tox = pinned()
    assert {name: tox.get(name) for name in extra} == extra
    # What runs tox, and what makes environments of old Pythons, is of the matrix alone.
    assert tox.keys() - extra.keys() - base == {"tox", "tox-uv", "virtualenv", "pip"}


def test_without_tox_and_docutils():
    """The plug-in and ``dtws check`` hold back no release in somebody's project, and bring neither tox nor docutils."""
    wanted = [Requirement(each) for each in PROJECT["dependencies"]]
    assert not {each.name for each in wanted} & {"tox", "docutils", "django", "channels", "uv"}
    assert all(re.fullmatch(r">=[\d.]+", str(each.specifier)) for each in wanted)


def test_the_scenario_in_readme():
    """The scenario that README shows is a whole one, and makes sense."""
    text = (ROOT / "README.rst").read_text("utf-8").partition("   [members]\n")[2].partition("\nFences are found")[0]
    scenario = parse("[members]\n" + text.replace("\n   ", "\n").lstrip())
    assert [scenario.hearers(each) for each in scenario.exchanges] == [["ann", "bob"], ["eve"]]


@pytest.mark.cell
def test_installed(tmp_path):
    """It is the package ``dtws`` alone, in which nothing imports ``harness``; its command and its plug-in work."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "harness", source / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.rst", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    uv, env, made = find_uv_bin(), tmp_path / "env", tmp_path / "made"
    subprocess.run([uv, "build", "-q", "--wheel", "--out-dir", str(made), str(source)], check=True)
    (wheel,) = made.glob("*.whl")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    installing = [uv, "pip", "install", "-q", "--python", str(env), str(wheel), "pytest", "pytest-django"]
    subprocess.run(installing, check=True)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        modules = [archive.read(name).decode() for name in names if name.endswith(".py")]
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"dtws"}
    assert "dtws/libraries/settings/dtws_settings.py" in names
    assert "dtws/dtws/templates/chat.toml.j2" in names
    assert not [text for text in modules if re.search(r"^\s*(from|import) harness\b", text, re.MULTILINE)]
    _works(env, tmp_path)


def _works(env: Path, folder: Path) -> None:
    """Make sure that the command and the plug-in of the environment *env* work in *folder*."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        program = str(env / "bin" / command[0])
        return subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=60)

    with OwnChat().running() as own:
        done = run("dtws", "check", f"{own.url}/lobby/", "--send", '{"message": "$TEXT"}', "--read", ".message")
    assert done.returncode == 0, done.stdout + done.stderr
    missing = run("dtws", "run", ".")
    assert (missing.returncode, "pip install 'dtws[run]'" in missing.stderr) == (3, True), missing.stderr
    assert "measures" not in run("dtws", "--help").stderr
    (folder / "test_it.py").write_text("from dtws import assert_heard_exactly\ndef test_it(request): ...\n")
    fixtures = run("pytest", "--fixtures", "-q", "test_it.py").stdout
    assert "ws_server" in fixtures
    assert "members" in fixtures
