"""The ways of a library to carry the chat, side by side: to ask one question of all of them at once."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.chat.conversation import Chat
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.results.questions import NOT_ASKED, put_to
from harness.results.result import Finding
from harness.system.processes import Child
from harness.verdict import Verdict


@dataclass(frozen=True)
class Way:
    """One way to carry the chat, and a chat that goes that way."""

    #: Its name among the library's variants; empty for the usual way.
    name: str
    #: None where its server did not start, or did not let the members in.
    chat: Chat | None
    #: Why there is no chat.
    missing: str = ""
    #: The server of it, and the settings that it was started with.
    server: CellServer | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Whether its messages go through the broker.
    uses_broker: bool = True
    #: Whether there is no chat for want of something on this machine, which is no fault of the way.
    untested: bool = False

    @property
    def process(self) -> Child | None:
        """The process that serves it."""
        return self.server.process if self.server else None

    def asked(self, question: str) -> str:
        """Return *question* as it is put to this way: of the usual one as it stands."""
        return put_to(question, self.name)

    def found(self, question: str, expected: str, seen: str, good: bool | None, chance: bool = False) -> Finding:
        """Return what is found when *question* is put to this way."""
        return Finding(question=self.asked(question), expected=expected, seen=seen, good=good, chance=chance)

    def not_asked(self, question: str, expected: str) -> Finding:
        """Return that *question* cannot be put to it, which has no chat."""
        return self.found(question, expected, f"{NOT_ASKED}: {self.missing}", None)


def chat_of(chat: Chat, variant: Variant) -> Chat:
    """Return a chat that goes the way of *variant*, with the server and the sessions of *chat*."""
    other = Chat(
        chat.client,
        chat.server,
        sessions=chat.sessions,
        paths=variant.paths,
        variant=variant.name,
        ledger=chat.ledger,
    )
    chat.others.append(other)
    return other


def through(chat: Chat, port: int) -> Chat:
    """Return a chat with the server and the sessions of *chat*, which is reached through *port*."""
    # With a token of its own: no two chats with a server say the same.
    other = replace(chat, server=replace(chat.server, port=port), connections={}, others=[], token=secrets.token_hex(3))
    chat.others.append(other)
    return other


def servers_of(server: CellServer) -> Iterator[tuple[dict[str, str], list[Variant]]]:
    """Yield the settings with which a further server has to be started, and the variants that it carries."""
    variants = server.library.variants(server.cell)
    others = [variant for variant in variants if variant.environment and server.wants_way(variant.name)]
    for settings, group in itertools.groupby(others, key=lambda variant: variant.environment):
        yield settings, list(group)


@contextmanager
def all_ways(chat: Chat, server: CellServer, observed: Observations, name: str) -> Iterator[list[Way]]:
    """Yield every way at once, the usual one, that of *chat*, first.

    A way that needs other settings gets a server of its own, with a prefix of its own at the broker; its step is called
    *name*. The servers run, and the chats but *chat* are open, until the block is left.
    """
    with ExitStack() as stack:
        ways = [Way("", chat, server=server)] if server.wants_way("") else []
        for variant in server.library.variants(server.cell):
            if not variant.environment and server.wants_way(variant.name):
                other = stack.enter_context(closing(chat_of(chat, variant)))
                ways.append(Way(variant.name, other, server=server, uses_broker=variant.uses_broker))
        for settings, variants in servers_of(server):
            called = " ".join([name, *settings.values()])
            apart = server.apart(called.replace(" ", "-"))
            ways += _served(stack, apart, observed, called, settings, variants)
        yield ways


@contextmanager
def ways_apart(
    server: CellServer,
    observed: Observations,
    name: str,
    settings: Mapping[str, str],
    wanted: Callable[[Variant], bool] = lambda _: True,
) -> Iterator[list[Way]]:
    """Yield every way that is *wanted* at once, each on a server of its own, which has *settings* as well.

    On one server the messages of one way would hold up those of the other. The usual way comes first, and is asked
    for as the variant without a name.
    """
    with ExitStack() as stack:
        ways = []
        for number, each in enumerate([Variant(""), *server.library.variants(server.cell)]):
            if server.wants_way(each.name) and wanted(each):
                # Its number, for names of groups begin with that, and may have 99 letters.
                apart = server.apart(f"{name} {number}".replace(" ", "-"))
                called = re.sub(r"\W+", " ", f"{name} {each.name}").strip()
                ways += _served(stack, apart, observed, called, settings, [each])
        yield ways


def _served(
    stack: ExitStack,
    server: CellServer,
    observed: Observations,
    name: str,
    settings: Mapping[str, str],
    variants: list[Variant],
) -> list[Way]:
    """Start *server* with *settings*, to run as long as *stack*, and return the *variants* as ways to talk to it.

    Its step is called *name*, behind the name of the server.
    """
    try:
        settings = {**server.settings_for(variants[0]), **settings}
        served = stack.enter_context(server.serving(f"{server.name} {name}", observed, settings, ends=Ends.AT_ONCE))
        served.log_in()
    except CellFailure as failure:
        untested = failure.reason.verdict is Verdict.NOT_TESTED
        return [
            Way(each.name, None, str(failure), uses_broker=each.uses_broker, untested=untested) for each in variants
        ]
    chats = [stack.enter_context(closing(chat_of(served, variant))) for variant in variants]
    return [
        Way(each.name, chat, "", server, settings, each.uses_broker) for each, chat in zip(variants, chats, strict=True)
    ]
