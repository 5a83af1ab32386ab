"""Trials: each set of versions in one environment beside the cell, with what the question decides of the run."""

from __future__ import annotations

import json
from contextlib import nullcontext

import msgspec
import pytest
import samples
from made import alike

from harness.causes import trials as module
from harness.causes.notes import Notes
from harness.causes.question import Answer
from harness.causes.trials import Trials, asking
from harness.cell.only import Only
from harness.cells import Cell
from harness.errors import HarnessError
from harness.libraries import registry
from harness.results import deep
from harness.results.deep import DeepSet
from harness.results.folder import Reports
from harness.results.result import Finding, Judgement
from harness.run.request import Request
from harness.verdict import Reason

CELL = "py313-django61-channels4"
ABOUT = {
    "cell": CELL,
    "library": "channels4",
    "server": "daphne",
    "name": "amounts",
    "started": "2026-11-20T10:00:00+00:00",
    "seconds": 1.0,
    "versions": {},
    "counted": {},
}
EARLY = Only("delivery", "A message sent right after somebody's handshake")


@pytest.fixture
def ran(monkeypatch) -> list[Request]:
    """What is run, each answered by the sample of the cell."""
    requests: list[Request] = []

    def run(request, watcher):
        requests.append(request)
        return samples.of(CELL)

    monkeypatch.setattr(module.running, "run", run)
    monkeypatch.setattr(module.own, "make", lambda base, folder, wanted, env, options: folder / " ".join(wanted))
    return requests


@pytest.fixture
def made(tmp_path):
    def make(only: Only = EARLY, anew: bool = False) -> Trials:
        python = tmp_path / "cell" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cell" / ".harness-base.json").write_text(json.dumps({"Django": "6.1.3", "coverage": "7.17.3"}))
        cell = Cell.parse(CELL)
        setup = registry.setup_for(cell, registry.discover(()))
        request = Request(cell=cell, setup=setup, python=python, reports=Reports(tmp_path / "reports"), probes=[])
        return Trials(request, only, Notes(tmp_path / "notes.json", [], anew), lambda cell: nullcontext(None))

    return make


def test_what_is_run(made, ran):
    """Everything but what belongs to the cell is pinned, in an environment of its own that has no more than that."""
    trials = made()
    assert trials.bad({"channels": "4.3.2", "redis": "7.4.1", "django": "5.0"}) is True
    (request,) = ran
    assert request.frozen == ["channels==4.3.2", "redis==7.4.1"]
    assert (request.exact, request.options, request.probes, request.only) == (True, (), ["delivery"], EARLY)
    assert request.python.name == "Django==6.1.3 coverage==7.17.3"
    assert request.reports.folder.parts[-2:] == ("profiles", "trials")
    assert trials.bad({"channels": "4.3.2", "redis": "7.4.1", "django": "5.0"}) is True
    assert len(ran) == 1


def test_what_is_to_be_had_at_an_address(made, ran, monkeypatch):
    """What is asked for by an address is in every set, in the place of what an index has of it."""
    mine = "mine @ file:///somewhere/mine-1.0-py3-none-any.whl"
    trials = made()
    library = type(trials.request.setup.library)
    monkeypatch.setattr(library, "requirements", lambda self, cell: ["channels", mine])
    trials.ask({"channels": "4.3.2", "mine": "1.0"})
    assert ran[0].frozen == ["channels==4.3.2", mine]


def test_questions_that_are_no_probe(made, ran):
    """For the verdict, and for what every cell is asked, there is no probe."""
    made(Only()).bad({"channels": "4.3.2"})
    made(Only("isolation", "What reaches an unknown client?")).bad({"channels": "4.3.1"})
    assert ran
    assert not any(request.probes for request in ran)


def test_under_load():
    """A question about so many sockets opens no more of them, with the deployment that it was put to."""
    crowd = asking(Only("load", "A broadcast to 250 sockets (2 workers)"))
    assert crowd == {"sockets": 250, "runs": 1, "deployment": "2 workers"}
    assert asking(Only("load", "A broadcast to 100 sockets")) == {"sockets": 100, "runs": 1, "deployment": None}
    assert asking(EARLY) == {}


def test_a_fault_of_the_machine(made, ran, monkeypatch):
    """Where the machine is at fault nothing is answered, and nothing noted."""
    judgement = Judgement.of(Reason.NO_NETWORK, "the package index is out of reach")
    verdicts = alike(judgement)
    failed = msgspec.structs.replace(samples.of(CELL), verdicts=verdicts)
    monkeypatch.setattr(module.running, "run", lambda request, watcher: failed)
    trials = made()
    with pytest.raises(HarnessError, match="nothing can be tried: the package index is out of reach"):
        trials.bad({"channels": "4.3.2"})
    assert trials.notes.answer({"channels": "4.3.2"}) is None


def test_answers_of_other_versions(made, ran, tmp_path):
    """What other versions have answered to a deep set is no answer of versions that never came to it."""
    only = Only("amounts", "A member of 1000 groups")
    trials = made(only)
    reports = Reports(tmp_path / "reports").of_profile("trials")
    old = Finding(question=only.question, expected="all", seen="some are lost", good=False)
    deep.save(reports, DeepSet(**ABOUT, findings=[old]))
    assert trials.bad({"channels": "4.3.2"}) is None
    assert not (reports.deep(CELL) / "amounts.json").exists()


def test_no_answer_when_asked_again(made, ran):
    """Where there is no answer any more when it is asked again nothing is concluded from that."""
    with pytest.raises(HarnessError, match="there was no answer when it was asked again"):
        made(Only("amounts", "A member of 1000 groups")).lost({"channels": "4.3.2"}, 2)


def test_no_answer_by_chance(made, monkeypatch):
    """A server that did not start in time is started again before that counts as no answer."""
    answers = [Answer(None, "the server did not answer within 60 s"), Answer(True, "received")]
    trials = made()
    monkeypatch.setattr(trials, "_once", lambda versions: answers.pop(0))
    assert trials.bad({"channels": "4.3.2"}) is False
    assert answers == []


def test_further_answers_of_a_search_that_was_broken_off(made, monkeypatch):
    """What was asked again before Ctrl-C is taken from the notes, once; a search that begins anew asks all again."""
    asked: list[str] = []

    def once(versions):
        asked.append(versions["channels"])
        if len(asked) == 3:
            raise KeyboardInterrupt
        return Answer(len(asked) % 2 == 0, str(len(asked)), True)

    first = made()
    monkeypatch.setattr(Trials, "_once", lambda self, versions: once(versions))
    with pytest.raises(KeyboardInterrupt):
        first.lost({"channels": "4.3.2"}, 3)
    second = made()
    assert [each.seen for each in second.lost({"channels": "4.3.2"}, 3)] == ["1"]
    assert len(asked) == 4
    assert [each.seen for each in second.lost({"channels": "4.3.2"}, 1)] == ["5"]
    anew = made(anew=True)
    assert [each.seen for each in anew.lost({"channels": "4.3.2"}, 1)] == []
    assert len(asked) == 6
