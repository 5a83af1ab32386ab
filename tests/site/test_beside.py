"""What stands side by side: libraries, and their ways with what they were asked themselves."""

from __future__ import annotations

import msgspec
import samples
from made import alike, deep_set

from harness.cells import Cell
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView, View
from harness.results.result import Finding, Judgement, Probe, Result, VariantResult
from harness.site import beside
from harness.site.beside import Section, Told
from harness.verdict import Reason

CELLS = ("py312-django52-channels4", "py313-django52-channels4", "py313-django60-channels4")
QUESTION = "A connection that is idle for 12 s"


def finding(seen: str, good: bool | None, way: str = "") -> Finding:
    return Finding(question=QUESTION + (f" ({way})" if way else ""), expected="stays open", seen=seen, good=good)


def view(answers: list[list[Finding]], ways: dict[str, list[Reason]] | None = None) -> View:
    """Return the cells with the answers of each, in which each of *ways* went as it says."""
    rows = []
    for place, name in enumerate(CELLS):
        variants = [
            VariantResult(name=way, judgement=Judgement.of(reasons[place])) for way, reasons in (ways or {}).items()
        ]
        sample: Result = samples.of("py311-django52-channels4")
        probes = [Probe(name="delivery", findings=answers[place])] if answers[place] else []
        result = msgspec.structs.replace(sample, cell=name, probes=probes, sets=[], isolation=[], variants=variants)
        rows.append(Row(Cell.parse(name), result))
    return View([LibraryView("channels4", rows)], [])


def shown(seen: View) -> dict[str, Section]:
    return {each.id: each for each in beside.sections(seen, Advisor(seen))}


def told(*answers: Finding) -> Told:
    """Return what the library has in the line of the question, of which each cell has one of *answers*."""
    (line,) = shown(view([[each] for each in answers]))["delivery"].lines
    return line.of["channels4"]


def test_the_answers_of_cells():
    """What is wrong comes first; of answers that differ each is counted, and what was not asked is no yes."""
    good = finding("stays open", True)
    assert told(good, good, good) == Told("stays open", True)
    assert told(good, good, finding("closed", False)) == Told("closed (1 of 3 cells)", False)
    assert told(finding("10", True), finding("20", True), finding("10", True)) == Told(
        "10 (2); 20 (1) of 3 cells", True
    )
    assert told(finding("late", False), finding("closed", False), finding("closed", False)) == Told(
        "closed (2 of 3 cells; wrong in another way in 1)", False
    )
    unknown = finding("not proved: it did not come", None)
    assert told(good, unknown, unknown) == Told("stays open (1 of 3 cells)", True)
    nothing = finding("not asked: there is no Redis", None)
    assert told(nothing, nothing, good) == Told("stays open", True)
    assert told(nothing, nothing, nothing) == Told("not asked: there is no Redis", None, "", asked=False)


def test_ways_have_addresses_of_their_own():
    """No two ways are called the same in an address, and none as its library, whatever their names are."""
    yes = [Reason.WORKS] * 3
    found = view([[]] * 3, dict.fromkeys(("C", "C++", "日本語", "in memory"), yes))
    columns = beside.columns(found, beside.sections(found, Advisor(found)))
    assert [(each.title.partition(": ")[2], each.way) for each in columns] == [
        ("", False),
        ("C", True),
        ("C++", True),
        ("in memory", True),
        ("日本語", True),
    ]
    assert len({each.id for each in columns}) == 5


def test_where_a_way_works():
    """A way has the Pythons, Djangos and count of the cells in which it works itself."""
    went = [Reason.EXCHANGE_WRONG, Reason.WORKS, Reason.NO_NETWORK]
    lines = {line.name: line.of for line in shown(view([[]] * 3, {"in memory": went}))["verdicts"].lines}
    assert lines["Works on Python"]["channels4~in-memory"].text == "3.13"
    assert lines["With Django"]["channels4~in-memory"].text == "5.2"
    assert lines["Cells that work"]["channels4~in-memory"].text == "1 of 2 in which this way was tried"
    assert lines["Beware"]["channels4~in-memory"].text == "nothing known"
    nowhere = shown(view([[]] * 3, {"in memory": [Reason.EXCHANGE_WRONG] * 3}))["verdicts"].lines
    assert next(line.of["channels4~in-memory"].text for line in nowhere if line.name == "Beware") == "works nowhere"
    assert lines["Newest release"]["channels4~in-memory"] == lines["Newest release"]["channels4"]


def test_what_a_way_was_not_asked():
    """What the library has to beware of and the way was not asked, or could not be, is said to be open."""
    closed = finding("closed with 1011", False)
    went = {"in memory": [Reason.WORKS] * 3}

    def beware(*of_way: Finding) -> str:
        lines = shown(view([[closed, *of_way], [closed], [closed]], went))["verdicts"].lines
        return next(line.of["channels4~in-memory"].text for line in lines if line.name == "Beware")

    open_one = "Not asked of this way alone: idle connections are closed"
    assert beware() == f"nothing known. {open_one}"
    assert beware(finding("not asked: there is no Redis", None, "in memory")) == f"nothing known. {open_one}"
    assert beware(finding("stays open", True, "in memory")) == "nothing known"
    assert beware(finding("closed with 1011", False, "in memory")) == "idle connections are closed"


def test_another_way_is_no_column_without_an_answer():
    """Where none of the sections that are shown has anything of a way, it cannot be chosen."""
    found = view([[finding("stays open", True)]] * 3, {"in memory": [Reason.WORKS] * 3})
    assert [each.id for each in beside.columns(found, [shown(found)["delivery"]])] == ["channels4"]


def test_what_a_way_was_asked_in_a_set_of_its_own():
    """A way stands in the line of a question also where it was asked that in another set than the library."""
    way = "setting X"
    seen = view([[finding("closed", False)]] * 3, {way: [Reason.WORKS] * 3})
    for row in seen.rows:
        row.result.probes.append(Probe(name="payloads", findings=[finding("stays open", True, way)]))
    (line,) = shown(seen)["delivery"].lines
    assert [(each.text, each.good) for each in line.of.values()] == [
        ("closed (3 of 3 cells)", False),
        ("stays open", True),
    ]
    assert "payloads" not in shown(seen)


def test_pins_are_not_how_a_library_comes():
    """What the best known pins change is left out of what a library answers as it comes."""
    seen = view([[finding("closed", False)], [finding("closed", False)], [finding("stays open", True)]])
    rows = seen.libraries[0].rows
    rows[2] = Row(rows[2].cell, msgspec.structs.replace(rows[2].result, profile="pins"))
    (line,) = shown(seen)["delivery"].lines
    assert line.of["channels4"] == Told("closed (2 of 2 cells)", False)


def test_questions_that_differ_in_a_number():
    """A question that some servers could be asked with fewer clients is one line, with one address."""
    asked = "SIGTERM under traffic: {} clients who come back"
    answers = [Finding(question=asked.format(each), expected="x", seen="x", good=True) for each in (100, 80, 100)]
    (line,) = shown(view([[each] for each in answers]))["delivery"].lines
    assert (line.name, line.of["channels4"]) == (asked.format(100), Told("x", True))


def test_what_is_lost_in_sight():
    """Below what is lost silently stands what is lost with an error, of a library as it comes and of its ways."""
    question, way = "The broker is away for 2 s: messages lost silently", "async, x"
    seen = view([[]] * len(CELLS), {way: [Reason.WORKS] * len(CELLS)})
    for row, lost in zip(seen.rows, (10, 30, 20), strict=True):
        faults = deep_set(row.name, "faults", [Finding(question=question, expected="none", seen="none", good=True)])
        account = f"{100 - lost} of 100 received, {lost} lost with an error or a close, 0 silently"
        faults.counted[question] = f"{account}; of those who come back {account}"
        faults.counted[f"{question} ({way})"] = f"{account}; of those who come back {account}"
        row.deep.append(faults)
    silently, in_sight = shown(seen)["faults"].lines
    assert silently.name == question
    assert in_sight.name == "The broker is away for 2 s: messages lost with an error or a close"
    assert in_sight.id == f"{silently.id}-in-sight"
    text = "20 % (10 to 30) where nobody comes back, 20 % (10 to 30) where everybody does"
    assert in_sight.of == {"channels4": Told(text), "channels4~async-x": Told(text)}


def test_what_a_red_cell_says():
    """What a cell answers in which the library does not work says nothing of how it is where it works."""
    seen = view([[finding("stays open", True)]] * 2 + [[finding("closed", False)]])
    red = msgspec.structs.replace(seen.rows[2].result, verdicts=alike(Judgement.of(Reason.EXCHANGE_WRONG, "0 of 15")))
    rows = [*seen.rows[:2], Row(seen.rows[2].cell, red)]
    (line,) = shown(View([LibraryView("channels4", rows)], []))["delivery"].lines
    assert line.of["channels4"] == Told("stays open", True)
    (line,) = shown(View([LibraryView("channels4", rows[2:])], []))["delivery"].lines
    assert line.of["channels4"] == Told("closed (1 of 1 cells)", False)
