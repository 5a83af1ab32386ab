"""Go through all that is asked of a cell's running server: pages, handshakes, exchanges, isolation, probes."""

from __future__ import annotations

import dataclasses
from contextlib import suppress

from harness.captured import output
from harness.cell import pages, questions
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.members import MEMBERS
from harness.errors import CellFailure
from harness.probes import registry as probes
from harness.results.result import Judgement
from harness.run import variants
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason


def serve(server: CellServer, wanted_probes: list[str]) -> Observations:
    """Serve the cell, and go through everything that is asked of a running server."""
    observed = Observations()
    name = server.name
    if server.library.django_server:
        observed.django_server = _django_server(server, observed)
    try:
        with server.serving(name, observed) as chat:
            try:
                _ask(chat, server, observed, wanted_probes)
            finally:
                observed.fences, observed.fences_again = len(chat.fences), chat.fences_sent_again
            _leave_open(chat)
    except CellFailure as failure:
        observed.web_server = failure
    if observed.web_server or observed.channels:
        server.recorder.check_room(output.read(server.recorder.work / f"{name}.log"))
        if observed.said is not None:
            server.recorder.blame(observed.said)
            if observed.channels:
                observed.channels = CellFailure(observed.channels.reason, observed.said.behind(observed.channels.text))
    else:
        variants.try_on_own_servers(server, observed)
    return observed


def _ask(chat: Chat, server: CellServer, observed: Observations, wanted_probes: list[str]) -> None:
    """Go through the pages, the exchanges, and what is asked beside them as far as those went."""
    try:
        _pages(chat, server)
    except CellFailure:
        observed.said = server.printed(server.name)
        raise
    _talk(chat, server, observed)
    if observed.channels is None:
        variants.sets(chat, server, observed)
    else:
        observed.said = server.printed(server.name)
    if observed.channels is None or server.library.variants_always:
        variants.try_on_running_server(chat, server, observed)
    observed.probes = probes.run(wanted_probes, chat, server, observed)


def start_alone(server: CellServer, migration: CellFailure) -> Observations:
    """Start the two servers of a cell without a database, and stop them; nothing else can be asked of them."""
    observed = Observations(migration=migration)
    observed.django_server = _django_server(server, observed)
    try:
        with server.serving(server.name, observed):
            pass
    except CellFailure as failure:
        observed.web_server = failure
    return observed


def _django_server(server: CellServer, observed: Observations) -> Judgement:
    """Judge Django's own development server, which is asked for the pages alone."""
    apart = dataclasses.replace(server, setup=dataclasses.replace(server.setup, server=SERVERS["runserver"]))
    own = Observations(stopped=observed.stopped, repeated=observed.repeated)  # what it prints is not the other server's
    try:
        with apart.serving("runserver", own) as chat:
            if observed.migration is None:
                chat.log_in()
                pages.check_pages(chat.session("nobody"), chat.session("John"), "John", server.library.pages)
    except CellFailure as failure:
        return Judgement.of(failure.reason, failure.text)
    return Judgement.of(Reason.WORKS)


def _leave_open(chat: Chat) -> None:
    """Have the members' connections stand when the server is stopped."""
    if not chat.endpoints and chat.server.exit_status() is None:
        with suppress(CellFailure):
            chat.connect()


def _pages(chat: Chat, server: CellServer) -> None:
    with server.recorder.own("log in") as say:
        chat.log_in()
        say(", ".join(MEMBERS))
    with server.recorder.own("pages") as say:
        say(", ".join(pages.check_pages(chat.session("nobody"), chat.session("John"), "John", server.library.pages)))


def _talk(chat: Chat, server: CellServer, observed: Observations) -> None:
    try:
        with server.recorder.own("handshakes") as say:
            chat.connect()
            say(f"{len(chat.endpoints)} connections stand")
        with server.recorder.own("exchanges") as say:
            observed.exchanged = exchanges.run(chat)
            say(f"{observed.exchanged} right")
            exchanges.check(chat, observed.exchanged)
        questions.ask("isolation", server.library.isolation(chat), observed.isolation, chat, server.recorder)
        # Copies and leaks that came late, while the further questions were asked.
        exchanges.judge_again(chat, observed.exchanged)
        exchanges.check(chat, observed.exchanged)
    except CellFailure as failure:
        observed.channels = failure
