"""A PostgreSQL of our own: on loopback, kept nowhere, gone afterwards; where there is none, what to do is said."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import needs
import pytest

from harness.system import postgresql
from harness.system.postgresql import NoPostgreSQL

#: A request for a connection without a secret (SSLRequest), which PostgreSQL answers with one letter.
ASKS = bytes([0, 0, 0, 8, 4, 210, 22, 47])


@pytest.mark.cell
@pytest.mark.usefixtures("no_survivors")
@needs.postgresql
def test_it_runs_for_as_long_as_it_is_needed(tmp_path, monkeypatch):
    """It answers as PostgreSQL does, on its port alone; afterwards neither it nor its folder is there."""
    monkeypatch.setattr(postgresql.tempfile, "tempdir", None)
    kept: list[Path] = []
    made = postgresql.tempfile.TemporaryDirectory

    def noted(**options):
        folder = made(**options)
        kept.append(Path(folder.name))
        return folder

    monkeypatch.setattr(postgresql.tempfile, "TemporaryDirectory", noted)
    with postgresql.running(dict(os.environ), tmp_path / "postgresql.log") as (port, version):
        assert version.startswith("PostgreSQL ")
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(ASKS)
            assert line.recv(1) in (b"N", b"S")
        assert kept[0].is_dir()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not kept[0].exists()


def programs(folder: Path, **scripts: str) -> Path:
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_newest_of_debian(tmp_path, monkeypatch):
    """Of several releases the newest is taken, by its number; a folder that is named comes first."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv(postgresql.PROGRAMS, raising=False)
    monkeypatch.setattr(postgresql, "_DEBIAN", tmp_path)
    for release in ("9.6", "15", "8.4"):
        folder = tmp_path / release / "bin"
        folder.mkdir(parents=True)
        programs(folder, initdb="", postgres="")
    assert postgresql.find() == tmp_path / "15" / "bin"
    monkeypatch.setenv(postgresql.PROGRAMS, str(tmp_path / "9.6" / "bin"))
    assert postgresql.find() == tmp_path / "9.6" / "bin"


def test_there_is_none(tmp_path, monkeypatch):
    """Where there is none, what to install is said; where one is named that is none, no other is taken for it."""
    monkeypatch.setenv(postgresql.PROGRAMS, str(tmp_path))
    with pytest.raises(NoPostgreSQL, match=r"^there is no PostgreSQL; install Debian's package postgresql, or name"):
        postgresql.find()


@pytest.mark.parametrize(
    ("scripts", "said"),
    [
        ({"initdb": "echo no room; exit 1", "postgres": ""}, "^initdb failed: no room$"),
        ({"initdb": "", "postgres": "echo FATAL: no memory; exit 1"}, "^PostgreSQL does not start: FATAL: no memory$"),
        ({"initdb": "", "postgres": ""}, "^PostgreSQL does not start: it says nothing$"),
    ],
)
def test_it_does_not_start(tmp_path, monkeypatch, scripts, said):
    """One that does not start says why in its last line."""
    monkeypatch.setenv(postgresql.PROGRAMS, str(programs(tmp_path, **scripts)))
    monkeypatch.setattr(postgresql, "_as_somebody_else", lambda folder: [])
    with (
        pytest.raises(NoPostgreSQL, match=said),
        postgresql.running(dict(os.environ), tmp_path / "postgresql.log"),
    ):
        pytest.fail("it does not run")


def test_never_as_root(tmp_path, monkeypatch):
    """Root becomes somebody else for it, who is given the folder; where that cannot be it is said."""
    given: list[Path] = []
    monkeypatch.setattr(postgresql.os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgresql.os, "chown", lambda folder, *_: given.append(folder))
    monkeypatch.setattr(postgresql.shutil, "which", lambda name: f"/bin/{name}")
    command = postgresql._as_somebody_else(tmp_path)
    assert (command[0], "--clear-groups" in command, given) == ("/bin/setpriv", True, [tmp_path])
    monkeypatch.setattr(postgresql.shutil, "which", lambda name: None)
    with pytest.raises(NoPostgreSQL, match="does not run as root"):
        postgresql._as_somebody_else(tmp_path)
    monkeypatch.setattr(postgresql.os, "geteuid", lambda: 1000)
    assert postgresql._as_somebody_else(tmp_path) == []
