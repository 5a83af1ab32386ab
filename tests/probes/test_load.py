"""Fakes under load, through the real command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import psutil
import pytest
from shared import FAKES, ROOT, fake_cell, run_fake

from harness.results import loads as model
from harness.results.folder import Reports

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]


def runs(reports, fake):
    return model.read(Reports(reports).loads(fake_cell(fake)))


def test_ladder(tmp_path):
    """A crowd is counted, the rate is raised until it is too much, and all of it is kept."""
    ran = run_fake("delays", tmp_path, "--probe", "load", "--sockets", "100", "--runs", "1")
    assert ran.exit_code == 0, ran.output
    (run,) = runs(tmp_path, "delays")
    assert [(step.sockets, step.stood, step.whole, step.limit) for step in run.steps] == [(100, 100, True, "")]
    (again,) = run.again
    assert (again.hold, again.stood, again.whole) == (20.0, 100, True)
    assert run.visitors == ["admin", "John", "Mary", "anonymous"]
    assert run.steps[0].server.memory_mb > 10
    assert run.steps[0].broker is not None
    # It takes a tenth of a second for each message, so ten of them a second are too many.
    assert run.rate.rates[0].rate == 5
    assert run.rate.rates[-1].rate <= 20
    assert not run.rate.rates[-1].good
    found = {finding.question: finding for finding in ran.result.probes[0].findings}
    assert found["A broadcast to 100 sockets"].good is True
    counted = re.fullmatch(
        r"500 of 500 deliveries, p99 (\d+) ms", ran.result.varying.counted["A broadcast to 100 sockets"]
    )
    assert counted
    # The server holds each back for a tenth of a second; a busy machine does so for longer.
    assert int(counted[1]) >= 100


def test_no_nginx(tmp_path):
    """Without NGINX what stands behind it is not tested, and it says what to install."""
    ran = run_fake("is-proxied", tmp_path, "--probe", "load", HARNESS_NGINX="no-such-nginx")
    assert ran.exit_code == 0, ran.output
    (finding,) = ran.result.probes[0].findings
    assert finding.good is None
    assert finding.seen.startswith("not tested: there is no nginx; install Debian's package nginx-light")
    assert not runs(tmp_path, "is-proxied")


def test_interrupted(tmp_path):
    """Who interrupts a crowd ends it, and what it had by then is kept."""
    env = {**os.environ, "HARNESS_REPORTS": str(tmp_path), "HARNESS_LIBRARIES": str(FAKES)}
    command = [sys.executable, "-m", "harness", "run", fake_cell("delays"), "--python", sys.executable]
    command += ["--probe", "load", "--sockets", "1000", "--runs", "0"]
    process = psutil.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not crowded(process) and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    (run,) = runs(tmp_path, "delays")
    assert run.ended == "interrupted"
    assert run.steps[-1].ended == "interrupted"
    assert not list(tmp_path.glob("results/*"))


def crowded(process):
    """Tell whether the load client that *process* has started has more sockets than any step but the last opens.

    Then hundreds of handshakes are still to come, however slow this is.
    """
    try:
        return any("harness.load.client" in child.cmdline() and child.num_fds() > 600 for child in process.children())
    except psutil.Error:
        return False
