"""The result document: its schema, its file, and what becomes of a damaged one."""

from __future__ import annotations

import json

import jsonschema
import pytest
import samples
from shared import ROOT

from harness.cells import Cell
from harness.errors import DamagedResult, HarnessError
from harness.libraries.registry import discover as load_libraries
from harness.libraries.registry import setup_for
from harness.results.result import Judgement, encode_result, read_result, save_result, schema
from harness.run.not_tested import not_tested
from harness.system.files import write_atomically
from harness.verdict import Reason, Verdict

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
    """Every recorded result is of the published schema, small, and has nothing of a machine in it."""
    document = json.loads(path.read_text())
    PUBLISHED.validate(document)
    assert list(document)[-1] == "complete"
    assert path.stat().st_size < 64_000
    for secret in ("/root", "/home/", "/tmp/", "sessionid=", "/Users/"):
        assert secret not in path.read_text(), secret


def test_some_are_recorded():
    """The recorded results are there: the tests above ran on something."""
    assert len(RECORDED) > 40


@pytest.mark.parametrize("name", samples.NAMES)
def test_samples(name, tmp_path):
    """What tests have in place of recorded results is of the published schema, and what its cell's name asks for."""
    PUBLISHED.validate(json.loads(encode_result(samples.of(name))))
    path = samples.write(tmp_path, name).result(name)
    assert read_result(path) == samples.of(name)
    result, subject = samples.of(name), setup_for(Cell.parse(name), LIBRARIES)
    asked = (subject.library.name, subject.server.name, subject.profile)
    assert (result.library, result.server, result.profile) == asked
    assert name in samples.CELLS[result.verdicts.overall.reason]


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
    with pytest.raises(DamagedResult, match="and no result has more than 64000"):
        read_result(path)


def test_unfinished(tmp_path):
    """A document without its complete marker is an unfinished run."""
    path = tmp_path / "py33-django19.json"
    document = json.loads(encode_result(a_result()))
    del document["complete"]
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedResult, match="complete"):
        read_result(path)


@pytest.mark.parametrize("change", [{"schema": "0"}, {"surprise": 1}, {"cell": 5}, {"steps": None}])
def test_foreign(tmp_path, change):
    """A document of another schema is refused."""
    path = tmp_path / "py33-django19.json"
    path.write_text(json.dumps(json.loads(encode_result(a_result())) | change))
    with pytest.raises(DamagedResult):
        read_result(path)


def test_of_another_cell(tmp_path):
    """A result under another cell's name is refused."""
    path = tmp_path / "py34-django19.json"
    path.write_bytes(encode_result(a_result()))
    with pytest.raises(DamagedResult, match="py33-django19"):
        read_result(path)


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


def test_every_reason_has_a_verdict():
    """Reasons are a closed set, each with its verdict, and labels say why."""
    assert {Judgement.of(reason).verdict for reason in Reason} == set(Verdict)
    assert Judgement.of(Reason.WORKS).label == "✓ Yes"
    assert Judgement.of(Reason.SERVER_DID_NOT_START).label == "✗ No (server did not start)"
    assert Judgement.of(Reason.INTERPRETER_MISSING).label == "─ Not tested (interpreter missing)"
