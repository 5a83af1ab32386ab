"""What a variant needs beside the library: installed apart, once; its service runs while the cell does."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest
from cellservers import recorder_in
from uv import find_uv_bin
from wheels import wheel

from harness.cell import beside
from harness.cell.beside import BesideLibrary
from harness.errors import CellFailure
from harness.libraries.base import Beside
from harness.verdict import Reason

LAYER = Beside("layer")
STORED = Beside("layer", "CHAT_DATABASE_AT", "postgresql")
TALKS = Beside("layer", "CHAT_SERVER_AT", "nats", ("helper",))


class Place:
    """A cell's environment in which ``helper`` 2.0 is installed, wheels, and a Django that can only migrate."""

    def __init__(self, folder, monkeypatch):
        self.wheels, self.project = folder / "wheels", folder
        self.wheels.mkdir()
        monkeypatch.setenv("UV_FIND_LINKS", str(self.wheels))
        monkeypatch.setenv("UV_CACHE_DIR", str(folder / "cache"))
        monkeypatch.setenv("UV_OFFLINE", "1")
        prefix = folder / "env"
        subprocess.run([find_uv_bin(), "venv", "-q", "-p", sys.executable, prefix], check=True)
        self.python = prefix / "bin" / "python"
        helper = wheel(self.wheels, "helper", "2.0")
        subprocess.run([find_uv_bin(), "pip", "install", "-q", "--python", self.python, helper], check=True)
        wheel(self.wheels, "layer", "1.0", "helper")
        (folder / "manage.py").write_text("import os, sys; print(sys.argv[1:], os.environ['CHAT_DATABASE_AT'])\n")
        self.recorder = recorder_in(folder)
        self.layer = prefix / "beside" / "layer"

    def beside(self) -> BesideLibrary:
        return BesideLibrary(self.python, self.project, {"helper": "2.0"}, self.recorder)

    def said(self) -> list[tuple[str, str, str]]:
        return [(step.name, step.text, step.cause) for step in self.recorder.steps]


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_apart(place):
    """It comes into a folder of its own, without what is there already; the cell's environment stays as it is."""
    with place.beside() as there:
        assert there.variables(LAYER, {}) == {"PYTHONPATH": str(place.layer)}
        assert there.variables(LAYER, {}) == {"PYTHONPATH": str(place.layer)}
    assert sorted(each.name for each in place.layer.glob("*.py")) == ["layer.py"]
    site = place.python.parent.parent / "lib"
    assert not list(site.rglob("layer.py"))
    assert place.said() == [("layer", "layer==1.0", "")]


def test_once(place):
    """What an earlier run installed is found again, also without an index; what it broke off is not."""
    with place.beside() as there:
        there.variables(LAYER, {})
    (place.wheels / "layer-1.0-py3-none-any.whl").unlink()
    with place.beside() as there:
        there.variables(LAYER, {})
    assert place.said()[1] == ("layer", "layer==1.0", "")
    (place.layer / ".versions").unlink()
    with place.beside() as there, pytest.raises(CellFailure):
        there.variables(LAYER, {})


def test_with_something_else(place):
    """With other packages in the cell it is installed anew, for what fits them may be another release."""
    with place.beside() as there:
        there.variables(LAYER, {})
    wheel(place.wheels, "layer", "2.0", "helper")
    helper = wheel(place.wheels, "helper", "3.0")
    subprocess.run([find_uv_bin(), "pip", "install", "-q", "--python", place.python, helper], check=True)
    with place.beside() as there:
        there.packages["helper"] = "3.0"
        there.variables(LAYER, {})
    assert [text for _, text, _ in place.said()] == ["layer==1.0", "layer==2.0"]


def test_it_does_not_fit(place):
    """What does not fit the cell's own versions is not installed, and fails each time it is asked for, tried once."""
    wheel(place.wheels, "layer", "1.0", "helper>=3")
    with place.beside() as there:
        for _ in range(2):
            with pytest.raises(CellFailure, match="No solution found") as failed:
                there.variables(LAYER, {})
    assert failed.value.reason is Reason.INSTALLATION_FAILED
    assert not place.layer.exists()
    assert len(place.recorder.steps) == 1


def test_no_service_for_this_machine(place, monkeypatch):
    """Where the service cannot be installed the layer was not tested."""
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    with place.beside() as there, pytest.raises(CellFailure) as failed:
        there.variables(Beside("layer", "CHAT_SERVER_AT", "nats", ("no-such-server",)), {})
    assert failed.value.reason is Reason.ENVIRONMENT_FAILED


def test_no_network(place, monkeypatch):
    """Without an index that is no fault of the package."""
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("UV_FIND_LINKS")
    with place.beside() as there, pytest.raises(CellFailure) as failed:
        there.variables(LAYER, {})
    assert failed.value.reason is Reason.NO_NETWORK


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """What happens to the two services, none of which is started."""
    happened: list[str] = []

    @contextmanager
    def database(env, log):
        happened.append("postgresql starts")
        yield 5432, "PostgreSQL 15.1"
        happened.append("postgresql ends")

    @contextmanager
    def server(programs, env, log):
        happened.append(f"{programs.parent.name}/{programs.name} starts")
        yield "nats://127.0.0.1:4222"
        happened.append("nats ends")

    monkeypatch.setattr(beside.postgresql, "running", database)
    monkeypatch.setattr(beside.nats, "running", server)
    return happened


def test_with_a_database(place, runs):
    """Its tables are made before a server is told where the database is, which runs until the cell ends."""
    with place.beside() as there:
        found = there.variables(STORED, {})
        assert found == {"PYTHONPATH": str(place.layer), "CHAT_DATABASE_AT": "127.0.0.1:5432"}
        assert there.variables(STORED, {}) == found
        assert runs == ["postgresql starts"]
    assert runs[1:] == ["postgresql ends"]
    assert place.said() == [("layer", "layer==1.0, PostgreSQL 15.1", "")]
    printed = (place.recorder.work / "beside.log").read_text()
    assert printed == "['migrate', '--noinput', '--database=layer', 'layer'] 127.0.0.1:5432\n"


def test_tables_that_cannot_be_made(place, runs):
    """Where its tables cannot be made it fails there."""
    (place.project / "manage.py").write_text("raise SystemExit('CommandError: no such app')\n")
    with place.beside() as there, pytest.raises(CellFailure, match="migrate failed: CommandError") as failed:
        there.variables(STORED, {})
    assert failed.value.reason is Reason.MIGRATION_FAILED
    assert runs == ["postgresql starts", "postgresql ends"]


def test_with_a_server(place, runs):
    """A service whose program is a package is started from where that was installed."""
    with place.beside() as there:
        assert there.variables(TALKS, {})["CHAT_SERVER_AT"] == "nats://127.0.0.1:4222"
    assert runs == ["layer/bin starts", "nats ends"]


def test_no_service(place, monkeypatch):
    """Where the service is not on this machine nothing is said against the layer: it was not tested."""

    def missing(env, log):
        raise beside.postgresql.NoPostgreSQL("there is no PostgreSQL")

    monkeypatch.setattr(beside.postgresql, "running", missing)
    with place.beside() as there, pytest.raises(CellFailure, match="there is no PostgreSQL") as failed:
        there.variables(STORED, {})
    assert failed.value.reason is Reason.ENVIRONMENT_FAILED
    assert place.said() == [("layer", "", "there is no PostgreSQL")]
