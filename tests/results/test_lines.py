"""Files with a document in each line."""

from __future__ import annotations

import msgspec
import pytest

from harness.errors import DamagedResult, HarnessError
from harness.results.lines import once, read_lines, write_lines


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    date: str
    text: str


ONE, TWO = Line("2026-01-01", "Grüße"), Line("2026-01-02", "two\nlines")


def test_there_and_back(tmp_path):
    """Each document is a line, and all are read again in their order."""
    path = tmp_path / "history" / "x.jsonl"
    write_lines(path, [ONE, TWO])
    assert len(path.read_bytes().splitlines()) == 2
    assert read_lines(path, Line, "history") == [ONE, TWO]


def test_none(tmp_path):
    """Without a file there are no documents, and a file without any is read as well."""
    path = tmp_path / "x.jsonl"
    assert read_lines(path, Line, "history") == []
    write_lines(path, [])
    assert read_lines(path, Line, "history") == []


@pytest.mark.parametrize(
    "data",
    [b"{", b'{"date": "2026-01-01"}\n', b'{"date": "a", "text": "b", "more": 1}\n', b'{"date": "a", "text": "\xff"}\n'],
    ids=["broken", "lacks something", "has more", "no UTF-8"],
)
def test_damaged(tmp_path, data):
    """A line that is no document damages the file, which is named with its folder, and with what to do."""
    path = tmp_path / "x.jsonl"
    write_lines(path, [ONE])
    path.write_bytes(path.read_bytes() + data)
    with pytest.raises(DamagedResult, match=r"^history/x\.jsonl is damaged: ") as raised:
        read_lines(path, Line, "history")
    assert raised.value.hint == "move it away; a new one begins then"


def test_unreadable(tmp_path):
    """What is there and cannot be read is no damage, and not to be overwritten."""
    path = tmp_path / "x.jsonl"
    path.mkdir()
    with pytest.raises(HarnessError, match=r"^load/x\.jsonl cannot be read: Is a directory$") as raised:
        read_lines(path, Line, "load")
    assert not isinstance(raised.value, DamagedResult)


def test_once():
    """Documents are sorted by their time, and those that are the same are one."""
    other = Line("2026-01-01", "another")
    assert once([TWO, ONE, other, ONE, TWO], lambda line: line.date) == [ONE, other, TWO]
