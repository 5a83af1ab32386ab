"""The file of a result: written at once, read whole or not at all, and refused when it is of an unknown form."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest
from shared import ROOT

from harness.cells import Cell
from harness.errors import DamagedResult, ForeignSchema, HarnessError
from harness.libraries.registry import discover as load_libraries
from harness.libraries.registry import setup_for
from harness.results.document import SIZE_LIMIT, decode_result, encode_result, read_result, save_result, schema
from harness.run.not_tested import not_tested
from harness.system.files import write_atomically
from harness.verdict import Reason

RECORDED = sorted((ROOT / "reports" / "results").glob("*.json"))
LIBRARIES = load_libraries()
PUBLISHED = jsonschema.Draft202012Validator(schema())


def a_result():
    cell = Cell.parse("py33-django19")
    return not_tested(cell, setup_for(cell, LIBRARIES), Reason.INTERPRETER_MISSING, "no Python 3.3 found")


def test_there_and_back(tmp_path):
    """A saved result is loaded again as it was."""
    path = tmp_path / "py33-django19.json"
    result = a_result()
    save_result(result, path)
    assert read_result(path) == result
    assert encode_result(read_result(path)) == path.read_bytes()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded(path):
    """Every recorded result is, as it is read, of the published schema, small, and has nothing of a machine in it."""
    data = encode_result(read_result(path))
    document = json.loads(data)
    PUBLISHED.validate(document)
    assert list(document)[-1] == "complete"
    assert max(len(data), path.stat().st_size) < SIZE_LIMIT / 3
    for secret in ("/root", "/home/", "/tmp/", "sessionid=", "/Users/"):
        assert secret not in data.decode(), secret


def test_some_are_recorded():
    """The recorded results are there: the tests above ran on something."""
    assert len(RECORDED) > 40


def test_schema():
    """The published schema is one of its draft, and refuses what the harness refuses: older and unknown things."""
    jsonschema.Draft202012Validator.check_schema(schema())
    document = json.loads(encode_result(a_result()))
    assert PUBLISHED.is_valid(document)
    assert not PUBLISHED.is_valid({**document, "schema": "1"})
    assert not PUBLISHED.is_valid({**document, "surprise": 1})
    del document["complete"]
    assert not PUBLISHED.is_valid(document)


@pytest.mark.parametrize("size", range(0, 900, 60))
def test_truncated(tmp_path, size):
    """A file that ends anywhere before its end is damaged, never a result."""
    path = tmp_path / "py33-django19.json"
    path.write_bytes(encode_result(a_result())[:size])
    with pytest.raises(DamagedResult, match=r"py33-django19\.json"):
        read_result(path)


def test_too_large(tmp_path):
    """A file with megabytes of output is none that this harness wrote, and is not read."""
    path = tmp_path / "py33-django19.json"
    document = json.loads(encode_result(a_result()))
    document["verdicts"]["overall"]["text"] = "x" * 10_000_000
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedResult, match="and no result has more than 256000"):
        read_result(path)


def test_too_large_to_be_saved(tmp_path):
    """A result over the limit is not written: nobody could read it again."""
    result, path = a_result(), tmp_path / "py33-django19.json"
    with pytest.raises(HarnessError, match=r"^the result of py33-django19 has \d{6} bytes; 256000 is the limit$"):
        save_result(msgspec.structs.replace(result, warnings=["x" * 300_000]), path)
    assert list(tmp_path.iterdir()) == []


def test_unfinished(tmp_path):
    """A document without its complete marker is an unfinished run."""
    path = tmp_path / "py33-django19.json"
    document = json.loads(encode_result(a_result()))
    del document["complete"]
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedResult, match="complete"):
        read_result(path)


@pytest.mark.parametrize("change", [{"schema": 2}, {"schema": None}, {"surprise": 1}, {"cell": 5}, {"steps": None}])
def test_no_result(tmp_path, change):
    """A document with anything else in it than a result has is damaged."""
    path = tmp_path / "py33-django19.json"
    path.write_text(json.dumps(json.loads(encode_result(a_result())) | change))
    with pytest.raises(DamagedResult, match=r"^py33-django19\.json is not a finished result of schema 2: ") as raised:
        read_result(path)
    assert not isinstance(raised.value, ForeignSchema)


@pytest.mark.parametrize("version", ["0", "3", 3])
def test_foreign(version):
    """A result of another version of the form is told from a damaged one: it may be a good one, for another harness."""
    data = json.dumps(json.loads(encode_result(a_result())) | {"schema": version}).encode()
    with pytest.raises(ForeignSchema) as raised:
        decode_result(data, "py33-django19")
    assert str(raised.value) == f"py33-django19.json is a result of schema {version}; this harness reads schema 2"
    assert raised.value.hint.endswith("or measure the cell again with `tox -e py33-django19`")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"5", b'"2"', b'{"schema": {}}', b'{"schema": "2"}'])
def test_nonsense(data):
    """What is no such document at all is damaged, and no fault of the harness."""
    with pytest.raises(DamagedResult) as raised:
        decode_result(data, "py33-django19")
    assert not isinstance(raised.value, ForeignSchema)


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_nested_too_deeply(version):
    """A file that nests deeper than can be read is damaged like any other."""
    data = b'{"schema": "%s", "steps": %s%s}' % (version.encode(), b"[" * 20_000, b"]" * 20_000)
    with pytest.raises(DamagedResult):
        decode_result(data, "py33-django19")


def test_of_another_cell(tmp_path):
    """A result under another cell's name is refused."""
    path = tmp_path / "py34-django19.json"
    path.write_bytes(encode_result(a_result()))
    with pytest.raises(DamagedResult, match="py33-django19"):
        read_result(path)


def test_of_any_name(tmp_path):
    """Where a file may be called as one likes it is read all the same; everything else has to be right."""
    path = tmp_path / "of last week"
    path.write_bytes(encode_result(a_result()))
    assert read_result(path, any_name=True) == a_result()
    path.write_bytes(b"{")
    with pytest.raises(DamagedResult, match=r"^of last week\.json is not a finished result"):
        read_result(path, any_name=True)


def test_no_file(tmp_path):
    """A file that is not there, or is none, cannot be read, which is said."""
    with pytest.raises(DamagedResult, match=r"^py33-django19\.json cannot be read: No such file or directory$"):
        read_result(tmp_path / "py33-django19.json")
    with pytest.raises(DamagedResult, match=r"cannot be read: Is a directory$"):
        read_result(tmp_path)


def test_earlier_content_survives(tmp_path, monkeypatch):
    """When the disk is full while writing, the earlier file is as it was, and nothing is left over."""
    path = tmp_path / "file"
    path.write_text("earlier")
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(HarnessError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def _no_space(handle):
    raise OSError(28, "No space left on device")
