"""The reports folder: where each thing lies in it."""

from __future__ import annotations

from pathlib import Path

from harness import ROOT
from harness.results.folder import Reports

HERE = Path("/reports")


def test_places():
    """Each thing of a cell has its place, and none of them is another's."""
    reports, cell = Reports(HERE), "py311-django52"
    places = {
        reports.result(cell): "results/py311-django52.json",
        reports.history(cell): "history/py311-django52.jsonl",
        reports.loads(cell): "load/py311-django52.jsonl",
        reports.evidence(cell): "evidence/py311-django52",
        reports.unexpected(cell): "evidence/py311-django52/result.json",
        reports.unfinished(cell, "work"): "evidence/.py311-django52.work",
        reports.unfinished(cell, "partial"): "evidence/.py311-django52.partial",
        reports.cell_lock(cell): "evidence/.py311-django52.lock",
        reports.load_lock: "evidence/.load.lock",
        reports.results: "results",
        reports.site: "html",
    }
    assert {str(path.relative_to(HERE)) for path in places} == set(places.values())
    assert all(str(path.relative_to(HERE)) == place for path, place in places.items())


def test_evidence_of_what_is_recorded(tmp_path):
    """Evidence is that of the recorded result, unless a later run that is not recorded has left its own."""
    reports = Reports(tmp_path)
    assert reports.recorded_evidence("x") is None
    reports.evidence("x").mkdir(parents=True)
    assert reports.recorded_evidence("x") == reports.evidence("x")
    reports.unexpected("x").write_bytes(b"")
    assert reports.recorded_evidence("x") is None


def test_what_is_hidden():
    """What is not evidence yet, and what is held, is no cell's folder to whoever looks for those."""
    reports = Reports(HERE)
    hidden = (reports.unfinished("x", "work"), reports.cell_lock("x"), reports.load_lock)
    assert all(path.parent == reports.evidence("x").parent and path.name.startswith(".") for path in hidden)


def test_its_name():
    """A folder is called by its last name, which shows no more of the machine."""
    assert Reports(Path("/home/mary/other reports")).name == "other reports"


def test_of_the_checkout():
    """The recorded reports lie in the checkout."""
    assert Reports.of_checkout() == Reports(ROOT / "reports")


def test_rendered(tmp_path):
    """The rendered reports are told by their paths: those of the folder, and those of each library's."""
    for path in (
        *("index.rst", "channels4.rst", "channels4/py311-django52.rst", "results/no.rst", "evidence/no.rst"),
        *("evidence/x/no.rst", "channels4/picture.svg", "a/b/no.rst"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert sorted(Reports(tmp_path).reports()) == ["channels4.rst", "channels4/py311-django52.rst", "index.rst"]


def test_nothing_rendered(tmp_path):
    """A folder that is empty, or not there, has no reports."""
    assert Reports(tmp_path / "nowhere").reports() == []
