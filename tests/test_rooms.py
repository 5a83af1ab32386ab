"""The rooms of the harness: arrows fall, nothing runs in circles, and nothing stands beside the rooms."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from shared import ROOT

HARNESS = ROOT / "harness"

#: The rooms from the ground up: a room imports from lower floors, and from those that stand before it on its own.
FLOORS = (
    ("verdict", "errors", "cells"),
    ("captured", "system"),
    ("results",),
    ("servers", "environments", "clients"),
    ("chat",),
    ("scenario", "plugin"),
    ("libraries",),
    ("cell",),
    ("load", "probes"),
    ("matrix",),
    ("run",),
    ("causes",),
    ("report", "site"),
    ("commands",),
    ("dtws",),
)
ORDER = [room for floor in FLOORS for room in floor]
#: What a room must not import although it is below: the room → why.
NEVER = {
    "report": {"probes", "load", "cell", "libraries", "chat", "clients", "servers", "run", "causes"},
    "site": {"probes", "load", "cell", "libraries", "chat", "clients", "servers", "run", "causes"},
    "results": {"system.processes", "system.broker", "system.workers"},
    "chat": {"cells", "servers", "environments", "system.processes", "system.broker"},
    "clients": {"cells", "servers", "environments", "system.broker"},
    "scenario": {"cells", "servers", "environments", "system.processes", "system.broker"},
    "servers": {"cells", "environments", "clients"},
    "environments": {"clients", "servers"},
}
#: Packages of others that a room must know nothing of.
FOREIGN = {
    "chat": {"django", "tox", "redis", "ws4redis", "channels", "socketio", "engineio"},
    "clients": {"django", "tox", "redis", "ws4redis", "channels", "socketio", "engineio"},
    "scenario": {"django", "tox", "redis", "ws4redis", "channels", "socketio", "engineio"},
    "verdict": {"django", "tox", "msgspec"},
}


def module_of(path: Path) -> str:
    """Return the name of the module at *path*, below ``harness.``."""
    return ".".join(path.relative_to(HARNESS).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(path: Path) -> set[str]:
    """Return all that the module at *path* imports, wherever in it that stands, also for type checkers alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports from a place that is relative to itself"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


MODULES = {module_of(path): path for path in sorted(HARNESS.rglob("*.py"))}


@cache
def arrows() -> dict[str, set[str]]:
    """Return for each module the modules of the harness that it imports."""
    return {
        name: {target.removeprefix("harness.") for target in imported(path)} & set(MODULES) - {name}
        for name, path in MODULES.items()
    }


def room(module: str) -> str:
    """Return the room that *module* is in."""
    return module.partition(".")[0]


@pytest.mark.parametrize("name", ORDER)
def test_arrows_fall(name):
    """A room imports only what is below it."""
    above = set(ORDER[ORDER.index(name) + 1 :])
    upwards = {
        f"{module} -> {target}"
        for module, targets in arrows().items()
        for target in targets
        if room(module) == name and room(target) in above
    }
    assert not upwards


@pytest.mark.parametrize("name", NEVER)
def test_what_a_room_must_not_know(name):
    """Reports import nothing that measures, results nothing that runs, and a chat's judge nothing of cells."""
    wrong = {
        f"{module} -> {target}"
        for module, targets in arrows().items()
        for target in targets
        if room(module) == name and (room(target) in NEVER[name] or target in NEVER[name])
    }
    assert not wrong


@pytest.mark.parametrize("name", FOREIGN)
def test_what_a_chat_must_not_know(name):
    """They import no framework, no broker and no library under test: somebody else's chat could be judged with them."""
    packages = {
        f"{module} -> {target}"
        for module, path in MODULES.items()
        for target in imported(path)
        if room(module) == name and target.partition(".")[0] in FOREIGN[name]
    }
    assert not packages


def test_no_circles():
    """No modules import each other, not even for type checkers alone."""
    try:
        TopologicalSorter(arrows()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_nothing_beside_the_rooms():
    """The folder holds rooms and the words that all of them use: nothing else, and no room without a floor."""
    beside = {path.name for path in HARNESS.iterdir()} - {"__pycache__"}
    files = {"__init__.py", "__main__.py", *(f"{name}.py" for name in FLOORS[0])}
    assert beside == files | {name for floor in FLOORS[1:] for name in floor}


def test_every_room_says_what_it_is_for():
    """The package of each room has a docstring, and nothing else that somebody would have to know of."""
    for name in ORDER[len(FLOORS[0]) :]:
        tree = ast.parse((HARNESS / name / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), name
        assert len(tree.body) == 1 or name in ("commands", "dtws"), name


def test_files_are_short():
    """No module of the harness has more than 400 lines."""
    assert {name: lines for name, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 400} == {}
