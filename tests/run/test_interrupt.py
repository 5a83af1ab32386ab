"""Ctrl-C, a terminating signal, and the harness killed outright, at any step of a cell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import many
import psutil
import pytest
from shared import FAKES, ROOT, fake_cell, ran_once, run_fake

pytestmark = pytest.mark.cell

STEPS = ["identify", "migrate", "runserver", "exchanges", "second round"]


def run_until(step: str, reports, number: signal.Signals) -> tuple[int, str]:
    """Start a run, send it a signal once *step* has been shown, and wait for its end."""
    env = {**os.environ, "HARNESS_REPORTS": str(reports), "HARNESS_LIBRARIES": str(FAKES)}
    command = [sys.executable, "-u", "-m", "harness", "run", fake_cell("delays"), "--python", sys.executable]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if f" {step} " in line:
            process.send_signal(number)
            break
    output = process.stdout.read()
    return process.wait(timeout=60), output


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(step, number, tmp_path, no_survivors):
    """An interrupted run says so, records nothing, and leaves nothing running."""
    code, output = run_until(step, tmp_path, number)
    assert code == 128 + number, output
    assert "interrupted; nothing was recorded" in output
    assert "Traceback" not in output
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize(
    ("loaded", "arguments"),
    [("click", ["harness", "list"]), ("click", ["harness.dtws", "new"]), ("jinja2", ["harness.dtws", "new"])],
)
def test_interrupted_while_it_loads(tmp_path, loaded, arguments):
    """Ctrl-C before anything has begun is answered in one line."""
    (tmp_path / f"{loaded}.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted; nothing had begun\n")


@pytest.mark.parametrize("step", STEPS)
def test_killed(step, tmp_path, once, no_survivors):
    """After a kill the earlier result stands, and the next run ends what was left and works."""
    shutil.copytree(ran_once(once, "delays").reports, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "results" / f"{fake_cell('delays')}.json"
    before = path.read_bytes()
    code, _ = run_until(step, tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert path.read_bytes() == before
    again = run_fake("delays", tmp_path)
    assert again.exit_code == 0, again.output
    assert sorted(each.name for each in (tmp_path / "evidence").iterdir() if not each.name.endswith(".lock")) == [
        fake_cell("delays")
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("what", [["site"], ["report", "--check"]], ids=" ".join)
def test_rendering_interrupted(what, number, tmp_path, no_survivors):
    """Rendering that is interrupted while several processes are at work ends at once, and leaves nothing behind."""
    many.write(tmp_path, 200)
    command = [sys.executable, "-m", "harness", *what, "--reports", str(tmp_path)]
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    while not process.children() and process.poll() is None:
        pass
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 128 + number, output
    assert "Traceback" not in output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["deep", "results"]
