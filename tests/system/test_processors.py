"""How many processors there are for a run."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process be bound to processors")
def test_bound_to_one():
    """A process that may use one processor of several has one, and says so of the machine that it ran on."""
    code = (
        "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\n"
        "from harness.system.processors import processors\n"
        "from harness.system.origin import machine\n"
        "print(processors(), machine())"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    number, _, machine = said.partition(" ")
    assert number == "1"
    assert " 1 processors, " in machine
