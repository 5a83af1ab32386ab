"""``doctor``: what is here, what is missing, and what to do; with a machine that a test makes up."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import samples
from click.testing import CliRunner

from harness import ROOT
from harness.cells import Cell
from harness.clients import chromium
from harness.commands import doctor as module
from harness.commands.doctor import doctor
from harness.environments.interpreters import Interpreter
from harness.errors import HarnessError
from harness.servers import haproxy, nginx
from harness.servers.front import NoFront
from harness.system import postgresql


class Machine:
    """What is on a machine."""

    def __init__(self, folder: Path) -> None:
        self.reports = samples.write(folder, "py27-django18")
        self.pythons = {"2.7": "2.7.18", "3.9": "3.9.25", "3.11": "3.11.15"}
        self.broker: Exception | None = None
        self.browser: Exception | None = None
        self.nginx: Exception | None = None
        self.haproxy: Exception | None = None
        self.postgresql: Exception | None = None
        self.left = 0
        self.free = 50_000_000_000

    def find(self, version):
        return Interpreter(Path("python"), self.pythons[version]) if version in self.pythons else None

    @contextmanager
    def embedded(self, env, folder):
        assert folder.is_dir()
        if self.broker:
            raise self.broker
        yield SimpleNamespace(version="Valkey 9.1.2")

    def chromium(self):
        if self.browser:
            raise self.browser
        return chromium.Programs("/usr/bin/chromium", "/usr/bin/chromedriver")

    def proxy(self):
        if self.nginx:
            raise self.nginx
        return "/usr/sbin/nginx"

    def other_proxy(self):
        if self.haproxy:
            raise self.haproxy
        return "/usr/sbin/haproxy"

    def database(self):
        if self.postgresql:
            raise self.postgresql
        return "/usr/lib/postgresql/15/bin"

    def sweep(self, checkout):
        assert checkout == ROOT
        return self.left

    def asked(self) -> tuple[int, list[str]]:
        done = CliRunner().invoke(doctor, ["--reports", str(self.reports.folder)], standalone_mode=False)
        if done.exception:
            raise done.exception
        return done.return_value, done.output.splitlines()


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    made = Machine(tmp_path)
    cells = ("py311-django52", "py27-django18", "py39-django22", "py33-django18", "py39-django30")
    monkeypatch.setattr(module.listing, "cells", lambda: [Cell.parse(name) for name in cells])
    monkeypatch.setattr(module.interpreters, "find", made.find)
    monkeypatch.setattr(module.broker, "embedded", made.embedded)
    monkeypatch.setattr(module.importlib.metadata, "version", lambda name: f"1.0 of {name}")
    monkeypatch.setattr(chromium, "find", made.chromium)
    monkeypatch.setattr(nginx, "find", made.proxy)
    monkeypatch.setattr(haproxy, "find", made.other_proxy)
    monkeypatch.setattr(postgresql, "find", made.database)
    monkeypatch.setattr(module.processes, "sweep", made.sweep)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda place: usage._replace(free=made.free))
    return made


def test_all_is_here(machine):
    """Each Python of the matrix is named once, in order, then packages, the broker, programs, and what is left."""
    machine.pythons["3.3"] = "3.3.7"
    assert machine.asked() == (
        0,
        [
            "✓ Python 2.7: 2.7.18",
            "✓ Python 3.3: 3.3.7",
            "✓ Python 3.9: 3.9.25",
            "✓ Python 3.11: 3.11.15",
            "✓ tox 1.0 of tox",
            "✓ tox-uv 1.0 of tox-uv",
            "✓ uv 1.0 of uv",
            "✓ websocket-client 1.0 of websocket-client",
            "✓ broker: the embedded Valkey 9.1.2 starts and answers",
            "✓ browser: /usr/bin/chromium and /usr/bin/chromedriver",
            "✓ NGINX: /usr/sbin/nginx",
            "✓ HAProxy: /usr/sbin/haproxy",
            "✓ PostgreSQL: /usr/lib/postgresql/15/bin",
            "✓ no process of a killed run is left",
            "✓ 50 GB of disk are free; all environments together take about 20",
        ],
    )


def test_a_python_that_is_missing(machine):
    """A Python that is missing is no trouble: its cells are not tested, and it is said how to get it."""
    code, lines = machine.asked()
    assert code == 0
    assert lines[1:3] == [
        "✗ Python 3.3: not found; its cells are not tested",
        "    install Python 3.3 so that python3.3 is on PATH, for example with `pyenv install 3.3`",
    ]


def test_no_python_at_all(machine):
    """Without any of them nothing can be tested, which is trouble."""
    machine.pythons.clear()
    code, lines = machine.asked()
    assert (code, sum(line.startswith("✗ Python") for line in lines)) == (3, 4)


def test_no_broker(machine):
    """Without a broker nothing can be tested; what to do is said, and the rest is asked all the same."""
    machine.broker = HarnessError("no binary for this platform", "name a Redis of yours with --redis-url")
    code, lines = machine.asked()
    assert code == 3
    at = lines.index("✗ broker: no binary for this platform")
    assert lines[at + 1] == "    name a Redis of yours with --redis-url"
    assert lines[-1].startswith("✓ 50 GB of disk are free")


def test_no_programs(machine):
    """Without a browser, NGINX, HAProxy or PostgreSQL only what needs them is not tested."""
    machine.browser = chromium.NoBrowser("there is no chromium")
    machine.nginx, machine.haproxy = NoFront("there is no nginx"), NoFront("there is no haproxy")
    machine.postgresql = postgresql.NoPostgreSQL("there is no PostgreSQL")
    code, lines = machine.asked()
    assert code == 0
    at = lines.index("✗ browser: none; `--probe browser` is not tested")
    assert lines[at + 1 : at + 8] == [
        "    there is no chromium",
        "✗ NGINX: none; `load` and `deployment` do not test what stands behind it",
        "    there is no nginx",
        "✗ HAProxy: none; `deployment` does not test what stands behind it",
        "    there is no haproxy",
        "✗ PostgreSQL: none; Channels' PostgreSQL layer is not tested",
        "    there is no PostgreSQL",
    ]


def test_what_was_left(machine):
    """Processes that a killed run has left are counted once they are ended."""
    machine.left = 3
    assert "✓ processes left by killed runs: 3 found and ended" in machine.asked()[1]


def test_little_room(machine):
    """Little room on the disk is told, and is no trouble yet."""
    machine.free = 19_600_000_000
    code, lines = machine.asked()
    assert (code, lines[-1]) == (0, "✗ 20 GB of disk are free; all environments together take about 20")


def test_damaged_results(machine):
    """Each result that cannot be read is named with what to do, and that is trouble."""
    machine.reports.result("py27-django18").write_text("{")
    code, lines = machine.asked()
    assert code == 3
    assert lines[-2].startswith("✗ py27-django18.json is not a finished result of schema 2")
    assert lines[-1] == "    move it away, then `tox -e py27-django18` measures the cell again"
