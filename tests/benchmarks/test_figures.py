"""The figures of the benchmarks go through with the smallest numbers; that a goal is reached is not asked here."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import needs
import pytest
from shared import FAKES, fake_cell

from benchmarks import commandline, figures, given, shown
from benchmarks.given import ROWS, Given
from benchmarks.peers import compare
from benchmarks.peers.task import Task
from benchmarks.size import FULL, SMALLEST
from harness.libraries.registry import discover
from harness.matrix import listing as matrix

pytestmark = pytest.mark.usefixtures("no_survivors")
CELL = fake_cell("behaves")
#: What is printed beside a goal by each figure, and that goal.
GOALS = {
    "exchanges": {
        f"fifteen fenced exchanges, {CELL}, first round, 1 times (s)": "median < 0.5",
        f"fifteen fenced exchanges, {CELL}, second round, 1 times (s)": "median < 0.5",
        "the same with waits of 0.001 s instead (s); ratio of the two": "> 30",
    },
    "libraries": {
        f"fifteen fenced exchanges, {CELL}, first round, 1 times (s)": "median < 0.5",
        f"fifteen fenced exchanges, {CELL}, second round, 1 times (s)": "median < 0.5",
    },
    "overhead": {f"added by the harness to a warm {CELL}, 1 runs (s)": "< 4"},
    "control": {
        f"{CELL} works, 1 times beside 2 busy processes": "1",
        f"{fake_cell('behaves-in-json')} works, 1 times beside 2 busy processes": "1",
    },
    "memory": {
        f"peak memory of the harness, {CELL} (MB)": "< 150",
        f"peak memory of the harness, {fake_cell('warns-a-lot')} (MB)": "< 150",
    },
    "parallel": {"2 warm cells, -p 2 over sequential, 1 pairs": "<= 0.65"},
    "rendering": {
        "reports and site of 8 cells, from nothing (s)": "< 5",
        "its largest process (MB)": "< 300",
        "8 cells over 1 cells, in time": "<= 5.5",
        "compare of 8 x 8 (s)": "< 1",
        "reports of 8 cells again, nothing new (s)": "< 3",
    },
    "browser": {"8 cells in a browser, load (ms)": "< 200", "8 cells in a browser, filter (ms)": "< 200"},
    "search": {
        "one guilty release, 200 days, 24 packages: resolver asked, most": "<= 20",
        "one guilty release, 200 days, 24 packages: sets tried, most": "<= 14",
    },
    "peers": {
        "lost or duplicated, all clients, 1 rounds": "0",
        "CPU for each delivery, ours / websockets": "<= 0.2",
        "CPU for each delivery, ours / threads": "<= 0.1",
        "connecting 20, ours / the fastest peer": "< 1",
        "memory of ours with 20 idle sockets (MB)": "< 500",
    },
}
_WHOLE = ("exchanges", "libraries", "overhead", "control", "memory", "parallel", "peers", "rendering")
MARKS = {
    **dict.fromkeys(_WHOLE, pytest.mark.cell),
    "browser": [pytest.mark.cell, needs.chromium],
}
#: One number; minimum, median and maximum; or a number and a ratio.
NUMBERS = re.compile(r"\d+(\.\d+)?|\d+\.\d{3} / \d+\.\d{3} / \d+\.\d{3}|\d+\.\d\d; \d+")
#: Notes the arguments that tox would be given, in the file that is the first of them.
TOX = "import sys; print(*sys.argv[2:], file=open(sys.argv[1], 'a'))"


def fakes(tmp_path, **others) -> Given:
    """Return fake cells on the interpreter of the tests, with the smallest numbers."""
    values = {
        "size": SMALLEST,
        "cell": CELL,
        "others": (CELL,),
        "abreast": (CELL, CELL, "one too many"),
        "python_of": lambda environment: Path(sys.executable),
        "noisy": "warns-a-lot",  # it is like the one that floods, but takes no seconds
        "libraries": (FAKES,),
        "tox": (sys.executable, "-c", TOX, str(tmp_path / "asked")),
        "rows": tmp_path / "rows.jsonl",
    }
    return Given(**values | others)


def goals(printed: str) -> dict[str, str]:
    """Return what is printed beside a goal, and that goal; what was measured has to be numbers."""
    found = {}
    for line in printed.splitlines():
        before, is_row, after = line.partition("   goal ")
        if is_row:
            what, *numbers = re.split(r" {2,}| (?=\d+\.\d+ / |\d+\.\d+; )", before, maxsplit=1)
            goal, outcome = re.split(" +(?=reached$|MISSED$)", after)
            assert NUMBERS.fullmatch(numbers[0]), line
            assert outcome in shown.SIGN.values()
            found[what] = goal
    return found


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in figures.FIGURES])
def test_a_figure(name, tmp_path, capsys):
    """A figure prints each of its rows, with what was measured, the goal, and whether that is reached."""
    figures.FIGURES[name](fakes(tmp_path))
    assert goals(capsys.readouterr().out) == GOALS[name]


def test_cells_side_by_side(tmp_path):
    """The same cells are run one after the other, and two at a time."""
    figures.measure_parallel(fakes(tmp_path))
    pair = f"-e {CELL},{CELL}"
    assert (tmp_path / "asked").read_text().splitlines() == [f"run {pair}", f"run-parallel -p 2 {pair}"]


def test_tox_fails(tmp_path):
    """Where tox fails there is no figure, and what it said is shown."""
    with pytest.raises(SystemExit, match=r"^tox run .* ended with exit code 1: no such luck"):
        figures.measure_parallel(fakes(tmp_path, tox=(sys.executable, "-c", "import sys; sys.exit('no such luck')")))


@pytest.mark.parametrize("run", [commandline.alone, commandline.watched])
def test_the_harness_fails(run):
    """Where the harness fails there is no figure, and what it said is shown."""
    with pytest.raises(
        SystemExit, match=r"^harness nonsense ended with exit code 2: (?s:.*)No such command 'nonsense'"
    ):
        run("nonsense")


def test_a_cold_cell(tmp_path, monkeypatch):
    """A cell that is not warm is not measured; it is said how it gets warm."""
    monkeypatch.setattr(given, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="py27-django18 is not warm: run `tox -e py27-django18` first"):
        figures.measure_overhead(Given(size=SMALLEST))


def test_what_is_cold_is_made(tmp_path, monkeypatch):
    """What is not warm is made before anything is measured, each once; what cannot be made ends its figure alone."""
    monkeypatch.setattr(given, "ROOT", tmp_path)
    making = (
        "import pathlib, sys; asked = sys.argv[sys.argv.index('-e') + 1]; print(*sys.argv[1:], file=open('asked', 'a'))"
    )
    making += "; made = [pathlib.Path('.tox', name, 'bin', 'python') for name in asked.split(',') if name != 'bad']"
    making += "; [(each.parent.mkdir(parents=True), each.touch()) for each in made]"
    there = fakes(tmp_path, cell="cell", others=("other",), tox=(sys.executable, "-c", making))
    for _ in range(2):
        there.make_warm(["exchanges", "libraries", "control", "memory", "rendering"])
    assert (tmp_path / "asked").read_text().splitlines() == ["-q -e tests --notest", "-q -e cell,other"]
    bad = fakes(tmp_path, cell="bad", tox=(sys.executable, "-c", making), python_of=given.warm_python)
    bad.make_warm(["overhead"])
    with pytest.raises(SystemExit, match="bad is not warm"):
        figures.measure_overhead(bad)


@pytest.mark.tox
def test_cells_of_the_matrix():
    """The cells that are measured are cells of the matrix, and there is the fake that floods."""
    real = Given()
    assert {real.cell, *real.others, *real.abreast} <= {cell.name for cell in matrix.cells()}
    assert len(real.others) == FULL.libraries
    assert len(real.abreast) == FULL.cells
    assert f"fake-{real.noisy}" in discover((FAKES,))


def asked(monkeypatch, *arguments: str) -> list[tuple[str, Given]]:
    """Return which figures the command line measures, on what."""
    measured = []
    monkeypatch.setattr(Given, "make_warm", lambda given, names: None)
    for name in figures.FIGURES:
        monkeypatch.setitem(figures.FIGURES, name, lambda given, name=name: measured.append((name, given)))
    figures.main(arguments)
    return measured


def test_all_figures(monkeypatch):
    """Without arguments all figures are measured in full, and the recorded rows are written anew."""
    assert asked(monkeypatch) == [(name, Given()) for name in GOALS]
    assert (Given().size, Given().rows) == (FULL, ROWS)


def test_chosen_figures(monkeypatch, tmp_path):
    """The command line chooses figures, the smallest numbers, and where rows are written."""
    rows = tmp_path / "rows.jsonl"
    assert asked(monkeypatch, "peers", "memory", "--rows", str(rows)) == [
        ("peers", Given(rows=rows)),
        ("memory", Given(rows=rows)),
    ]
    # What the smallest numbers bring is not recorded.
    assert asked(monkeypatch, "--smallest", "peers") == [("peers", Given(size=SMALLEST, rows=None))]
    assert asked(monkeypatch, "--smallest", "peers", "--rows", str(rows)) == [
        ("peers", Given(size=SMALLEST, rows=rows)),
    ]


def test_an_unknown_figure(monkeypatch):
    """A figure that there is not is refused before anything is measured."""
    with pytest.raises(SystemExit, match="no such figure: memroy; known: exchanges, "):
        asked(monkeypatch, "overhead", "memroy")


#: Seconds of CPU that each client takes for its deliveries, and seconds until it is connected.
TAKES = {"ours": (1, 2), "websockets": (10, 3), "websockets on uvloop": (4, 5), "threads": (8, 6), "bare": (0.5, 1)}


def client(name: str, task: Task) -> compare.Row:
    """Return the row of a client that took what it takes; there is no artillery."""
    if name not in TAKES:
        return {"name": name, "connected": 0, "note": "not measured"}
    cpu, connecting = TAKES[name]
    counted = {"delivered": task.subscribers * task.messages, "lost": 0, "duplicated": 1, "p50_ms": 1.0, "p99_ms": 2.0}
    used = {"connect_seconds": connecting, "connect_cpu_seconds": 2 * connecting, "delivery_cpu_seconds": cpu}
    return {"name": name, "connected": task.subscribers, **used, "memory_mb": 500.0, **counted}


def test_what_the_rows_of_clients_come_to(tmp_path, monkeypatch, capsys):
    """The load client is held against each peer in the same round, and every row is written below what it is of."""
    monkeypatch.setattr(compare, "perform", client)
    figures.measure_peers(fakes(tmp_path))
    first, *rows = map(json.loads, (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines())
    assert {"python", "picows", "websockets", "cpus"} <= set(first)
    assert [(each["round"], each["name"]) for each in rows] == [(1, name) for name in compare.CLIENTS]
    lines = {re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()}
    assert lines >= {
        " artillery: not measured",
        "lost or duplicated, all clients, 1 rounds 5 goal 0 MISSED",
        "CPU for each delivery, ours / websockets 0.100 / 0.100 / 0.100 goal <= 0.2 reached",
        "CPU for each delivery, ours / threads 0.125 / 0.125 / 0.125 goal <= 0.1 MISSED",
        "connecting 20, ours / the fastest peer 0.667 / 0.667 / 0.667 goal < 1 reached",
        "CPU for each delivery, ours / websockets on uvloop 0.250 / 0.250 / 0.250",
        "CPU for each delivery, bare / websockets on uvloop 0.125 / 0.125 / 0.125",
        "CPU of connecting 20, ours / the least of the peers 0.667 / 0.667 / 0.667",
        "connecting 20, ours / bare 2.000 / 2.000 / 2.000",
        "memory of ours with 20 idle sockets (MB) 500 goal < 500 MISSED",
    }
    assert not any("/ artillery" in line for line in lines)


def test_too_few_file_descriptors(monkeypatch, capsys):
    """Where the system allows fewer sockets than are to be idle, that is said, and nothing is measured."""
    monkeypatch.setattr(compare.resource, "getrlimit", lambda which: (64, 64))
    compare._measure_idle(20)
    assert "not measured: 64 file descriptors are allowed" in capsys.readouterr().out


def test_spread():
    """What varies is printed as minimum, median and maximum."""
    assert shown.spread([3, 1, 2.5]) == "1.000 / 2.500 / 3.000"
