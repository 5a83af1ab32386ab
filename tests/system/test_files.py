"""Files that are written at once or not at all."""

from __future__ import annotations

import os

import pytest

from harness.errors import HarnessError
from harness.system import files
from harness.system.files import unwritable, write_atomically


def test_written(tmp_path):
    """A file is written whole, for everybody to read, with its folder where that is not there yet."""
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
    assert list(path.parent.iterdir()) == [path]


def test_replaced(tmp_path):
    """What was there is replaced by another file, so that whoever reads the old one reads it to its end."""
    path = tmp_path / "file"
    path.write_bytes(b"old and long")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old and long"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(("derived", "waits"), [(False, 1), (True, 0)])
def test_until_the_disk_has_it(tmp_path, monkeypatch, derived, waits):
    """What cannot be made again is waited for until the disk has it."""
    waited = []
    monkeypatch.setattr(files.os, "fsync", waited.append)
    write_atomically(tmp_path / "file", b"new", derived=derived)
    assert len(waited) == waits


@pytest.mark.parametrize("call", ["fchmod", "replace"])
def test_nothing_is_left(tmp_path, monkeypatch, call):
    """Whatever goes wrong on the way, what was there stays, and nothing lies beside it."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files.Path, "chmod" if call == "fchmod" else "replace", refuse)
    with pytest.raises(HarnessError, match=r"^file cannot be written: Read-only file system$") as raised:
        write_atomically(path, b"new")
    assert raised.value.hint == "make room on the disk, or make the folder writable"
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_no_folder(tmp_path):
    """Where the folder cannot be made that is why."""
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match=r"^inside cannot be written: "):
        write_atomically(tmp_path / "file" / "inside", b"new")


def test_interrupted(tmp_path, monkeypatch):
    """Who is interrupted while it is written leaves nothing lying about."""

    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "text"), [(OSError(28, "No space left on device"), "No space left on device"), (OSError("odd"), "odd")]
)
def test_why(error, text):
    """What cannot be written says why, by the system's words where there are any."""
    assert str(unwritable("reports", error)) == f"reports cannot be written: {text}"
