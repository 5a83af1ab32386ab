"""Isolation: does anybody hear what is not for them, or speak without being let in?

Every question yields its finding when it is answered, so that what was found before something broke is kept. Those who
listen stay until :func:`look_again` has looked once more: what reaches them later has reached them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from harness.captured.output import shorten
from harness.chat.conversation import Chat
from harness.chat.exchanges import Exchanged
from harness.chat.ledger import in_any_letters, of_another_run, overheard, stands_in
from harness.chat.members import GROUP, GROUP_MEMBERS, ChannelRow
from harness.chat.parties import Eavesdropper, Listening, foreign_origins
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Decides, Finding

_SENDER = "admin"
#: Seconds that are watched where no fence can prove that nothing comes.
_QUIET = 1.0
#: What strangers ask, and what they say.
_POSTING = "Can an unknown client post a message to a page?"
_OTHERS = "Do messages of other runs, or of earlier ones, stay away?"
_DISPLACING = "Do members stay connected while strangers try?"
_POSTED = "posted by a stranger"
_SPEAKS = re.compile(r"Can (.+) (?:broadcast|post) .*\?")


#: Stands for all questions about strangers where there was no time for them.
NOT_TRIED = Finding(
    question="Were strangers tried?",
    expected="yes",
    seen="no: not all messages were there in time, and so they were not tried",
    good=None,
)


def private_rows() -> list[ChannelRow]:
    """Return what is said in private in this project's chat: to each member, and to the group."""
    rows = [ChannelRow(0, "user", _SENDER, member, (member,)) for member in ("admin", *GROUP_MEMBERS)]
    return [*rows, ChannelRow(0, "group", "John", GROUP, GROUP_MEMBERS)]


def overhear(
    chat: Chat, eavesdroppers: Sequence[Eavesdropper], rows: Sequence[ChannelRow] | None = None
) -> Iterator[Finding]:
    """Let *eavesdroppers* listen while private messages are sent; one finding for each.

    *rows* are those messages; None stands for those of this project's chat.

    A fence on each of their connections, after the messages, proves what they did not receive.
    """
    listening = Listening({Endpoint("eavesdropper", str(number)): each for number, each in enumerate(eavesdroppers, 1)})
    chat.listening = listening
    for endpoint, each in listening.eavesdroppers.items():
        _enter(chat, endpoint, each, listening)
    rows = private_rows() if rows is None else rows
    listening.since = time.monotonic()
    for row in rows:
        text = f"private {row.channel} message to {row.audience} ({chat.token})"
        with suppress(SendFailed):  # a member whose place a stranger has taken
            chat.say(row, text)
        # One at a time, so that no message is kept back behind another.
        chat.transcript.wait(chat.client.expected(row), [text], 0.5)
    hearing = [endpoint for endpoint in listening.eavesdroppers if endpoint not in listening.refused]
    fences: list[str] = []
    try:
        for way in chat.client.fences(rows[-1]):
            if reached := [each for each in hearing if way.reaches(chat, each)]:
                fences += chat.fence_all(partial(way.send, chat), reached, _QUIET, hearers=way.hearers)
    except SendFailed:  # as above
        fences += chat.announce_fence(hearing, _QUIET)
    listening.fences = tuple(fences)
    yield from _findings(chat, listening)


def _enter(chat: Chat, endpoint: Endpoint, each: Eavesdropper, listening: Listening) -> None:
    """Open the connection of an eavesdropper; a foreign page that is not let in tries other Origins."""
    likely = foreign_origins(each.near or chat.server.base) if each.origin else []
    for origin in [each.origin, *likely]:
        try:
            chat.open(endpoint, each.path, each.member, origin)
            with suppress(CellFailure):  # one that hears no broadcast may hear what is private
                chat.wait_subscribed([endpoint], seconds=_QUIET)
        except HandshakeRefused as error:
            listening.refused.setdefault(endpoint, str(error))
            continue
        if each.origin and chat.transcript.closed(endpoint):  # which is how many refuse a page
            listening.refused.setdefault(endpoint, chat.transcript.closed(endpoint))
            continue
        if listening.refused.pop(endpoint, ""):
            listening.origins[endpoint] = origin
        return


def look_again(chat: Chat, findings: list[Finding]) -> None:
    """Answer again, in *findings*, what the eavesdroppers of *chat* hear and what strangers made heard; let them go."""
    if chat.listening is None:
        return
    again = {finding.question: finding for finding in _findings(chat, chat.listening)}
    for place, finding in enumerate(findings):
        findings[place] = again.get(finding.question, finding)
        if finding.good and (said := _SPEAKS.fullmatch(finding.question)):
            text = f"{_POSTED} ({chat.token})" if finding.question == _POSTING else _said_by(chat, said[1])
            if heard := _hearers(chat, text):
                seen = f"{finding.seen}, and later the message is received by {', '.join(heard)}"
                findings[place] = msgspec.structs.replace(finding, seen=seen, good=False)
    chat.close(chat.listening.eavesdroppers)


def of_other_runs(chat: Chat, played: Exchanged) -> Iterator[Finding]:
    """Yield that messages of another run came to members while one was *played*, where some did: nobody judges them."""
    began = min(played.sent_at, default=0.0)
    found = [
        (endpoint, text)
        for endpoint in chat.endpoints
        for text in chat.ledger.unsaid(each.text for each in chat.transcript.messages(endpoint) if each.at >= began)
        if of_another_run(text, chat.token)
    ]
    if found:
        (endpoint, text), number = found[0], len(found)
        seen = f"no: {number} arrived, the first on {endpoint.member}'s {endpoint.name}: {shorten(text)}; not judged"
        yield Finding(question=_OTHERS, expected="yes", seen=seen, good=None)


def displaced(rounds: Iterable[Exchanged]) -> Iterator[Finding]:
    """Yield that strangers had members' connections closed, where they did in one of *rounds*."""
    found = {f"{each.member}'s {each.name} is {why}": None for one in rounds for each, why in one.displaced.items()}
    if found:
        seen = f"no: {'; '.join(found)}; it stands where no stranger comes"
        yield Finding(question=_DISPLACING, expected="yes", seen=seen, good=False)


def _findings(chat: Chat, listening: Listening) -> Iterator[Finding]:
    heard = list(overheard(chat.ledger, chat.transcript.frames, chat.owners))
    private = {said.text: None for said in chat.ledger.private()}
    for endpoint, each in listening.eavesdroppers.items():
        texts = [leak.said.text for leak in heard if leak.endpoint == endpoint]
        refused = listening.refused.get(endpoint, "")
        texts += [text for text in private if stands_in(text, refused)]
        if each.origin:  # the page of a foreign site is to hear nothing at all, whoever's cookies it has
            texts += [text for text in chat.transcript.texts(endpoint) if text in private and text not in texts]
        yield _finding(chat, endpoint, each, listening, texts)


def _finding(chat: Chat, endpoint: Endpoint, each: Eavesdropper, listening: Listening, heard: Sequence[str]) -> Finding:
    foreign = bool(each.origin)
    good: bool | None = True
    fenced, closed = chat.transcript.has_one(endpoint, listening.fences), chat.transcript.closed(endpoint)
    at_once = closed and not chat.transcript.closed_since(endpoint, listening.since)
    if heard:
        good, seen = False, _what_was_heard(chat, heard)
    elif refusal := listening.refused.get(endpoint, closed if at_once or (foreign and _deaf(chat, endpoint)) else ""):
        ended = refusal == closed or refusal.startswith(CLOSED_BY_SERVER)
        seen = "its connection is closed again" if ended else f"refused: {refusal}"
        if for_anybody(refusal):
            good, seen = None, f"{seen}: not proved, anybody may be answered like that"
    elif closed:
        good, seen = not foreign, f"accepted, and later {closed}; nothing private"
    elif not fenced:
        good, seen = None, "nothing, but no broadcast arrives either: not proved"
    else:
        good, seen = not foreign, "accepted, but nothing private" if foreign else "nothing private"
    if origin := listening.origins.get(endpoint):
        seen += f" (with the Origin {origin})"
    expected = "the connection is refused" if foreign else "nothing meant for others"
    if each.welcome:
        expected, good = f"either, for {each.welcome}", good if endpoint in listening.refused else None
    question = f"What reaches {each.who}?" + (f" On {each.at}" if each.at else "")
    return Finding(question=question, expected=expected, seen=seen, good=good, decided_by=each.decided_by)


def _deaf(chat: Chat, endpoint: Endpoint) -> bool:
    """Tell whether nothing that anybody said has come to *endpoint*."""
    came = chat.transcript.texts(endpoint)
    return len(chat.ledger.unsaid(came)) == len(came)


def _what_was_heard(chat: Chat, texts: Sequence[str]) -> str:
    """Say whose private messages *texts* are."""
    said = {each.text: each for each in chat.ledger.said if each.hearers is not None}
    private = [text for text in texts if said[text].exchange is None and text.startswith("private ")]
    if private:
        audiences = [text.removeprefix("private ").partition(" message to ")[2].partition(" (")[0] for text in private]
        people = dict.fromkeys(person for audience in audiences for person in audience.split(", "))
        return f"the private messages to {', '.join(people)}"
    return "a private message that was said before" if len(texts) == 1 else f"{len(texts)} private messages said before"


def publish_unknown(
    chat: Chat, path: str, welcome: str = "", who: str = "an unknown client", decided_by: Decides = ""
) -> Iterator[Finding]:
    """Let somebody unknown broadcast through a WebSocket; *welcome* is why they may, empty where they may not."""
    seen, good = _published(chat, path, who)
    expected = "no member receives it"
    if welcome:
        expected, good = f"either, for {welcome}", good or None
    question = f"Can {who} broadcast through a WebSocket?"
    yield Finding(question=question, expected=expected, seen=seen, good=good, decided_by=decided_by)


def _published(chat: Chat, path: str, who: str) -> tuple[str, bool | None]:
    """Have somebody speak at *path*; return what came of it, and whether that is good."""
    endpoint, text = Endpoint("stranger", "broadcast"), _said_by(chat, who)
    try:
        chat.open(endpoint, path)
    except HandshakeRefused as error:
        return f"refused: {error}", None if for_anybody(str(error)) else True
    with suppress(CellFailure):
        chat.wait_subscribed([endpoint], seconds=_QUIET)
    _speak(chat, endpoint, text)
    # The stranger's own fences: only they are behind the message on its way.
    fences = chat.fence_all(lambda fence: _speak(chat, endpoint, fence), chat.endpoints, _QUIET)
    closed = chat.transcript.closed(endpoint)
    chat.close([endpoint])
    # Members who no longer receive each other's messages prove nothing about a stranger's.
    own = chat.announce_fence(seconds=_QUIET)
    heard = _hearers(chat, text)
    if heard:
        return f"received by {', '.join(heard)}", False
    if any(chat.transcript.has_one(each, fences) for each in chat.endpoints):
        return "the message was not received, but later ones were", False
    if not any(chat.transcript.has_one(each, own) for each in chat.endpoints):
        return "not proved: the members hear nothing any more", None
    if closed:
        return "not received; the connection is closed", None if for_anybody(closed) else True
    return f"not received within {_QUIET:.0f} s", True


def _said_by(chat: Chat, who: str) -> str:
    """Return what the stranger *who* says."""
    stranger = "a stranger" if who == "an unknown client" else who
    return f"broadcast of {stranger} ({chat.token})"


def _hearers(chat: Chat, text: str) -> list[str]:
    """Return the members on whose connections *text* has arrived, in whatever wrapping."""
    wanted = set(chat.endpoints)
    frames = [each for each in list(chat.transcript.frames) if each.direction == "in" and each.endpoint in wanted]
    return sorted({each.endpoint.member for each in frames if in_any_letters(text, each.data)})


def for_anybody(refusal: str) -> bool:
    """Tell whether a *refusal* says nothing of who asked: there is no such place, or no room, or the server failed."""
    return re.match(r"status (404|408|429|5\d\d)\b|.* with 101[23]\b", refusal) is not None


def _speak(chat: Chat, endpoint: Endpoint, text: str) -> None:
    with suppress(SendFailed):
        chat.broadcast(endpoint, text)


def post_unknown(chat: Chat, path: str) -> Iterator[Finding]:
    """Let an unknown client post a message to a page, with the token that Django gives to anybody."""
    text = chat.ledger.add(f"{_POSTED} ({chat.token})")
    stranger = chat.session("stranger")
    login = chat.server.form.path
    stranger.get(login)
    answer = stranger.post(path, {"message": text})
    chat.announce_fence()
    heard = _hearers(chat, text)
    refused = answer.status_code == 403 or (answer.status_code == 302 and login in answer.headers.get("Location", ""))
    seen = "it is sent to the login page" if answer.status_code == 302 and refused else f"status {answer.status_code}"
    if heard:
        seen += f", and the message is received by {', '.join(heard)}"
    yield Finding(
        question=_POSTING,
        expected="it is sent to the login page",
        seen=seen,
        good=refused and not heard,
        decided_by="project",  # it is a view behind Django's login, of no library
    )
