"""``export`` and ``ci-matrix``: the results and the matrix for other programs."""

from __future__ import annotations

import json

import pytest
import samples
from click.testing import CliRunner

from harness.cells import Cell
from harness.commands import ci_matrix as matrix
from harness.commands.ci_matrix import ci_matrix
from harness.commands.export import export
from harness.errors import HarnessError, UsageError
from harness.report.export import schema
from harness.results.folder import Reports

CELLS = ("py27-django18", "py311-django52-channels4-uvicorn", "py311-django52-channels4-pins")


@pytest.fixture
def reports(tmp_path) -> Reports:
    return samples.write(tmp_path / "reports", "py27-django18", "py33-django18")


def run(command, *arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(command, [str(each) for each in arguments], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, done.stdout, done.stderr


# The results


@pytest.mark.parametrize(
    ("form", "beginning"),
    [("csv", "cell,"), ("json", "["), ("junit", "<testsuites"), ("markdown", "#"), ("schema", "{")],
)
def test_forms(reports, tmp_path, form, beginning):
    """Each form is one document, the same on the output as in a file."""
    code, out, _ = run(export, "--format", form, "--reports", reports.folder)
    assert (code, out.startswith(beginning)) == (0, True)
    path = tmp_path / "out" / "document"
    assert run(export, "--format", form, "--reports", reports.folder, "-o", path) == (0, "", "")
    assert path.read_text(encoding="utf-8") == out


def test_its_schema(reports):
    """The schema that is written is the one of the rows."""
    assert json.loads(run(export, "--format", "schema", "--reports", reports.folder)[1]) == schema()


def test_json_is_usual(reports):
    """Without a form it is JSON, with a row for each cell."""
    document = json.loads(run(export, "--reports", reports.folder)[1])
    assert document == json.loads(run(export, "--format", "json", "--reports", reports.folder)[1])
    assert "py33-django18" in json.dumps(document)


def test_badges(reports, tmp_path):
    """Badges are a folder with a picture and an endpoint for each library."""
    folder = tmp_path / "badges"
    assert run(export, "--format", "badges", "--reports", reports.folder, "-o", folder)[0] == 0
    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if name.startswith("django-websocket-redis")] == [
        "django-websocket-redis.json",
        "django-websocket-redis.svg",
    ]


def test_badges_need_a_folder(reports):
    """Badges are many files, and are written nowhere but where somebody says."""
    with pytest.raises(UsageError, match=r"^badges are many files$") as raised:
        run(export, "--format", "badges", "--reports", reports.folder)
    assert raised.value.hint == "name a folder for them with --output"


@pytest.mark.parametrize("form", ["badges", "json"])
def test_a_place_that_is_none(reports, tmp_path, form):
    """Nothing, and a folder for a file or a file for a folder, are refused: no file lands where nobody wants it."""
    (tmp_path / "file").touch()
    other = tmp_path / "file" if form == "badges" else tmp_path
    for place in ("", str(other)):
        with pytest.raises(UsageError, match=r"^--output names nothing$|is a (file|folder)$"):
            run(export, "--format", form, "--reports", reports.folder, "-o", place)


def test_damaged(reports):
    """What cannot be read is named and left out, and the exit code says so."""
    reports.result("py33-django18").write_text("{")
    code, out, said = run(export, "--format", "csv", "--reports", reports.folder)
    assert code == 3
    assert "py27-django18" in out
    assert "py33-django18" not in out
    assert said.startswith("error: left out: py33-django18.json is not a finished result")


def test_nothing_to_export(tmp_path):
    """A folder without results is named."""
    with pytest.raises(HarnessError, match=r"^there are no results in nowhere$"):
        run(export, "--reports", tmp_path / "nowhere")


@pytest.mark.parametrize("folder", ["reports", "reports/results"])
def test_against_what_is_recorded(reports, tmp_path, folder):
    """Held against a folder of reports or of results, what is recorded there is not called new."""
    code, out, _ = run(
        export, "--format", "junit", "--reports", reports.folder, "--against", reports.folder.parent / folder
    )
    assert code == 0
    assert "nothing was recorded before" not in out


def test_against_nothing(reports, tmp_path):
    """A folder without results is the wrong one: all would be new, and pass; so would what cannot be read."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match=r"^there are no results in empty$"):
        run(export, "--format", "junit", "--reports", reports.folder, "--against", tmp_path / "empty")
    recorded = samples.write(tmp_path / "recorded", "py27-django18")
    recorded.result("py27-django18").write_text("{")
    with pytest.raises(HarnessError, match=r"^py27-django18\.json is not a finished result"):
        run(export, "--format", "junit", "--reports", reports.folder, "--against", recorded.folder)


# The matrix


@pytest.fixture
def asked(monkeypatch):
    """Three cells; returns the labels that were asked for."""
    labels = []

    def cells(chosen=()):
        labels.append(tuple(chosen))
        return [Cell.parse(name) for name in CELLS]

    monkeypatch.setattr(matrix.listing, "cells", cells)
    return labels


def test_all_there_is_to_know(asked):
    """As JSON each cell is told with its Python, its Django and what runs on them."""
    code, out, _ = run(ci_matrix, "-m", "quick")
    assert (code, asked) == (0, [("quick",)])
    found = json.loads(out)
    assert [job["cell"] for job in found] == [*CELLS]
    assert found[1] == {
        "cell": "py311-django52-channels4-uvicorn",
        "python": "3.11",
        "django": "5.2",
        "library": "channels4",
        "server": "uvicorn",
        "profile": "today",
        "image": "",
    }
    assert found[2]["profile"] == "pins"


def test_github(asked):
    """For GitHub it is a matrix on one line."""
    out = run(ci_matrix, "--format", "github")[1]
    assert out.count("\n") == 1
    assert json.loads(out)["include"][0] == {
        "cell": "py27-django18",
        "python": "2.7",
        "image": "python:2.7-buster",
    }


def test_gitlab(asked):
    """For GitLab it is a pipeline with a job for each cell."""
    pipeline = json.loads(run(ci_matrix, "--format", "gitlab")[1])
    assert list(pipeline) == ["include", *CELLS]


def test_parts(asked):
    """The parts are all of the cells together, and each of them in one."""
    parts = [[job["cell"] for job in json.loads(run(ci_matrix, "--part", f"{number}/2")[1])] for number in (1, 2)]
    assert sorted(parts[0] + parts[1]) == sorted(CELLS)
    assert [len(part) for part in parts] == [2, 1]


@pytest.mark.parametrize("part", ["1", "1/", "/2", "a/b", "1/2/3", "-1/2", ""])
def test_no_part(asked, part):
    """What is no part is refused, with how to write one."""
    with pytest.raises(UsageError, match=r"is no part$") as raised:
        run(ci_matrix, f"--part={part}")
    assert raised.value.hint == "write --part 1/2"


@pytest.mark.parametrize("part", ["0/2", "3/2", "1/0"])
def test_a_part_that_there_is_not(asked, part):
    """A part that there is not is refused."""
    with pytest.raises(UsageError, match=r"^there is no part "):
        run(ci_matrix, "--part", part)
