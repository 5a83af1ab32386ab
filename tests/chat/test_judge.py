"""The judge of exchanges: faults are found, each for what it is, and nothing else is one."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.chat.judge import Received, SentExchange, judge
from harness.clients.connection import Endpoint
from harness.clients.transcript import Message

LINES = [Endpoint(member, name) for member in ("admin", "John", "Mary") for name in ("broadcast", "user")]
#: A few more tries than usual: the histories are many, and each is judged in no time.
TRIES = 300
#: For what takes longer to make up.
FEWER = 60

#: What each line received, in order.
History = dict[Endpoint, list[Message]]


@st.composite
def conversations(draw: st.DrawFn) -> list[SentExchange]:
    """Exchanges to any lines, each with a text of its own and one to three fences."""
    expected = draw(st.lists(st.frozensets(st.sampled_from(LINES)), min_size=1, max_size=8))
    return [exchange(number, f"text {number}", lines, draw(st.integers(1, 3))) for number, lines in enumerate(expected)]


@st.composite
def repeating(draw: st.DrawFn) -> list[SentExchange]:
    """Exchanges of which some say what another one says, to the same lines or to others, by whomever."""
    lines = st.frozensets(st.sampled_from(LINES[:3]))
    texts = draw(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=6))
    sent = [
        by(
            exchange(number, text, draw(lines), draw(st.integers(1, 2))),
            sender=draw(st.sampled_from(["", "John", "Mary"])),
            channel=draw(st.sampled_from(["", "broadcast", "user"])),
        )
        for number, text in enumerate(texts)
    ]
    unsent = draw(st.sets(st.sampled_from(range(len(sent))), max_size=1))
    return [replace(each, error="status 500", fences=()) if each.number in unsent else each for each in sent]


def exchange(number: int, text: str, expected: frozenset[Endpoint], fences: int = 1) -> SentExchange:
    return SentExchange(number, text, expected, tuple(f"fence {number}.{each}" for each in range(fences)))


def message(each: SentExchange) -> Message:
    """Return an exchange's message as it has to arrive, with what a frame that says everything says of it."""
    return Message(each.text, each.says)


def fence(each: SentExchange, text: str) -> Message:
    return Message(text, each.fence_says)


def saying(sender: str = "", channel: str = "") -> dict[str, str]:
    """Return what a frame says of a message, of what is not empty."""
    return {name: value for name, value in (("sender", sender), ("channel", channel)) if value}


def by(each: SentExchange, sender: str, channel: str) -> SentExchange:
    """Return an exchange of which frames have to say who sent it, in which channel."""
    return replace(each, says=saying(sender, channel), fence_says=saying(sender, "broadcast"))


def perfectly(sent: list[SentExchange]) -> History:
    """Return what each line receives when nothing goes wrong."""
    received: History = {line: [] for line in LINES}
    for each in sent:
        for line in LINES:
            received[line] += [message(each)] if line in each.expected and not each.error else []
            received[line] += [fence(each, text) for text in each.fences]
    return received


def texts(*said: str) -> list[Message]:
    return [Message(text) for text in said]


def place_of(text: str, messages: list[Message]) -> int:
    return [each.text for each in messages].index(text)


def without(text: str, messages: list[Message]) -> list[Message]:
    place = place_of(text, messages)
    return messages[:place] + messages[place + 1 :]


def faults(sent: list[SentExchange], received: History, closed: str = "") -> set[tuple[int, str, Endpoint]]:
    found = judge(sent, {line: Received(messages, closed) for line, messages in received.items()})
    return {
        (number, fault.kind, Endpoint(fault.member, fault.connection)) for number in found for fault in found[number]
    }


# A second checker: slow, and so plain that it can be seen to be right. It only tells right from wrong.


def arrived(text: str, messages: list[Message]) -> list[int]:
    """Return the places in *messages* at which a text stands."""
    return [place for place, each in enumerate(messages) if each.text == text]


def first_fence(each: SentExchange, messages: list[Message]) -> list[int]:
    """Return the place of the fence of an exchange that came first, in a list; an empty one where none came."""
    return sorted(place for text in each.fences for place in arrived(text, messages))[:1]


def in_time(nth: int, place: int, sent: list[SentExchange], messages: list[Message]) -> bool:
    """Tell whether what stands at *place* came before each fence that was sent behind the *nth* exchange."""
    return all(place < fenced for later in sent[nth:] for fenced in first_fence(later, messages))


def not_too_soon(nth: int, place: int, sent: list[SentExchange], messages: list[Message]) -> bool:
    """Tell whether what stands at *place* came after the first fence of each exchange before the *nth*."""
    return all(fenced < place for before in sent[:nth] for fenced in first_fence(before, messages))


def says_the_same(said: Message, right: Message) -> bool:
    """Tell whether a message says beside its text what is right, where it says anything."""
    return all(said.says.get(what, value) == value for what, value in right.says.items())


def delivered(text: str, line: Endpoint, sent: list[SentExchange], messages: list[Message]) -> bool:
    """Tell whether a text came as often as *line* had to hear it, each time in the exchange that said it."""
    due = [nth for nth, each in enumerate(sent) if each.text == text and line in each.expected]
    came = arrived(text, messages)
    return len(due) == len(came) and any(
        all(
            in_time(nth, place, sent, messages)
            and not_too_soon(nth, place, sent, messages)
            and says_the_same(messages[place], message(sent[nth]))
            for nth, place in zip(due, order, strict=True)
        )
        for order in permutations(came)
    )


def fenced_well(nth: int, sent: list[SentExchange], messages: list[Message]) -> bool:
    """Tell whether the *nth* exchange is proved, and each of its fences came once, or is the last and still to come."""
    proved = any(first_fence(later, messages) for later in sent[nth:])
    order = [text for each in sent for text in each.fences]
    for text in sent[nth].fences:
        came = arrived(text, messages)
        later = any(arrived(other, messages) for other in order[order.index(text) + 1 :])
        said = all(says_the_same(messages[place], fence(sent[nth], text)) for place in came)
        proved = proved and len(came) <= 1 and (bool(came) or not later) and said
    own = first_fence(sent[nth], messages)
    return proved and all(not_too_soon(nth, place, sent, messages) for place in own)


def stranger_in(nth: int, sent: list[SentExchange], messages: list[Message]) -> bool:
    """Tell whether what nobody said came while the *nth* exchange was under way, or behind all if it is the last."""
    known = {text for each in sent for text in (each.text, *each.fences)}
    strange = [place for place, each in enumerate(messages) if each.text not in known]
    last = nth == len(sent) - 1
    return any(
        (last or in_time(nth, place, sent, messages))
        and not any(in_time(before, place, sent, messages) for before in range(nth))
        for place in strange
    )


def wrong_texts(sent: list[SentExchange], received: History) -> set[str]:
    """Return the texts of the exchanges that are wrong: of several that say the same it is open which one is."""
    wrong = {each.text for each in sent if each.error and each.expected}
    made = [each for each in sent if not each.error]
    for line, messages in received.items():
        for nth, each in enumerate(made):
            good = delivered(each.text, line, made, messages) and fenced_well(nth, made, messages)
            wrong |= set() if good and not stranger_in(nth, made, messages) else {each.text}
    return wrong


def judged_wrong(sent: list[SentExchange], received: History) -> set[str]:
    found = judge(sent, {line: Received(messages) for line, messages in received.items()})
    return {each.text for each in sent if found[each.number]}


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[list[SentExchange], History]:
    """Exchanges, and what was received of them when up to four things went wrong."""
    sent = draw(repeating())
    received = perfectly(sent)
    for _ in range(draw(st.integers(0, 4))):
        messages = received[draw(st.sampled_from(LINES[:3]))]
        place = draw(st.integers(0, max(len(messages) - 1, 0)))
        other = draw(st.integers(place, len(messages)))
        gone = messages[place : place + 1]
        what = draw(st.sampled_from(["lost", "later", "copied", "leaked", "foreign", "renamed"]))
        come = {
            "lost": [],
            "later": gone,
            "copied": gone,
            "leaked": [message(draw(st.sampled_from(sent)))],
            "foreign": texts("boo"),
            "renamed": [replace(each, says=saying("Mary", "group")) for each in gone],
        }[what]
        messages[other:other] = come
        del messages[place : place + (what in ("lost", "later", "renamed"))]
    return sent, received


@settings(max_examples=TRIES, deadline=None)
@given(spoilt())
def test_the_same_as_the_slow_checker(history):
    """Whatever was said and received, the judge finds wrong what a slow and plain checker does, and nothing else."""
    sent, received = history
    assert judged_wrong(sent, received) == wrong_texts(sent, received)


@st.composite
def legal(draw: st.DrawFn) -> tuple[list[SentExchange], History]:
    """Exchanges, and what was received of them in any order that is right, by lines that need not say everything."""
    sent = draw(repeating())
    sent[-1] = replace(sent[-1], error="", fences=sent[-1].fences or ("last fence",))
    received: History = {}
    for line in LINES[: draw(st.integers(1, 3))]:
        messages, owed = [], []
        for each in (each for each in sent if not each.error):
            # The first fence that comes ends the exchange; what was sent again may come any time later.
            fences = draw(st.permutations(each.fences))
            messages += [message(each)] if line in each.expected else []
            messages.append(fence(each, fences[0]))
            owed += [fence(each, text) for text in fences[1:]]
            again = draw(st.integers(0, len(owed)))
            messages, owed = messages + owed[:again], owed[again:]
        # All that was sent comes once, unless it is among the last that were sent.
        messages += owed
        kept = draw(st.booleans())
        received[line] = messages if kept else [Message(each.text) for each in messages]
    return [replace(each, expected=each.expected & received.keys()) for each in sent], received


@settings(max_examples=TRIES, deadline=None)
@given(legal())
def test_what_is_right_is_never_wrong(history):
    """A right history is right in whichever order what was under way together has come."""
    sent, received = history
    unsent = {each.text for each in sent if each.error and each.expected}
    assert judged_wrong(sent, received) == unsent
    assert wrong_texts(sent, received) == unsent


@given(conversations())
def test_perfect(sent):
    """Nothing is wrong with a perfect delivery."""
    assert faults(sent, perfectly(sent)) == set()


@settings(max_examples=TRIES)
@given(legal(), st.data())
def test_any_spoiling_is_found(history, data):
    """Whatever right history it is put into, a loss, a copy, a leak or a message behind its fence is found."""
    sent, received = history
    assume(not any(each.error for each in sent))
    line = data.draw(st.sampled_from(sorted(received)))
    messages = received[line]
    each = data.draw(st.sampled_from(sent))
    due = arrived(each.text, messages)
    kinds = {"copied or leaked": [each.text], "foreign": ["boo"], "lost": [], "late": [each.text]}
    what = data.draw(st.sampled_from(list(kinds) if due else ["copied or leaked", "foreign"]))
    if what in ("lost", "late"):
        del messages[due[-1]]
    # Behind the last fence that it may come before, wherever else it was to come as well.
    behind = first_fence([other for other in sent if other.text == each.text][-1], messages)[0] + 1
    place = data.draw(st.integers(behind if what == "late" else 0, len(messages)))
    messages[place:place] = texts(*kinds[what])
    assert judged_wrong(sent, received)


ONE, TWO = exchange(1, "one", frozenset(LINES[:1])), exchange(2, "two", frozenset(LINES[:1]))
AGAIN = replace(TWO, text="one")
FENCES = (ONE.fences[0], TWO.fences[0])
#: What came before a fence that was sent before it: the exchanges, and what their only line received.
TOO_SOON = {
    "a message": ([ONE, TWO], ["one", "two", *FENCES]),
    "messages in the other order": ([ONE, TWO], ["two", "one", *FENCES]),
    "a copy instead of a repeat": ([ONE, AGAIN], ["one", "one", *FENCES]),
    "a fence": ([ONE, TWO], ["one", "two", *reversed(FENCES)]),
}


@pytest.mark.parametrize(("sent", "came"), TOO_SOON.values(), ids=TOO_SOON)
def test_what_comes_too_soon(sent, came):
    """What comes before the fence that was sent before it is out of its order, and something is wrong."""
    received = {LINES[0]: texts(*came)}
    assert wrong_texts(sent, received)
    assert judged_wrong(sent, received)


def test_a_repeat_behind_no_fence():
    """Where one exchange has no fence, and the next says its text to others, what those hear is theirs."""
    sent = [replace(ONE, expected=frozenset(LINES[1:2]), fences=()), AGAIN]
    received = {line: texts("one", *AGAIN.fences) for line in LINES[:2]}
    assert wrong_texts(sent, received) == set()
    assert judged_wrong(sent, received) == set()


@given(conversations(), st.sampled_from(LINES), st.data())
def test_stalled_fences(sent, line, data):
    """Fences that are still on their way at the end are no fault, as long as one of the last exchange came."""
    received = perfectly(sent)
    last = sent[-1].fences
    for text in last[data.draw(st.integers(1, len(last))) :]:
        received[line] = without(text, received[line])
    assert faults(sent, received) == set()


@given(conversations(), st.sampled_from(LINES), st.data())
def test_lost_fence(sent, line, data):
    """A fence that never comes, though later ones do, is a broadcast that was lost."""
    fences = [(each, text) for each in sent for text in each.fences]
    assume(len(fences) > 1)
    each, text = data.draw(st.sampled_from(fences[:-1]))
    received = perfectly(sent)
    received[line] = without(text, received[line])
    assert faults(sent, received) == {(each.number, "missing", line)}


@given(conversations(), st.sampled_from(LINES), st.data())
def test_duplicated_fence(sent, line, data):
    """A broadcast that comes twice is duplicated, also when it is a fence."""
    each = data.draw(st.sampled_from(sent))
    received = perfectly(sent)
    received[line] += texts(each.fences[0])
    assert faults(sent, received) == {(each.number, "duplicated", line)}


def pick(data: st.DataObject, sent: list[SentExchange], hears: bool) -> tuple[SentExchange, Endpoint]:
    """Return one of the exchanges, with a line that has to hear it, or one that must not."""
    pairs = [(each, line) for each in sent for line in LINES if (line in each.expected) is hears]
    assume(pairs)
    return data.draw(st.sampled_from(pairs))


@given(conversations(), st.data())
def test_missing(sent, data):
    """A message that one line does not get is missing there, and nowhere else."""
    each, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    received[line] = without(each.text, received[line])
    assert faults(sent, received) == {(each.number, "missing", line)}


@given(conversations(), st.data())
def test_extra(sent, data):
    """A message on a line that it is not for is extra there, wherever in the line it comes."""
    each, line = pick(data, sent, hears=False)
    received = perfectly(sent)
    received[line].insert(data.draw(st.integers(0, len(received[line]))), message(each))
    assert faults(sent, received) == {(each.number, "extra", line)}


@given(conversations(), st.data())
def test_duplicated(sent, data):
    """A message that comes twice is duplicated, also when the second comes much later."""
    each, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    place = data.draw(st.integers(place_of(each.text, received[line]), len(received[line])))
    received[line].insert(place, message(each))
    assert faults(sent, received) == {(each.number, "duplicated", line)}


@given(conversations(), st.data())
def test_altered(sent, data):
    """Another text in a message's place is that message, altered."""
    each, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    received[line][place_of(each.text, received[line])] = Message(each.text + "?")
    assert faults(sent, received) == {(each.number, "altered", line)}


@given(conversations(), st.data())
def test_out_of_order(sent, data):
    """A message behind a fence that was sent after it is out of order."""
    each, line = pick(data, sent, hears=True)
    received = perfectly(sent)
    messages = without(each.text, received[line])
    behind = place_of(each.fences[0], messages) + 1
    messages.insert(data.draw(st.integers(behind, len(messages))), message(each))
    assert faults(sent, received | {line: messages}) == {(each.number, "out of order", line)}


@given(conversations(), st.sampled_from(LINES))
def test_unproven(sent, line):
    """Without any fence on a line nothing is proved there, whatever was received."""
    received = perfectly(sent)
    fences = {text for each in sent for text in each.fences}
    received[line] = [each for each in received[line] if each.text not in fences]
    assert faults(sent, received) == {(each.number, "unproven", line) for each in sent}


@given(conversations(), st.sampled_from(LINES))
def test_closed(sent, line):
    """A line that was closed before the first exchange is closed for each message it was to get."""
    received = perfectly(sent) | {line: []}
    found = judge(
        sent, {each: Received(said, "closed with 1011" if each == line else "") for each, said in received.items()}
    )
    for each in sent:
        kinds = {fault.kind for fault in found[each.number]}
        assert kinds == ({"closed", "unproven"} if line in each.expected else {"unproven"})


@given(conversations(), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3), st.sampled_from(LINES))
def test_never_green_with_a_stranger(sent, strangers, line):
    """A text that nobody sent is never passed over."""
    known = {each.text for each in sent} | {text for each in sent for text in each.fences}
    assume(not known.intersection(strangers))
    received = perfectly(sent)
    received[line] = texts(*strangers) + received[line]
    assert any(each[2] == line for each in faults(sent, received))


def test_not_sent():
    """What could not be sent is "not sent" for each who was to hear it, and nothing more."""
    sent = [replace(ONE, fences=(), error="status 500")]
    assert faults(sent, {LINES[0]: []}) == {(1, "not sent", LINES[0])}


def test_unknown_text_behind_the_last_fence():
    """A stranger after everything is the last exchange's fault."""
    assert faults([ONE], {LINES[0]: texts("one", *ONE.fences, "boo")}) == {(1, "extra", LINES[0])}


def only(sent: list[SentExchange], *came: str | Message) -> set[tuple[int, str]]:
    """Return the faults of the exchanges on one line, which is all that there is."""
    messages = [each if isinstance(each, Message) else Message(each) for each in came]
    return {each[:2] for each in faults(sent, {LINES[0]: messages})}


def test_a_repeat():
    """What is said twice is to come twice, each time before the fence behind it."""
    one, two = FENCES
    assert only([ONE, AGAIN], "one", one, "one", two) == set()
    assert only([ONE, AGAIN], "one", one, two) == {(2, "missing")}
    assert only([ONE, AGAIN], one, "one", two) == {(1, "missing")}
    assert only([ONE, AGAIN], "one", one, "one", "one", two) == {(2, "duplicated")}


def test_a_repeat_to_others():
    """What is said again, to others, must not come again to those who heard it first."""
    elsewhere = replace(AGAIN, expected=frozenset())
    one, two = FENCES
    assert only([ONE, elsewhere], "one", one, two) == set()
    assert only([ONE, elsewhere], "one", one, "one", two) == {(2, "extra")}
    assert only([ONE, elsewhere], one, "one", two) == {(1, "out of order")}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (saying("Mary", "user"), "its sender is Mary, and has to be John"),
        (saying("John", "group"), "its channel is group, and has to be user"),
        ({"sender": "", "channel": "user"}, "its sender is not there, and has to be John"),
    ],
)
def test_the_envelope(said, text):
    """A message that is said to be from somebody else, or in another channel, is altered; the fault says how."""
    sent = [by(ONE, "John", "user")]
    (fault,) = judge(sent, {LINES[0]: Received([Message("one", said), Message(ONE.fences[0])])})[1]
    assert (fault.kind, fault.text) == ("altered", text)


def test_the_envelope_of_a_fence():
    """A fence is a broadcast of whom its exchange is of, and held against that."""
    sent = [by(ONE, "John", "user")]
    assert only(sent, "one", Message(ONE.fences[0], saying("John", "broadcast"))) == set()
    assert only(sent, "one", Message(ONE.fences[0], saying("Mary", "broadcast"))) == {(1, "altered")}
    assert only(sent, "one", Message(ONE.fences[0], saying("John", "user"))) == {(1, "altered")}


def test_an_envelope_that_nobody_knows():
    """Where a frame does not say who sent it, or nobody is to look at that, nothing is held against it."""
    assert only([ONE], Message("one", saying("Mary", "group")), Message(ONE.fences[0], saying("Mary"))) == set()
    sent = [by(ONE, "John", "user")]
    assert only(sent, "one", *ONE.fences) == set()


@st.composite
def in_rooms(draw: st.DrawFn) -> list[SentExchange]:
    """Exchanges in rooms: each fence is for some of the lines, and what none is for is not reached by any."""
    sent = draw(conversations())
    found = []
    for each in sent:
        reach = {text: draw(st.frozensets(st.sampled_from(LINES))) for text in each.fences}
        found.append(replace(each, reach=reach, unreached=frozenset(LINES).difference(*reach.values())))
    return found


def heard_in(line: Endpoint, sent: list[SentExchange]) -> list[Message]:
    """Return what a line receives where each fence comes to those whom it is for."""
    return [
        each
        for one in sent
        for each in [*([message(one)] if line in one.expected else []), *map(Message, one.fences_of(line))]
    ]


@settings(max_examples=FEWER)
@given(in_rooms())
def test_fences_of_rooms(sent):
    """A fence that is not for a line is not missed there, and whom none reaches has no fault for that."""
    assert faults(sent, {line: heard_in(line, sent) for line in LINES}) == set()


@settings(max_examples=FEWER)
@given(in_rooms(), st.data())
def test_fences_that_leak(sent, data):
    """A fence that comes to a line which it is not for is a leak, of the exchange that it was behind."""
    line = data.draw(st.sampled_from(LINES))
    foreign = [(each, text) for each in sent for text in each.fences if line not in each.reach[text]]
    assume(foreign)
    each, text = data.draw(st.sampled_from(foreign))
    received = {other: heard_in(other, sent) for other in LINES}
    place = data.draw(st.integers(0, len(received[line])))
    received[line].insert(place, Message(text))
    assert faults(sent, received) == {(each.number, "extra", line)}


@settings(max_examples=FEWER)
@given(in_rooms(), st.data())
def test_messages_that_leak_between_rooms(sent, data):
    """A message that comes to a line which it is not for is found, whether or not a fence reaches that line."""
    line, each = data.draw(st.sampled_from(LINES)), data.draw(st.sampled_from(sent))
    assume(line not in each.expected)
    received = {other: heard_in(other, sent) for other in LINES}
    received[line].append(message(each))
    assert {(kind, where) for _, kind, where in faults(sent, received)} == {("extra", line)}
