"""The command line of the harness as a figure runs it: timed, and with its memory looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT

#: The harness itself, which tells at its end the most memory that it has had, without that of who started it.
_ALONE = """
import atexit, pathlib, sys
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: print("peak", status.read_text().split("VmHWM:")[1].split()[0], file=sys.stderr))
from harness.commands import main
main()
"""
#: Waits for the harness, and tells the most memory that one process had: its own, or one that it had started.
_WATCHED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "harness", *sys.argv[1:]])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class Ran:
    """What a run of the command line took that ended with exit code 0."""

    #: From its start to its end.
    seconds: float
    #: The most memory of a process, in MB of 1024 * 1024 bytes.
    peak: float


def alone(*arguments: object, libraries: tuple[Path, ...] = ()) -> Ran:
    """Run the command line; the memory is that of the harness itself, and not of what it starts.

    *libraries* are folders of library modules beside the harness's own.
    """
    variables = {"HARNESS_LIBRARIES": os.pathsep.join(map(str, libraries))} if libraries else {}
    return _run(_ALONE, arguments, variables)


def watched(*arguments: object) -> Ran:
    """Run the command line; the memory is that of its largest process."""
    return _run(_WATCHED, arguments, {})


def exit_code(*arguments: object, libraries: tuple[Path, ...] = ()) -> int:
    """Run the command line, and return its exit code; what it printed is shown where that is not 0."""
    env = _environment({"HARNESS_LIBRARIES": os.pathsep.join(map(str, libraries))})
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        print(done.stdout, done.stderr, flush=True)
    return done.returncode


def _environment(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")} | variables


def _run(code: str, arguments: tuple[object, ...], variables: dict[str, str]) -> Ran:
    """Run *code* with none of the harness's variables but *variables*; end with its output where it fails."""
    env = _environment(variables)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace", check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"harness {' '.join(command[3:])} ended with exit code {done.returncode}: {done.stdout}{done.stderr}")
    return Ran(seconds, int(done.stderr.rsplit("peak ", 1)[1]) / 1024)
