"""The figures that this project holds itself to, each printed beside its goal.

``tox -e benchmarks`` measures all, ``tox -e benchmarks -- exchanges overhead`` some; ``--rows FILE`` is where
``peers`` writes the rows that its figures are of. What is compared is
measured in the same run, in turn, so that a machine whose speed drifts does not decide; quote the ratios.
Cells have to be warm: ``tox -e py27-django18`` once, and for ``parallel`` the six cells named there.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from rendering import measure_browser, measure_rendering  # noqa: E402
from shown import row, spread  # noqa: E402

from benchmarks.peers.compare import ROWS, measure_peers  # noqa: E402
from harness.captured.scrub import Scrubber  # noqa: E402
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.cell.steps import Recorder  # noqa: E402
from harness.cell.variables import environment
from harness.cells import Cell  # noqa: E402
from harness.chat import exchanges  # noqa: E402
from harness.chat.conversation import Chat, opened
from harness.chat.members import MEMBERS, channel_table
from harness.libraries.registry import discover, setup_for
from harness.results.result import read_result as load_result
from harness.system import broker, processes  # noqa: E402

CELL = "py27-django18"
#: One cell of each other library. Channels 1 keeps order only where it is told to, and takes longer.
EACH = (
    *("py36-django111-channels1", "py38-django30-channels2", "py310-django32-channels3", "py311-django52-channels4"),
    *("py311-django52-pysocketio", "py311-django52-asgi"),
)
SIX = ("py27-django18", "py27-django19", "py36-django20", "py37-django21", "py39-django22", "py311-django22")


class Silent:
    """Watches steps, and says nothing."""

    def begin(self, name: str) -> None: ...

    def end(self, step: object, seconds: float) -> None: ...


def python_of(cell: str) -> Path:
    """Return the interpreter of a warm cell, or end with what to do."""
    python = ROOT / ".tox" / cell / "bin" / "python"
    if not python.exists():
        sys.exit(f"{cell} is not warm: run `tox -e {cell}` first")
    return python


@contextmanager
def chatting(name: str) -> Iterator[Chat]:
    """Serve a cell with the real library, and log in its members."""
    cell = Cell.parse(name)
    subject, env = setup_for(cell, discover()), environment()
    library = subject.library
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        recorder = Recorder(work, work, Scrubber({work: "<work>"}), Silent())
        with broker.embedded(env, work) as running:
            env |= library.environment(running.url, "benchmark", work / "chat.sqlite3")
            env["DJANGO_SETTINGS_MODULE"] = library.settings
            for command in (["migrate", "--noinput"], ["loaddata", "data.json"]):
                arguments = [str(python_of(name)), "manage.py", *command]
                processes.run(arguments, env, ROOT, work / "log", 60)
            site = CellServer(cell, subject, python_of(name), ROOT, env, running, "benchmark", recorder)
            with site.serving(subject.server.name, Observations()) as chat:
                chat.log_in()
                yield chat


def with_waits(chat: Chat) -> float:
    """Make the same checks with a wait of one second for each member who must stay silent."""
    began = time.monotonic()
    for each in channel_table():
        text = f"Hello, waiting {each.number} ({chat.token})"
        chat.library.say(chat, each, text)
        chat.transcript.wait(chat.library.expected(each), [text], 5)
        for member in MEMBERS:
            if member not in each.recipients:
                time.sleep(1)
                assert not any(text in chat.transcript.texts(line) for line in chat.lines if line.member == member)
    return time.monotonic() - began


def fenced_rounds(first: Chat) -> list[float]:
    """Go through the fifteen exchanges 20 times on one server; return the seconds of each."""
    fenced = []
    for _ in range(20):
        with opened(dataclasses.replace(first, sockets={}, fences=[], token=secrets.token_hex(3))) as chat:
            chat.connect()
            outcome = exchanges.run(chat)
        assert all(exchange.good for exchange in outcome.exchanges)
        fenced.append(outcome.seconds)
    return fenced


def measure_exchanges() -> None:
    """The fifteen exchanges with their fences, against the same with one-second waits."""
    with chatting(CELL) as first:
        fenced = fenced_rounds(first)
        first.connect()
        waited = with_waits(first)
    median = statistics.median(fenced)
    row(f"fifteen fenced exchanges, {CELL}, 20 rounds (s)", spread(fenced), "median < 0.5", median < 0.5)
    row(
        "the same with one-second waits (s); ratio of the two",
        f"{waited:.2f}; {waited / median:.0f}",
        "> 30",
        waited / median > 30,
    )


def measure_libraries() -> None:
    """The fifteen exchanges with their fences on each other library."""
    for name in EACH:
        with chatting(name) as first:
            fenced = fenced_rounds(first)
        median = statistics.median(fenced)
        row(f"fifteen fenced exchanges, {name}, 20 rounds (s)", spread(fenced), "median < 0.5", median < 0.5)


def measure_overhead() -> None:
    """What the harness adds to a warm cell: its wall time less the cell's own work."""
    own = ("migrate", "loaddata", "check", "test", "runserver", "stop runserver")
    added = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            harness("run", CELL, "--python", str(python_of(CELL)), reports=folder)
            wall = time.monotonic() - began
            seconds = load_result(Path(folder) / "results" / f"{CELL}.json").varying.seconds
            added.append(wall - sum(seconds[step] for step in own))
    row(f"added by the harness to a warm {CELL}, 5 runs (s)", spread(added), "< 1.5", statistics.median(added) < 1.5)


def harness(*arguments: str, reports: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line, and have it print its own peak memory at the end."""
    code = (
        "import atexit, resource, sys\n"
        "atexit.register(lambda: print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))\n"
        "from harness.commands import main; main()"
    )
    environment = {**os.environ, "HARNESS_REPORTS": reports, **env}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def measure_memory() -> None:
    """The harness's own peak memory, for a real cell and for a server that prints 100 MB."""
    fakes = str(ROOT / "tests" / "fakes" / "libraries")
    tests = ROOT / ".tox" / "tests" / "bin" / "python"
    if not tests.exists():
        sys.exit("the environment of the tests is not warm: run `tox -e tests` first")
    version = subprocess.run(
        [tests, "-c", "import sys; print('%d%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    flood = f"py{version.stdout.strip()}-django52-fake-floods"
    for cell, python in ((CELL, python_of(CELL)), (flood, tests)):
        with tempfile.TemporaryDirectory() as folder:
            done = harness("run", cell, "--python", str(python), reports=folder, HARNESS_LIBRARIES=fakes)
        assert done.returncode == 0, done.stdout + done.stderr
        peak = int(done.stderr.rsplit("peak ", 1)[1]) / 1024
        row(f"peak memory of the harness, {cell} (MB)", f"{peak:.0f}", "< 150", peak < 150)


def measure_parallel() -> None:
    """Six warm cells two at a time, against the same one after the other."""
    cells = ",".join(SIX)
    for cell in SIX:
        python_of(cell)
    ratios = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            pair = [timed_tox(folder, "run", "-e", cells), timed_tox(folder, "run-parallel", "-p", "2", "-e", cells)]
        print(f"    sequential {pair[0]:.1f} s, two at a time {pair[1]:.1f} s", flush=True)
        ratios.append(pair[1] / pair[0])
    row("six warm cells, -p 2 over sequential, 3 pairs", spread(ratios), "<= 0.65", statistics.median(ratios) <= 0.65)


def timed_tox(reports: str, *arguments: str) -> float:
    """Run tox on the warm cells; return the seconds."""
    foreign = ("TOX_", "_TOX", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    began = time.monotonic()
    command = [sys.executable, "-m", "tox", *arguments]
    subprocess.run(command, cwd=ROOT, env={**env, "HARNESS_REPORTS": reports}, capture_output=True, check=True)
    return time.monotonic() - began


FIGURES: dict[str, Callable[[], None]] = {
    "exchanges": measure_exchanges,
    "libraries": measure_libraries,
    "overhead": measure_overhead,
    "memory": measure_memory,
    "parallel": measure_parallel,
    "rendering": measure_rendering,
    "browser": measure_browser,
    "peers": measure_peers,
}


def main() -> None:
    """Measure the figures named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Measure the figures that this project holds itself to.")
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)}; all unless given")
    parser.add_argument("--rows", type=Path, default=ROWS, help="where peers writes its rows")
    arguments = parser.parse_args()
    names = arguments.names or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        sys.exit(f"no such figure: {unknown[0]}; known: {', '.join(FIGURES)}")
    FIGURES["peers"] = partial(measure_peers, arguments.rows)
    for name in names:
        FIGURES[name]()


if __name__ == "__main__":
    main()
