"""What eats the processors beside the control goes when the benchmark goes."""

from __future__ import annotations

import subprocess
import sys

import psutil
from shared import ROOT

from harness.system.waiting import wait_until

#: Says which processes eat, and waits to be ended.
_HOLDS = """
import sys
import psutil
from benchmarks import control
with control._eating():
    print(*(each.pid for each in psutil.Process().children()), flush=True)
    sys.stdin.read()
"""


def test_eaters_go_with_the_benchmark():
    """Processes that eat the processors end where the benchmark is killed and cannot end them."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as benchmark:
        eaters = [psutil.Process(int(pid)) for pid in benchmark.stdout.readline().split()]
        assert len(eaters) == 2
        benchmark.kill()
    assert wait_until(lambda: not any(eater.is_running() for eater in eaters), 10)
