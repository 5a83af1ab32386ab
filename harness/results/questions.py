"""The words of questions and answers, and the short names of the questions, which commands and addresses can use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

#: How an answer begins where the question could not be put.
NOT_ASKED = "not asked"
#: How answers begin that say nothing of what was asked.
UNANSWERED = (NOT_ASKED, "not proved", "not tested")
#: The beginnings of questions, and what stands for them.
_KNOWN = {
    "What reaches an unknown client that subscribes to user messages?": "unknown-hears-user",
    "What reaches an unknown client that subscribes to group messages?": "unknown-hears-group",
    "What reaches an unknown client?": "unknown-hears",
    "What reaches a client with a made-up cookie or token?": "made-up-hears",
    "What reaches Mary, who asks for John's channel?": "mary-hears-john",
    "What reaches a page of a foreign Origin, with John's cookie?": "foreign-origin",
    "What reaches a page of a foreign Origin, with a member's cookie?": "foreign-origin",
    "Can an unknown client broadcast through a WebSocket?": "unknown-broadcasts",
    "Can a client with a made-up cookie or token broadcast through a WebSocket?": "made-up-broadcasts",
    "Can an unknown client post a message to a page?": "unknown-posts",
    "An echo": "echo",
    "A message in a room's page": "room-page",
    "A message in a room": "room",
    "The same message on another room's page": "other-room-page",
    "The same message in another room": "other-room",
    "A message sent right after somebody's handshake": "early",
    "The order of a burst": "burst-order",
    "A burst of ": "burst",
    "A connection that is idle for ": "idle",
    "A message sent while somebody was away, with keeping off": "away",
    "A message sent while somebody was away, with keeping on": "away-kept",
    "An anonymous visitor": "not-logged-in",
    "The fifteen exchanges, typed and clicked in three browsers": "exchanges-in-browsers",
    "A message of 140 kB, pasted into a page": "long-page",
    "Errors on the browsers' consoles": "console-errors",
    "A page whose server is away": "page-without-server",
    "The same page once the server is back": "page-server-back",
    "Messages of a quiet chat": "quiet-chat",
    "A broadcast to ": "load",
    "Messages a second to ": "load-rate",
    "Does the server end while connections are open?": "ends-open",
    "Does the server end while connections are closing?": "ends-closing",
    "Could all of this be asked?": "asked",
    "Does the server outlast the questions?": "outlasts",
    "Do members stay connected while strangers try?": "displaced",
}
#: What questions of the deep sets are about, before their colon, and what is asked of it, behind it.
_SUBJECTS = {
    "300 messages by one handler": "many-300",
    "While somebody does not read for 10 s": "unread",
    "While a handler awaits for 2 s": "handler-awaits",
    "While a handler blocks for 2 s": "handler-blocks",
    "While a member uploads 48 MB": "upload",
    "The rules of WebSockets": "rules",
    "Behind HAProxy with a time-out of 5 s": "haproxy",
    "Behind NGINX with a time-out of 5 s": "nginx",
    "SIGTERM under traffic": "sigterm",
    "Two servers behind NGINX, replaced one after the other": "rolling",
    "Under /sub behind NGINX": "sub-path",
    "A client closes with 4001": "client-closes",
    "A client vanishes without a word": "client-vanishes",
    "A client's connection is reset": "client-reset",
    "A handler raises": "handler-raises",
    "The server closes with 4400 and a reason": "server-closes",
    "The broker answers 200 ms late": "broker-late",
    "The broker comes after the server": "broker-absent",
    "The broker is away for 2 s": "broker-away",
    "The broker is frozen for 10 s": "broker-frozen",
    "The broker is killed for good": "broker-killed",
    "The broker's connections are half-open": "broker-half-open",
    "The broker's replica takes over, by Sentinel": "sentinel",
    "The members' connections are half-open": "members-half-open",
    "The members' network is cut for 3 s": "members-cut",
    "The server is killed, and started again": "server-killed",
    "What is left of 2000 sockets that came and went, 5 times": "left",
    "After a change of the password": "after-password",
    "After a logout in another tab": "after-logout",
    "After the deactivation of the member": "after-deactivation",
    "After the deletion of the session": "after-deletion",
    "After the end of the session's time": "after-expiry",
    "After the member has left the group": "after-leaving",
}
_ASPECTS = {
    "another member's round trips": "others",
    "what is sent to its own socket": "own-socket",
    "what is received afterwards": "afterwards",
    "a connection that is idle for 8 s": "idle",
    "a connection that is idle for 8 s, with the server's pings": "idle-pings",
    "100 clients who come back": "crowd",
    "80 clients who come back": "crowd",
    "members who come back": "returning",
    "messages lost silently": "lost",
    "messages that come twice": "twice",
    "open connections": "open",
    "its disconnect handler": "disconnect",
    "the disconnect handler of its connection": "disconnect",
    "the other members": "others",
    "can the open connection send?": "send",
    "does the open connection receive messages?": "receive",
    "does the open connection receive what goes to the group?": "receive",
}
#: Names of ways that would make a question's name too long, and what stands for them.
_WAYS = {"AllowedHostsOriginValidator": "checked", "setting WS4REDIS_ALLOWED_CHANNELS": "allowed"}
#: How a payload was sent, which ends its question.
_PAYLOAD = re.compile(r"(.+) by (WebSocket|POST)")
#: How many subscribers a stress test has, of which kind, and whether their message was kept for them.
_STRESS = re.compile(r"(\d+) subscribers as (\w+), a message (that was kept)?")
#: What follows at once where a question asks of so and so many.
_NUMBER = re.compile(r"\d+(?= )")
#: The words of a name at most, and those that say nothing.
_WORDS = 6
_EMPTY = {"a", "an", "as", "by", "consumer", "each", "in", "is", "it", "layer", "of", "the", "to", "with"}


#: How questions and answers were worded before: what they began with, or had in them → the words of today.
_FORMERLY = {
    "What hears ": "What reaches ",
    "Whoever is not logged in": "An anonymous visitor",
    "nothing of another member's": "nothing meant for others",
    "arrives, or nothing does": "arrives, or is ignored",
    "can be lost: the subscription does not stand yet": "can be lost: it is not subscribed yet",
    "can be lost, also to those who are subscribed": "can be lost, even by those subscribed",
    "some are kept back until further messages come": "some are held back until more messages come",
    "is closed with 4400 enough": "is closed with 4400 and the reason “enough”",
    "neither SIGINT nor SIGTERM ended it": "neither SIGINT within 6 s nor SIGTERM within 3 s more ended it",
    "receives is no WebSocket, so that a browser ends it": "receives is invalid WebSocket data, which browsers reject",
}
_DOES = re.compile(r"What does (.+?),? hear\?")
_BEFORE = re.compile("|".join(map(re.escape, _FORMERLY)))


def deciders(decided_by: Iterable[str]) -> list[str]:
    """Return in words whose defaults or code *decided_by* names (``library``, ``project``, ``server``), each once."""
    return ["this project" if each == "project" else f"the {each}" for each in sorted({*decided_by} - {""})]


@lru_cache(maxsize=10_000)  # most cells were asked what others were, and many answered the same
def worded(text: str) -> str:
    """Return a question, or an answer to one, in the words of today: results that were recorded before have others."""
    return _DOES.sub(r"What reaches \1?", _BEFORE.sub(lambda then: _FORMERLY[then[0]], text))


#: The way of a library, or the deployment, that a question is put to; it ends the question.
_WAY = re.compile(r" \(((?:[^()]|\([^()]*\))*)\)$")


def apart(question: str) -> tuple[str, str]:
    """Return *question* as it is put to the usual way, and the way or deployment that it was put to; often empty."""
    found = _WAY.search(question)
    return (question[: found.start()], found[1]) if found else (question, "")


def put_to(question: str, way: str) -> str:
    """Return *question* as it is put to a *way*; to the usual one, which has no name, as it stands."""
    return f"{question} ({way})" if way else question


#: What arrived where it was altered, letter by letter.
_ALTERED = re.compile(r"arrives as ('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", re.DOTALL)


def in_short(seen: str) -> str:
    """Return an answer in a few words: of what arrived altered, only that it was."""
    return _ALTERED.sub("arrives altered", seen)


#: How often of how many times something was seen, and what else was.
_TIMES = re.compile(r" \((\d+) of (\d+)( times| runs)?\)(; .*)?$")
#: So many times are several.
_SEVERAL = 3
#: What differs between two answers of the same words: what stands in brackets, and what was counted or measured.
_MEASURED = re.compile(r" \([^)]*\)|\b\d+ of \d+\b|\b\d+\.\d+\b|\b\d+(?= (ms|s|MB|kB)\b)")


def certain(text: str) -> bool:
    """Tell whether an answer that can be chance is none: it came each of several times that it was asked for."""
    times = _TIMES.search(text)
    return times is not None and times[1] == times[2] and int(times[2]) >= _SEVERAL


def always(text: str) -> bool:
    """Tell whether an answer came each time that it was asked for, as far as it says."""
    times = _TIMES.search(text)
    return times is None or times[1] == times[2]


def without_counts(seen: str) -> str:
    """Return an answer without how often of how many times it was seen."""
    return _TIMES.sub("", seen)


def same_words(seen: str, other: str) -> bool:
    """Tell whether two answers say the same, whatever was counted or measured."""
    return _MEASURED.sub("…", seen) == _MEASURED.sub("…", other)


@cache
def identifier(question: str) -> str:
    """Return the short name of *question*: small letters, digits and hyphens; the same one for the same question.

    What stands in brackets, the way in which it was asked, is part of it. A library's own questions get their words.
    """
    plain, _, bracket = question.partition(" (")
    subject, _, aspect = plain.partition(": ")
    if subject in _SUBJECTS:
        return _joined(_SUBJECTS[subject], _ASPECTS.get(aspect, aspect), bracket)
    for known, name in _KNOWN.items():
        if plain.startswith(known):
            rest = plain.removeprefix(known)
            number = _NUMBER.match(rest)
            return _joined(name, number[0] if number else rest, bracket)
    if stress := _STRESS.match(plain):
        return _joined("stress", f"{stress[1]} {stress[2]} {'kept' if stress[3] else 'live'}", bracket)
    if payload := _PAYLOAD.fullmatch(plain):
        return _joined("payload", f"{payload[1]} {payload[2]}", bracket)
    return _joined("", plain, bracket)


def _joined(name: str, rest: str, bracket: str) -> str:
    for way, short in _WAYS.items():
        bracket = bracket.replace(way, short)
    what, _, of_it = rest.partition(": ")
    most = 2 * _WORDS if bracket else _WORDS
    if of_it:
        telling = _telling(what, most) + _telling(f"{of_it} {bracket}", 2 * _WORDS)
    else:
        telling = _telling(f"{what} {bracket}", most)
    return "-".join([*([name] if name else []), *telling]) or "question"


def _telling(text: str, most: int) -> list[str]:
    """Return the first words of *text* that say something."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [word for word in words if word not in _EMPTY][:most]
