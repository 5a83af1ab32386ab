"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import tempfile
from types import SimpleNamespace

import psutil
import pytest

from harness.errors import HarnessError
from harness.system import files
from harness.system.files import no_room, sweep, unwritable, write_atomically


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


# What is left half written


def test_while_it_is_written(tmp_path, monkeypatch):
    """What is not whole yet has the name of a file that nobody reads, and is left alone while its writer lives."""
    seen = []

    def look(handle):
        sweep(tmp_path)
        seen.extend(path.name for path in tmp_path.iterdir())

    monkeypatch.setattr(os, "fsync", look)
    write_atomically(tmp_path / "file", b"new")
    assert len(seen) == 1
    assert seen[0].startswith(f".tmp-{os.getpid()}-")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_swept(tmp_path, monkeypatch):
    """What a process left half written that is no more is removed, and so is what bears nobody's number."""
    monkeypatch.setattr(psutil, "pid_exists", lambda pid: pid == 17)
    for name in (".tmp-17-abc", ".tmp-18-abc", ".tmp-abc", ".tmp-", "file", "a.tmp-18-abc"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tmp-17-abc", "a.tmp-18-abc", "file"]


def test_swept_by_two(tmp_path, monkeypatch):
    """What another one removes meanwhile, or what cannot be removed, stops nobody."""
    (tmp_path / ".tmp-18-abc").mkdir()
    (tmp_path / ".tmp-19-abc").touch()
    monkeypatch.setattr(psutil, "pid_exists", lambda pid: False)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".tmp-18-abc"]


def test_nothing_to_sweep(tmp_path):
    """A folder that is not there yet has nothing in it to remove."""
    sweep(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


# Room


@pytest.fixture
def disks(tmp_path, monkeypatch):
    """Two disks, that of *tmp_path* and that for temporary files: free bytes, all files there can be, and free ones."""
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    found = {work: (10_000_000, 100, 1), scratch: (10_000_000, 100, 1)}
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: SimpleNamespace(free=found[folder][0]))
    monkeypatch.setattr(
        files.os, "statvfs", lambda folder: SimpleNamespace(f_files=found[folder][1], f_favail=found[folder][2])
    )
    return found


def test_room(disks):
    """Where there is room on both disks nothing is said, and nothing is left there."""
    assert no_room(next(iter(disks)), 10_000_000) == ""
    assert [list(folder.iterdir()) for folder in disks] == [[], []]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("disk", "text"),
    [
        ((9_999_999, 100, 1), "10 MB are free"),
        ((2_400_000, 100, 1), "2 MB are free"),
        ((10_000_000, 100, 0), "no further file can be made"),
    ],
)
def test_no_room(disks, place, disk, text):
    """Where bytes or files are used up, on either disk, that is said."""
    disks[list(disks)[place]] = disk
    assert no_room(next(iter(disks)), 10_000_000) == text


def test_a_disk_that_does_not_count_its_files(disks):
    """A disk that has no limit of files has room for one more."""
    disks[next(iter(disks))] = (10_000_000, 0, 0)
    assert no_room(next(iter(disks)), 10_000_000) == ""


def test_a_quota(disks, monkeypatch):
    """Bytes that are free, and that nobody may write, are no room."""

    def refuse(dir):  # noqa: A002 - it is called so
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    assert no_room(next(iter(disks)), 10_000_000) == "Disk quota exceeded"
