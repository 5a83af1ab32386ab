"""The judge of exchanges: faults are found, each for what it is, and nothing else is one."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from harness.chat.judge import Received, SentExchange, judge
from harness.clients.connection import Endpoint

LINES = [Endpoint(member, name) for member in ("admin", "John", "Mary") for name in ("broadcast", "user")]


@st.composite
def conversations(draw: st.DrawFn) -> list[SentExchange]:
    """Exchanges to any lines, each with one to three fences."""
    expected = draw(st.lists(st.frozensets(st.sampled_from(LINES)), min_size=1, max_size=8))
    return [
        SentExchange(
            number, f"text {number}", lines, tuple(f"fence {number}.{each}" for each in range(draw(st.integers(1, 3))))
        )
        for number, lines in enumerate(expected, 1)
    ]


def perfectly(sent: list[SentExchange]) -> dict[Endpoint, list[str]]:
    """Return what each line receives when nothing goes wrong."""
    received: dict[Endpoint, list[str]] = {line: [] for line in LINES}
    for exchange in sent:
        for line in LINES:
            received[line] += [exchange.text] if line in exchange.expected else []
            received[line] += exchange.fences
    return received


def faults(
    sent: list[SentExchange], received: dict[Endpoint, list[str]], closed: str = ""
) -> set[tuple[int, str, Endpoint]]:
    found = judge(sent, {line: Received(texts, closed) for line, texts in received.items()})
    return {
        (number, fault.kind, Endpoint(fault.member, fault.connection)) for number in found for fault in found[number]
    }


@given(conversations())
def test_perfect(sent):
    """Nothing is wrong with a perfect delivery."""
    assert faults(sent, perfectly(sent)) == set()


@given(conversations(), st.sampled_from(LINES), st.data())
def test_stalled_fences(sent, line, data):
    """Fences that are still on their way at the end are no fault, as long as one of the last exchange came."""
    received = perfectly(sent)
    last = sent[-1].fences
    for fence in last[data.draw(st.integers(1, len(last))) :]:
        received[line].remove(fence)
    assert faults(sent, received) == set()


@given(conversations(), st.sampled_from(LINES), st.data())
def test_lost_fence(sent, line, data):
    """A fence that never comes, though later ones do, is a broadcast that was lost."""
    fences = [(exchange, fence) for exchange in sent for fence in exchange.fences]
    assume(len(fences) > 1)
    exchange, fence = data.draw(st.sampled_from(fences[:-1]))
    received = perfectly(sent)
    received[line].remove(fence)
    assert faults(sent, received) == {(exchange.number, "missing", line)}


@given(conversations(), st.sampled_from(LINES), st.data())
def test_duplicated_fence(sent, line, data):
    """A broadcast that comes twice is duplicated, also when it is a fence."""
    exchange = data.draw(st.sampled_from(sent))
    received = perfectly(sent)
    received[line].append(exchange.fences[0])
    assert faults(sent, received) == {(exchange.number, "duplicated", line)}


def pick(data: st.DataObject, sent: list[SentExchange], hears: bool) -> tuple[SentExchange, Endpoint]:
    """Return one of the exchanges, with a line that has to hear it, or one that must not."""
    pairs = [(each, line) for each in sent for line in LINES if (line in each.expected) is hears]
    assume(pairs)
    return data.draw(st.sampled_from(pairs))


@given(conversations(), st.data())
def test_missing(sent, data):
    """A message that one line does not get is missing there, and nowhere else."""
    exchange, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    received[line].remove(exchange.text)
    assert faults(sent, received) == {(exchange.number, "missing", line)}


@given(conversations(), st.data())
def test_extra(sent, data):
    """A message on a line that it is not for is extra there, wherever in the line it comes; too late is so besides."""
    exchange, line = pick(data, sent, hears=False)
    received = perfectly(sent)
    place = data.draw(st.integers(0, len(received[line])))
    kinds = {"extra"} if place <= received[line].index(exchange.fences[0]) else {"extra", "out of order"}
    received[line].insert(place, exchange.text)
    assert faults(sent, received) == {(exchange.number, kind, line) for kind in kinds}


@given(conversations(), st.data())
def test_duplicated(sent, data):
    """A message that comes twice is duplicated, also when the second comes much later."""
    exchange, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    received[line].insert(
        data.draw(st.integers(received[line].index(exchange.text), len(received[line]))), exchange.text
    )
    assert faults(sent, received) == {(exchange.number, "duplicated", line)}


@given(conversations(), st.data())
def test_altered(sent, data):
    """Another text in a message's place is that message, altered."""
    exchange, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    received[line][received[line].index(exchange.text)] = exchange.text + "?"
    assert faults(sent, received) == {(exchange.number, "altered", line)}


@given(conversations(), st.data())
def test_out_of_order(sent, data):
    """A message behind a fence that was sent after it is out of order."""
    exchange, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    texts = received[line]
    texts.remove(exchange.text)
    behind = texts.index(exchange.fences[0]) + 1
    texts.insert(data.draw(st.integers(behind, len(texts))), exchange.text)
    assert faults(sent, received) == {(exchange.number, "out of order", line)}


@given(conversations(), st.sampled_from(LINES))
def test_unproven(sent, line):
    """Without any fence on a line nothing is proved there, whatever was received."""
    received = perfectly(sent)
    fences = {fence for exchange in sent for fence in exchange.fences}
    received[line] = [text for text in received[line] if text not in fences]
    assert faults(sent, received) == {(exchange.number, "unproven", line) for exchange in sent}


@given(conversations(), st.sampled_from(LINES))
def test_closed(sent, line):
    """A line that was closed before the first exchange is closed for each message it was to get."""
    received = perfectly(sent) | {line: []}
    found = judge(
        sent, {each: Received(texts, "closed with 1011" if each == line else "") for each, texts in received.items()}
    )
    for exchange in sent:
        kinds = {fault.kind for fault in found[exchange.number]}
        assert kinds == ({"closed", "unproven"} if line in exchange.expected else {"unproven"})


@given(conversations(), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3), st.sampled_from(LINES))
def test_never_green_with_a_stranger(sent, strangers, line):
    """A text that nobody sent is never passed over."""
    known = {exchange.text for exchange in sent} | {fence for exchange in sent for fence in exchange.fences}
    assume(not known.intersection(strangers))
    received = perfectly(sent)
    received[line] = strangers + received[line]
    assert any(each[2] == line for each in faults(sent, received))


def test_not_sent():
    """What could not be sent is "not sent" for each who was to hear it, and nothing more."""
    line = LINES[0]
    sent = [SentExchange(1, "text 1", frozenset({line}), error="status 500")]
    assert faults(sent, {line: []}) == {(1, "not sent", line)}


def test_unknown_text_behind_the_last_fence():
    """A stranger after everything is the last exchange's fault."""
    line = LINES[0]
    sent = [SentExchange(1, "text 1", frozenset({line}), ("fence 1",))]
    assert faults(sent, {line: ["text 1", "fence 1", "boo"]}) == {(1, "extra", line)}
