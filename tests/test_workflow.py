"""The workflows for continuous integration: valid, and their commands do what they are there for, job by job."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from shared import ROOT

from harness.environments import interpreters
from harness.results.document import read_result
from harness.verdict import Reason

GITHUB = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = [ROOT / ".gitlab-ci.yml", ROOT / ".gitlab" / "cell.yml"]
#: Two cells of a Python that is often there, whose verdict is reached quickly.
CELLS = {"py311-django52": Reason.SERVER_DID_NOT_START, "py311-django50": Reason.SERVER_DID_NOT_START}
#: A step that asks the network for what this machine has, and one that speaks to GitHub.
ELSEWHERE = {"Get uv and tox", "Get the interpreter of the cell", "Comment the comparison", "Open the change"}


@pytest.mark.parametrize(
    ("schema", "options", "files"),
    [("github-workflows", [], GITHUB), ("gitlab-ci", ["--data-transform", "gitlab-ci"], GITLAB)],
    ids=["github", "gitlab"],
)
def test_schema(schema, options, files):
    """The files are what the public schema of the engine asks for."""
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def steps(workflow: str, job: str) -> list[dict[str, Any]]:
    """Return the steps of a job that run something here; those with a condition tell of what went wrong."""
    found = YAML(typ="safe").load(ROOT / ".github" / "workflows" / workflow)["jobs"][job]["steps"]
    return [step for step in found if "run" in step and "if" not in step and step["name"] not in ELSEWHERE]


def test_nothing_is_pasted_into_commands():
    """No command has text of an event pasted into it: it could be anybody's."""
    jobs = [job for path in GITHUB for job in YAML(typ="safe").load(path)["jobs"].values()]
    commands = [step["run"] for job in jobs for step in job.get("steps", []) if "run" in step]
    assert len(commands) > 5
    for command in commands:
        assert "${{" not in command.replace("${{ github.event.number }}", "")


class Job:
    """A job of the engine: a clone of its own, and the commands of the workflow in it."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.clone = folder / "clone"
        subprocess.run(["git", "clone", "-q", ROOT, self.clone], check=True)
        changed = ["git", "-C", ROOT, "ls-files", "--modified", "--others", "--exclude-standard"]
        for name in subprocess.check_output(changed, text=True).splitlines():
            target = self.clone / name
            if (ROOT / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
            else:
                target.unlink(missing_ok=True)
        foreign = ("TOX_", "_TOX", "HARNESS_", "VIRTUAL_ENV", "COVERAGE_", "PYTEST_")
        self.output, self.summary = folder / "output", folder / "summary"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | env
        self.env |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            # A label of these cells alone; tox reads it as if it stood in tox.ini.
            "TOX_OVERRIDE": f"tox.labels=chain={','.join(CELLS)}",
        }

    def keep_recorded(self, pattern: str) -> list[Path]:
        """Leave nothing recorded but the cells that match *pattern*, and return them: to render all takes a minute."""
        results = self.clone / "reports" / "results"
        for path in set(results.iterdir()) - set(results.glob(pattern)):
            path.unlink()
        return list(results.iterdir())

    def run(self, workflow: str, job: str) -> dict[str, int]:
        """Run the job as the engine does, with ``bash -e``; return the exit code of each step by its name."""
        codes = {}
        for step in steps(workflow, job):
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
                cwd=self.clone,
                env=self.env | {name: value for name, value in step.get("env", {}).items() if "${{" not in value},
                capture_output=True,
                text=True,
                timeout=300,
            )
            codes[step["name"]] = done.returncode
            if done.returncode and not step.get("continue-on-error"):
                pytest.fail(f"{step['name']}: {done.stdout}{done.stderr}")
        return codes


def test_actions_have_full_versions():
    """Every action that is not of this repository is named with all three numbers of its version."""
    jobs = [job for path in GITHUB for job in YAML(typ="safe").load(path)["jobs"].values()]
    used = {step["uses"] for job in jobs for step in job.get("steps", []) if "uses" in step}
    assert len(used) > 5
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", each), each


def test_images():
    """A Python that no installer brings has an image in its job, and one that is nowhere has none of both."""
    listed = {
        form: subprocess.run(
            [sys.executable, "-m", "harness", "ci-matrix", "--format", form, "-m", "seeds", "-m", "load"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        for form in ("github", "gitlab")
    }
    jobs = {job["cell"]: job for job in json.loads(listed["github"].stdout)["include"]}
    assert jobs["py27-django18"]["image"] == "python:2.7-buster"
    assert jobs["py311-django22"]["image"] == ""
    assert not {name for name in jobs if name.startswith(("py33", "py34"))}
    assert "No job, for their Pythons are to be had nowhere: py33-django18" in listed["github"].stderr
    pipeline = json.loads(listed["gitlab"].stdout)
    assert pipeline["py36-django22"]["image"] == "python:3.6-bullseye"
    assert "image" not in pipeline["py311-django22"]


@pytest.mark.tox
@pytest.mark.cell
def test_chain(tmp_path):
    """List, measure each cell in a clone of its own, merge, render, compare, build the site: all that CI does."""
    if interpreters.find("3.11") is None:
        pytest.skip("no Python 3.11")
    before = datetime.now(UTC).isoformat(timespec="seconds")
    listing = Job(tmp_path / "list", LABEL="chain")
    listing.run("matrix.yml", "list")
    outputs = dict(line.split("=", 1) for line in listing.output.read_text().splitlines())
    jobs = [job for part in ("first", "second") for job in json.loads(outputs[part])["include"]]
    assert {job["cell"] for job in jobs} == set(CELLS)

    publishing = Job(tmp_path / "publish", LABEL="chain")
    recorded = publishing.keep_recorded("py311-*")
    assert len(recorded) > len(CELLS)
    for job in jobs:
        measuring = Job(tmp_path / job["cell"], CELL=job["cell"], PYTHON=job["python"], HARNESS_REPORTS="fresh")
        measuring.run("cell.yml", "measure")
        shutil.copytree(measuring.clone / "fresh", publishing.clone / "machines" / f"result-{job['cell']}")
    codes = publishing.run("matrix.yml", "publish")
    merged = publishing.clone / "merged"
    assert codes["Merge the results"] == 0
    assert codes["Compare with what is recorded"] == 0
    for cell, reason in CELLS.items():
        assert read_result(merged / "results" / f"{cell}.json").verdicts.overall.reason is reason
        assert (merged / "html" / "cells" / f"{cell}.html").exists()
    assert (merged / "index.rst").exists()
    assert (merged / "html" / "badges" / "django-websocket-redis.svg").exists()
    compared = (publishing.clone / "comparison.md").read_text()
    assert f"{len(recorded)} cells: " in compared  # what was not asked for stands as recorded
    assert " worse" not in compared
    assert f"{len(recorded)} cells: " in publishing.summary.read_text()
    for name in CELLS:
        assert read_result(merged / "results" / f"{name}.json").varying.started > before, name
        assert name in (merged / "junit.xml").read_text()
