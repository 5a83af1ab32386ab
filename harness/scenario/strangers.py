"""Strangers at somebody's own chat.

They are a client that has no cookie and no token, one that has made some up, and a page of a foreign site with a
member's cookie.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.chat import isolation
from harness.chat.conversation import Chat
from harness.chat.members import ChannelRow
from harness.chat.parties import FOREIGN, Eavesdropper
from harness.results.result import Finding
from harness.scenario import fences
from harness.scenario.client import ScenarioClient

#: How many connections are tried.
_MOST = 10
#: How many messages are said for them to overhear.
_MOST_SAID = 20
_MADE_UP = "a client with a made-up cookie or token"
_NO_LOGIN = "there is no login: a stranger has the address and the headers of members"
_NO_COOKIE = "no cookie lets anybody in"


def ask(chat: Chat, client: ScenarioClient) -> Iterator[Finding]:
    """Ask whether somebody hears what is not for them, or speaks without being let in."""
    scenario, rows = client.scenario, _rows(client)
    if not rows:
        return  # nobody hears anything, so there is nothing to overhear
    heard = {endpoint.name for row in rows for endpoint in client.expected(row)}
    names = [each for each in scenario.connections if each in heard]
    if left := names[_MOST:]:
        seen = f"no: connections beyond the first {_MOST} are not tried, such as {left[0]}"
        yield Finding(question="Are all connections tried?", expected="yes", seen=seen, good=None)
    names = names[:_MOST]
    several = len(scenario.connections) > 1
    eavesdroppers = [each for name in names for each in _at(chat, client, name, several)]
    yield from isolation.overhear(chat, eavesdroppers, rows)
    spoken = [each for each in scenario.exchanges if scenario.said_on(each) in names and scenario.hearers(each)]
    if spoken:
        name, sender = scenario.said_on(spoken[0]) or "", spoken[0].sender
        welcome = "" if client.has_login else _NO_LOGIN
        yield from isolation.publish_unknown(chat, client.address_as(name, sender), welcome)
        if client.doors.can_be_made_up(chat, name, sender):
            yield from isolation.publish_unknown(chat, client.address_as(name, sender, True), who=_MADE_UP)


def _rows(client: ScenarioClient) -> list[ChannelRow]:
    """Return the rows that are said for strangers to overhear: of those that go the same way to the same people one.

    The last ones reach everybody who is reached by any.
    """
    covering = fences.covering(client.script.rows, client.expected)
    alike = {(each.channel, each.audience, client.expected(each)): each for each in [*client.script.rows, *covering]}
    others = [each for each in alike.values() if each not in covering and client.expected(each)]
    return [*others[: max(_MOST_SAID - len(covering), 0)], *covering]


def _at(chat: Chat, client: ScenarioClient, name: str, several: bool) -> list[Eavesdropper]:
    """Return who listens at the connection *name*; where there are *several* they say at which."""
    holder, at = client.scenario.holders(name)[0], name if several else ""
    made_up = Eavesdropper(_MADE_UP, client.address_as(name, holder, True), at=at)
    return [
        Eavesdropper(
            "an unknown client", client.address_as(name, holder), at=at, welcome="" if client.has_login else _NO_LOGIN
        ),
        *([made_up] if client.doors.can_be_made_up(chat, name, holder) else []),
        Eavesdropper(
            "a page of a foreign Origin, with a member's cookie",
            client.paths()[name],
            holder,
            origin=FOREIGN,
            near=client.doors.own_origin(chat, name, holder),
            at=at,
            welcome="" if chat.cookie(holder) else _NO_COOKIE,
        ),
    ]
