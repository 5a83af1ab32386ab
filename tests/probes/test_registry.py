"""The probes by their names: which are meant, which apply, and how each is put to a cell."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, failed, finding, standing_in
from talkers import Switchboard

from harness.cell.only import Only
from harness.cell.outcome import Observations
from harness.clients.connection import SendFailed
from harness.errors import UsageError
from harness.probes import registry
from harness.probes.registry import Kind, chosen


@pytest.mark.parametrize(
    ("names", "probes"),
    [
        ([], []),
        (["delivery", "payloads", "delivery"], ["payloads", "delivery"]),
        (["all"], ["payloads", "delivery", "transports", "browser"]),
        (["load"], ["load"]),
        (["load", "all"], ["payloads", "delivery", "transports", "browser", "load"]),
        (
            ["deep"],
            ["endings", "amounts", "faults", "sessions", "deployment", "conformance", "blocking", "leaks"],
        ),
    ],
)
def test_chosen(names, probes):
    """Each probe is asked once, in its order; "all" leaves out the deep sets, and what wants the machine for itself."""
    assert chosen(names) == probes


def test_unknown():
    """A probe that there is not is named, and so are those that there are."""
    with pytest.raises(UsageError, match=r"^there is no probe called 'crystal'$") as raised:
        chosen(["payloads", "crystal", "ball"])
    assert raised.value.hint == (
        "known: payloads, delivery, transports, browser, endings, amounts, faults, sessions, deployment, conformance, "
        "blocking, leaks, load, stress, all, deep"
    )


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return a way to put probes to a cell that is known so far as *observed*."""
    board = Switchboard()
    library = TalkingLibrary(board)
    server = standing_in(tmp_path, board, library)

    def answering(name):
        return lambda chat, server, observed: iter([finding(f"{name}?")])

    def breaking(chat, server, observed):
        yield finding("before?")
        raise SendFailed("gone")

    monkeypatch.setattr(
        registry,
        "PROBES",
        {
            "plain": Kind(answering("plain")),
            "never": Kind(answering("never"), lambda library: False),
            "always": Kind(answering("always"), always=True),
            "breaks": Kind(breaking),
        },
    )

    def ask(*names, observed=None):
        probes = registry.run(names, board.chat(library), server, observed or Observations())
        return probes, server.recorder.steps

    return ask


def test_asked(asked):
    """Each probe that applies is a step and a set of findings, in the order in which they are named."""
    probes, steps = asked("always", "never", "plain")
    assert [(probe.name, [each.question for each in probe.findings]) for probe in probes] == [
        ("always", ["always?"]),
        ("plain", ["plain?"]),
    ]
    assert [(step.name, step.text) for step in steps] == [
        ("probe always", "1 of 1 as expected"),
        ("probe plain", "1 of 1 as expected"),
    ]


def test_where_exchanges_went_wrong(asked):
    """Of a cell whose exchanges went wrong only those are asked that say more of what is wrong."""
    probes, _ = asked("plain", "always", observed=Observations(channels=failed("wrong")))
    assert [probe.name for probe in probes] == ["always"]


def test_broken_off(asked, monkeypatch):
    """A probe that breaks off keeps what it found, and the next one is asked."""
    monkeypatch.setattr("harness.cell.questions._DYING", 0.0)
    probes, steps = asked("breaks", "plain")
    assert [[each.question for each in probe.findings] for probe in probes] == [
        ["before?", "Could all of this be asked?"],
        ["plain?"],
    ]
    assert [(step.name, step.outcome) for step in steps] == [("probe breaks", "failed"), ("probe plain", "ok")]


def test_of_which_libraries():
    """Transports are asked of what can be polled, browsers of what has their pages, endings of what takes trials."""
    library = TalkingLibrary(Switchboard())
    not_applying = {name for name, kind in registry.PROBES.items() if not kind.applies(library)}
    assert not_applying == {"transports", "endings"}
    library.polls, library.browsed = True, False
    not_applying = {name for name, kind in registry.PROBES.items() if not kind.applies(library)}
    assert not_applying == {"browser", "endings"}
    library.trials = frozenset({"raise", "close"})
    assert registry.PROBES["endings"].applies(library)


@pytest.mark.parametrize("name", ["browser", "load", "stress"])
def test_those_that_take_long_to_import(name, monkeypatch):
    """What drives browsers, or puts a server under load, is there when it is asked for."""
    module = __import__(f"harness.probes.{name}", fromlist=["ask"])
    monkeypatch.setattr(module, "ask", lambda chat, server, observed: iter([finding(f"{name}?")]))
    assert [each.question for each in registry.PROBES[name].ask(None, None, None)] == [f"{name}?"]


def test_one_question_alone(monkeypatch, tmp_path):
    """Where one question is asked alone its probe goes no further than to the answer, and ends what it has begun."""
    ended = []

    def ask(chat, server, observed):
        try:
            for question in ("one?", "two?", "three?"):
                yield finding(question)
        finally:
            ended.append("here")

    monkeypatch.setattr(registry, "PROBES", {"several": Kind(ask)})
    board = Switchboard()
    server = standing_in(tmp_path, board, TalkingLibrary(board))
    server.only = Only("several", "two?")
    (probe,) = registry.run(["several"], board.chat(), server, Observations())
    assert [each.question for each in probe.findings] == ["one?", "two?"]
    assert ended == ["here"]
