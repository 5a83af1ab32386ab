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
    return _run(_ALONE, arguments, _beside(libraries))


def watched(*arguments: object) -> Ran:
    """Run the command line; the memory is that of its largest process."""
    return _run(_WATCHED, arguments, {})


def exit_code(*arguments: object, libraries: tuple[Path, ...] = ()) -> int:
    """Run the command line, and return its exit code; what it printed is shown where that is not 0."""
    done = _ended(["-m", "harness", *map(str, arguments)], _beside(libraries))
    if done.returncode:
        print(done.stdout, done.stderr, flush=True)
    return done.returncode


def _beside(libraries: tuple[Path, ...]) -> dict[str, str]:
    return {"HARNESS_LIBRARIES": os.pathsep.join(map(str, libraries))} if libraries else {}


def _ended(options: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run this Python with *options*, and with none of the harness's variables but *variables*."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")} | variables
    command = [sys.executable, *options]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace", check=False)


def _run(code: str, arguments: tuple[object, ...], variables: dict[str, str]) -> Ran:
    """Run *code* with none of the harness's variables but *variables*; end with its output where it fails."""
    told = [str(each) for each in arguments]
    began = time.monotonic()
    done = _ended(["-c", code, *told], variables)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"harness {' '.join(told)} ended with exit code {done.returncode}: {done.stdout}{done.stderr}")
    return Ran(seconds, int(done.stderr.rsplit("peak ", 1)[1]) / 1024)
