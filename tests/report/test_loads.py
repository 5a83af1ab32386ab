"""What reports and pictures show of load runs."""

from __future__ import annotations

import json

import hostile
import msgspec
import pytest
import samples
from made import deep_set
from runs import run, step

from harness.errors import DamagedResult
from harness.load.latency import latency
from harness.report import loads, render, rst
from harness.report.view import read_view
from harness.results import deep
from harness.results import loads as model
from harness.results.folder import Reports
from harness.results.loads import Message, Run


@pytest.fixture
def reports(tmp_path):
    return samples.write(tmp_path, "py27-django18", "py39-django30", "py311-django52-channels4").folder


def cell_of(reports) -> str:
    return next(row.name for row in read_view(Reports(reports)).rows if row.result.exchanges)


def rendered(reports, *runs: Run) -> dict[str, str]:
    cell = cell_of(reports)
    for each in runs:
        model.append(Reports(reports), msgspec.structs.replace(each, cell=cell))
    pages = render.render(read_view(Reports(reports)))
    assert not [found for path, text in pages.items() if (found := rst.problems(text, path))]
    return {path: text for path, text in pages.items() if cell in text}


def test_figures():
    """What is held, what came with more, what 1000 sockets took, and the highest rate that was good."""
    broke = step(1000, 900, limit="server: some.package.FullError: no more")
    told = "900 of 1000 delivered; p99 99 ms"
    # What limits it stands once, and without the package of an exception.
    beyond = f"1000: {told}; server: FullError: no more (one run)"
    assert loads.figures(run(step(100), step(250), broke)) == [
        "250 (one run, none of 20 s)",
        beyond,
        f"{told} (one run)",
        "10",
        "─",
    ]
    assert loads.figures(run(step(100), versions={"redis": "8.1.0"}))[4] == "8.1.0"
    assert loads.figures(run(step(100), versions={"redis": "3.5.3"}), redis=False)[4] == "─"


def test_whose_limit_it_is():
    """A limit that is known is told in words, with what raises it."""
    full = step(250, 240, limit="server: redis.exceptions.MaxConnectionsError: Too many connections")
    assert loads.told(full).endswith(
        "MaxConnectionsError: Too many connections; redis-py 8 allows 100 connections, and redis<8 more"
    )


def test_who_stood():
    """Who did not stand is told apart from what was not delivered to those who did."""
    fell = step(1000, 999, closed={"close code 1011": 1}, limit="server: TimeoutError: late")
    fell = msgspec.structs.replace(fell, stood=999)
    assert loads.told(fell) == (
        "stood 999 of 1000, 1 closed with 1011; 999 of 999 delivered to those who stood; p99 99 ms; "
        "server: TimeoutError: late"
    )
    dropped = msgspec.structs.replace(fell, closed={"dropped": 1}, limit="")
    assert loads.told(dropped).startswith("stood 999 of 1000, 1 dropped; ")
    left = msgspec.structs.replace(fell, stood=1000, messages=step(1000).messages, limit="")
    assert not left.whole
    # Who was closed after the last message had stood, and not to the end.
    assert loads.told(left) == "stood 999 of 1000, 1 closed with 1011; 1000 of 1000 delivered; p99 99 ms"


def test_several_runs():
    """A size that was asked several times is held when it was each time; the worst and the spread are told."""
    slow = msgspec.structs.replace(step(250), latency=latency([0.5]))
    again = [step(250), slow, step(500, 499), step(500)]
    shown = loads.figures(run(step(100), step(250), step(500, 400), again=again))
    assert shown[0] == "250 (3 runs, none of 20 s)"
    assert shown[1] == "500: held in 1 of 3 runs, none of 20 s; at worst 400 of 500 delivered; p99 99 ms (99 to 99)"
    long = [step(250, hold=20.0), step(250, hold=20.0)]
    assert loads.figures(run(step(100), step(250), again=long))[0] == "250 or more (3 runs, 2 of 20 s)"
    assert loads.step_row(long[0])[0] == "250 for 20 s"
    quiet = [msgspec.structs.replace(each, silent=12.0) for each in long]
    shown = loads.figures(run(step(100), step(250), again=quiet))[0]
    assert shown == "250 or more (3 runs, 2 of 20 s, silent for 12 s)"
    unsteady = run(step(100), step(250), again=[step(250, 249)])
    assert loads.figures(unsteady)[:2] == [
        "100 (one run, none of 20 s)",
        "250: held in 1 of 2 runs, none of 20 s; at worst 249 of 250 delivered; p99 99 ms (99 to 99)",
    ]


def test_late():
    """How many came only after they had been given up is said beside how long that took."""
    late = msgspec.structs.replace(step(1000), messages=[Message(delivered=1000, late=82), Message(delivered=1000)])
    assert loads.told(late) == "all delivered, 82 of them late; p99 99 ms"


def test_ended_once():
    """Why a step ended is said once, also where that is its limit."""
    ended = msgspec.structs.replace(step(1000, limit="server: not through"), messages=[], ended="not through")
    assert loads.told(ended) == "server: not through"
    assert loads.step_row(ended)[-1] == "server: not through"


def test_nothing_held():
    """Where not even the least is held or good, it is less than that."""
    nothing = run(step(100, 0))
    rates = [msgspec.structs.replace(each, good=False) for each in nothing.rate.rates]
    rate = msgspec.structs.replace(nothing.rate, rates=rates)
    figures = loads.figures(msgspec.structs.replace(nothing, rate=rate))
    assert (figures[0], figures[3]) == ("less than 100", "less than 5")


def test_more_was_not_tried():
    """What a server holds may be more where nothing more was tried."""
    assert loads.held(run(step(100), step(250))) == "250 or more"
    assert loads.held(run(step(100), step(250, 0, ended="not tried"))) == "100 or more"
    assert loads.held(run(step(100), step(250, 249))) == "100"


def test_a_smaller_crowd_was_not_held():
    """A crowd is held when every smaller one was held as well; what came with the smaller one is told."""
    odd = run(step(100), step(250, 249), step(500))
    assert loads.held(odd) == "100"
    assert loads.figures(odd)[1].startswith("250: ")


def test_nearly_all_is_not_all():
    """One delivery that is missing is not rounded away."""
    assert loads.told(step(10000, 9999, limit="server: it is full")).startswith("9999 of 10000 delivered")


@pytest.mark.parametrize(
    ("wrong", "whole"),
    [
        ({}, True),
        ({"foreign": 1}, False),
        ({"ended": "interrupted"}, False),
        ({"messages": [Message(delivered=100, duplicated=1)]}, False),
        ({"messages": []}, False),
    ],
)
def test_whole(wrong, whole):
    """A step is whole when every socket had each message once, and nothing else came."""
    assert step(100, **wrong).whole is whole


def test_every_run_is_shown(reports):
    """A cell's report has each run, also one that was broken off; summaries have the newest whole one."""
    first, newest = run(step(100)), run(step(100), step(250), started="2026-11-22T10:00:00+00:00")
    broken = run(step(500), started="2026-11-23T10:00:00+00:00", ended="interrupted")
    pages = rendered(reports, first, newest, broken)
    (cell,) = (text for path, text in pages.items() if "/py" in path)
    assert [f"Run {number}: 1 process" in cell for number in (1, 2, 3)] == [True] * 3
    assert "ended before it was through" in cell
    assert '"250 or more (one run, none of 20 s)","all that was asked"' in pages["index.rst"]
    (questions,) = (text for path, text in pages.items() if path.endswith("/questions.rst"))
    assert '"250 or more (one run, none of 20 s)","all that was asked"' in questions


def test_hostile_text(reports):
    """What a server says when it breaks is data."""
    wild = step(100, 50, limit=f"server: {hostile.HOSTILE}", ended=hostile.HOSTILE, closed={hostile.HOSTILE: 1})
    rendered(reports, run(wild, deployment=hostile.HOSTILE[:60], visitors=[hostile.HOSTILE]))


def test_damaged(reports):
    """Runs that cannot be read are named, and the cell stays."""
    cell = cell_of(reports)
    model.append(Reports(reports), msgspec.structs.replace(run(step(100)), cell=cell))
    path = Reports(reports).loads(cell)
    path.write_bytes(path.read_bytes()[:-20])
    view = read_view(Reports(reports))
    assert [str(error).partition(":")[0] for error in view.damaged] == [f"load/{cell}.jsonl is damaged"]
    assert cell in {row.name for row in view.rows}


def test_damage_takes_nothing_else(reports):
    """A history, or a deep set, that cannot be read takes no other of the cell's files with it."""
    cell = cell_of(reports)
    model.append(Reports(reports), msgspec.structs.replace(run(step(100)), cell=cell))
    deep.save(Reports(reports), deep_set(cell, "endings", []))
    broken = Reports(reports).deep(cell) / "faults.json"
    broken.write_text("{")
    Reports(reports).history(cell).parent.mkdir(exist_ok=True)
    Reports(reports).history(cell).write_text("{")
    view = read_view(Reports(reports))
    assert len(view.damaged) == 2
    (row,) = [row for row in view.rows if row.name == cell]
    assert (len(row.loads), [each.name for each in row.deep]) == (1, ["endings"])


def damaged(path, alter) -> str:
    """Return what is said of the run in *path* once *alter* has changed its document."""
    document = msgspec.json.decode(path.read_bytes())
    alter(document)
    path.write_text(json.dumps(document) + "\n")
    with pytest.raises(DamagedResult) as raised:
        model.read(path)
    return str(raised.value)


def test_what_is_no_run(reports):
    """A run of another schema, of another cell, without a step or with absurd numbers is named for what it is."""
    cell = cell_of(reports)
    path = Reports(reports).loads(cell)
    cases = {
        "is of schema 9; this harness reads schema 1": lambda run: run.update(schema="9"),
        "is damaged: Expected `array` of length >= 1": lambda run: run.update(steps=[]),
        "is damaged: Expected `int` <= 10000000": lambda run: run["steps"][0].update(sockets=10**15),
        "holds runs of py39-django42": lambda run: run.update(cell="py39-django42"),
    }
    for said, alter in cases.items():
        path.unlink(missing_ok=True)
        model.append(Reports(reports), msgspec.structs.replace(run(step(100)), cell=cell))
        assert said in damaged(path, alter)


def test_pictures(reports):
    """The pictures are the same each time, and stand on a ground of their own."""
    pytest.importorskip("matplotlib")
    rendered(reports, run(step(100), step(250, 200)), run(step(100), deployment="2 processes"))
    with render.checked({}, read_view(Reports(reports))) as ended:
        drawn = ended().pictures
    assert set(drawn) == {"load-sockets.svg", "load-latency.svg", "load-delivered.svg"}
    with render.checked({}, read_view(Reports(reports))) as ended:
        assert drawn == ended().pictures
    assert all("currentColor" not in text and "2 processes" in text for text in drawn.values())


def test_histogram():
    """All latencies are kept, to three digits, and can be added up again."""
    from hdrh.histogram import HdrHistogram

    spread = latency([0.010, 0.020, 0.030, 0.500])
    again = HdrHistogram(1, 120_000_000, 3)
    again.decode_and_add(spread.histogram)
    assert again.get_total_count() == 4
    assert abs(again.get_max_value() - 500_000) < 500
    assert latency([]) is None
