"""Assert who heard something, and prove that nobody else did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.chat.judge import Received, SentExchange, judge
from harness.clients.connection import Endpoint
from harness.clients.transcript import Message
from harness.plugin.member import FENCE, PATIENCE, Frame, Hall, Member, canonical, shown, value_of
from harness.results.result import Fault

#: Seconds until a fence that has not arrived is sent again.
_INTERVAL = 0.25
#: Keys under which a message usually stands.
_USUAL = ("message", "text", "body", "content", "msg", "data")


def assert_heard_exactly(
    frame: Frame,
    *,
    by: Sequence[Member],
    fence: Sequence[Member] = (),
    quiet: float | None = None,
    within: float = PATIENCE,
    ignore: Callable[[Frame], bool] = lambda frame: False,
) -> None:
    """Assert that each of *by* has heard *frame* once, and nothing else since the last assertion; and nobody else it.

    Each of *fence* then says something in turn, in the form of what was said last: what came before that on a
    connection is all that will come there. Whom none of these reaches nothing is proved of: that fails, unless *quiet*
    gives the seconds for which they are watched. *within* are the seconds that a message may take. What *ignore*
    returns True for does not count, such as a welcome.

    Raises:
        AssertionError: somebody has not heard it, or somebody else has, or it is not proved; it says who heard what.
        ValueError: nobody is given, or members of different tests are.
    """
    __tracebackhide__ = True
    hall = _hall([*by, *fence])
    text, began = canonical(frame), hall.seen
    frames = hall.transcript.frames
    since = frames[began].at if began < len(frames) else 0.0
    speaker = hall.last_speaker
    if fence and speaker is not None and speaker not in fence:
        raise ValueError(f"{speaker.name} spoke: only a fence of {speaker.name}'s comes behind that; add it to fence=")
    hall.transcript.wait([each.endpoint for each in by], [text], within, since)
    fences: list[str] = []
    reach: dict[str, frozenset[Endpoint]] = {}
    # Whoever spoke comes first: what the others say proves nothing before that has arrived.
    for sayer in sorted(fence, key=lambda each: each is not speaker):
        fences += _fenced(hall, sayer, frame, by, within)
    everybody = [each.endpoint for each in hall.members]
    for said in fences:
        reach[said] = frozenset(each for each in everybody if hall.transcript.arrival(each, said) is not None)
    left = {each.endpoint for each in hall.members if each.closed and each not in by}
    unreached = frozenset(everybody).difference(*reach.values())
    if unreached - left and quiet is not None:
        time.sleep(quiet)  # nothing else proves anything of them
    sent = SentExchange(
        1,
        text,
        frozenset(each.endpoint for each in by),
        tuple(fences),
        reach,
        unreached if quiet is not None else unreached & left,
    )
    end = len(hall.transcript.frames)
    heard = {each: Received(_since(hall, each, began, end, ignore), hall.transcript.closed(each)) for each in everybody}
    faults = judge([sent], heard)[1]
    lines = shown(hall, began)
    hall.seen = end
    if faults:
        raise AssertionError("\n".join([_headline(frame, by), *map(_fault, faults), "in order:", *lines]))


def _hall(members: Sequence[Member]) -> Hall:
    halls = {id(each.hall): each.hall for each in members}
    if len(halls) != 1:
        raise ValueError("name somebody in by or fence, and only members of this test")
    return next(iter(halls.values()))


def _since(hall: Hall, endpoint: Endpoint, began: int, end: int, ignore: Callable[[Frame], bool]) -> list[Message]:
    """Return what *endpoint* has received from the frame *began* to the frame *end*, without what is ignored."""
    frames = hall.transcript.frames
    if began >= end:
        return []
    first, last = frames[began].at, frames[end - 1].at
    there = [each for each in hall.transcript.messages(endpoint) if first <= each.at <= last]
    return [each for each in there if FENCE.fullmatch(each.text) or not ignore(value_of(each.text))]


def _fenced(hall: Hall, sayer: Member, frame: Frame, by: Sequence[Member], within: float) -> list[str]:
    """Have *sayer* say fences until all whom that has to reach have one; return their texts.

    Raises:
        AssertionError: they cannot be said.
    """
    said = hall.last_said if hall.last_said is not None else frame
    place = [each.endpoint for each in hall.members if each.endpoint.name == sayer.endpoint.name]
    # In some chats nobody hears what they say themselves.
    wanted = [each.endpoint for each in by if each.endpoint in place and each is not sayer] or [sayer.endpoint]
    fences: list[str] = []
    deadline, interval = time.monotonic() + within, _INTERVAL
    while True:
        fences.append(hall.new_fence())
        try:
            sayer.say_fence(_like(said, frame, fences[-1]))
        except OSError as error:
            raise AssertionError(f"{sayer.name} cannot say a fence: {sayer.closed or error}") from error
        if hall.transcript.wait(wanted, fences, interval) or time.monotonic() > deadline:
            break
        interval *= 2
    # Others have it at the same time, if they are to have it at all.
    hall.transcript.wait([each.endpoint for each in hall.members], fences, _INTERVAL)
    return fences


def _like(said: Frame, frame: Frame, fence: str) -> Frame:
    """Return what was *said* with *fence* in the place of the message in it; *frame* is what is to be heard.

    Raises:
        ValueError: it is not plain where the message stands.
    """
    if isinstance(said, str):
        said = value_of(said)
    if isinstance(said, str):
        return fence
    if isinstance(said, bytes):
        return fence.encode()
    texts = dict(_leaves(said))
    heard = set(dict(_leaves(frame)).values()) if not isinstance(frame, str | bytes) else {frame}
    common = [where for where, text in texts.items() if text in heard]
    usual = [where for where in texts if where and where[-1] in _USUAL]
    places = [where for where in usual if where in common] or usual or common or list(texts)
    if not places:
        raise ValueError(f"there is no text in {said!r} in whose place a fence can stand")
    return _with(said, places[0], fence)


def _leaves(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every text in *value*, with the keys that lead there."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _leaves(inside, (*where, key))
    elif isinstance(value, list | tuple):
        for number, inside in enumerate(value):
            yield from _leaves(inside, (*where, number))


def _with(value: Any, where: tuple[Any, ...], text: str) -> Any:
    """Return *value* with *text* where the keys *where* lead to."""
    if not where:
        return text
    first, *rest = where
    if isinstance(value, dict):
        return {key: _with(inside, tuple(rest), text) if key == first else inside for key, inside in value.items()}
    return [_with(inside, tuple(rest), text) if number == first else inside for number, inside in enumerate(value)]


def _headline(frame: Frame, by: Sequence[Member]) -> str:
    return f"{frame!r} was to be heard by {', '.join(each.name for each in by) or 'nobody'}, and by nobody else:"


def _fault(fault: Fault) -> str:
    """Say what went wrong for somebody."""
    said = {
        "missing": "did not hear it",
        "extra": "heard what was not to come",
        "duplicated": "heard it more than once",
        "altered": "heard something else",
        "out of order": "heard it in another order",
        "unproven": "may still hear it: no fence reaches them; add somebody of their place to fence=, or quiet=1.0",
        "closed": "is not connected any more",
    }[fault.kind]
    text = FENCE.sub("a fence", fault.text)
    more = f": {text}" if text and fault.kind != "unproven" else ""
    return f"  {fault.member} {said}{more}"
