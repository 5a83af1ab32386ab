"""Where results are found: in a folder, or in a commit."""

from __future__ import annotations

import subprocess

import made
import pytest
import samples

from harness.errors import ForeignSchema, UsageError
from harness.results import deep, records
from harness.results.deep import DeepSet
from harness.results.document import encode_result
from harness.results.folder import Reports
from harness.results.result import Finding

CELL = "py27-django18"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one committed result, in the place of the checkout."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Mary", "-c", "user.email=mary@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "begin"], check=True)
    samples.write(tmp_path / "reports", CELL)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "record"], check=True)
    monkeypatch.setattr(records, "ROOT", tmp_path)
    return tmp_path


def test_commit(repository):
    """The results of a commit are those that were committed, whatever lies in the folder by now."""
    (repository / "reports" / "results" / f"{CELL}.json").unlink()
    assert list(records.find("HEAD").results) == [CELL]
    assert records.find("HEAD~1").results == {}


def deep_set(*findings: Finding) -> DeepSet:
    return made.deep_set(CELL, "endings", findings, library="django-websocket-redis", server="runserver")


def test_deep_sets(repository):
    """Asked for whole, records have all answers to the deep sets, of a commit or of a folder; else none of them."""
    reports = Reports(repository / "reports")
    answers = [Finding(question=f"{number}?", expected="yes", seen="yes", good=True) for number in range(9)]
    deep.save(reports, deep_set(*answers))
    git = ["git", "-C", str(repository), "-c", "user.name=Mary", "-c", "user.email=mary@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "ask in depth"], check=True)
    for name in ("HEAD", str(reports.folder), str(reports.results)):
        assert records.find(name).results[CELL].probes == samples.of(CELL).probes
        assert records.find(name, whole=True).results[CELL].probes[-1].findings == answers
    assert records.find("HEAD~1", whole=True).results[CELL] == samples.of(CELL)


def test_damaged_deep_set(repository):
    """A deep set that cannot be read is named, by its cell."""
    folder = repository / "reports" / "deep" / CELL
    folder.mkdir(parents=True)
    (folder / "endings.json").write_text("{")
    found = records.find(str(repository / "reports"), whole=True)
    assert "no finished set of answers" in str(found.damaged[CELL])
    assert records.find(str(repository / "reports")).damaged == {}


@pytest.mark.parametrize("name", ["no-such-thing", "--upload-pack=x", ""])
def test_neither(repository, name):
    """What is neither a folder nor a commit is refused."""
    with pytest.raises(UsageError, match="neither a folder nor a commit"):
        records.find(name)


def test_folders(tmp_path):
    """A folder of reports and its folder of results are the same."""
    (tmp_path / "empty").mkdir()
    reports = samples.write(tmp_path / "reports")
    found = records.find(str(reports.results)).results
    assert found == {name: samples.of(name) for name in samples.NAMES}
    assert records.find(str(reports.folder)).results == found
    assert records.find(str(tmp_path / "empty")).results == {}


def test_damaged(tmp_path):
    """What cannot be read is named, by its cell."""
    data = encode_result(samples.of(CELL))
    (tmp_path / f"{CELL}.json").write_bytes(data[:-20])
    (tmp_path / "nonsense.json").write_bytes(data)
    (tmp_path / "py27-django19.json").write_bytes(data)
    (tmp_path / "py27-django110.json").write_bytes(b'{"schema": "0"}')
    found = records.in_folder(tmp_path)
    assert found.results == {}
    said = {name: str(error) for name, error in found.damaged.items()}
    assert "not a finished result" in said[CELL]
    assert "not the name of a cell" in said["nonsense"]
    assert "holds the result of py27-django18" in said["py27-django19"]
    assert "schema 0; this harness reads schema 2" in said["py27-django110"]
    assert isinstance(found.damaged["py27-django110"], ForeignSchema)
