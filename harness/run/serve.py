"""Go through all that is asked of a cell's running server: pages, handshakes, exchanges, isolation, probes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from harness.captured import output
from harness.cell import pages, questions
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat import exchanges, isolation
from harness.chat.conversation import Chat
from harness.chat.pulse import beating
from harness.chat.rounds import first_round
from harness.errors import CellFailure
from harness.probes import registry as probes
from harness.results.result import Judgement, Probe
from harness.run import starts, variants
from harness.run.starts import SecondStart, Start
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason, Verdict


def serve(server: CellServer, wanted_probes: list[str], run_tests: Callable[[], None]) -> Observations:
    """Serve the cell, and go through everything that is asked of a running server.

    *run_tests* runs the coverage test, for which there is time while copies and leaks are waited for.
    """
    observed, tests = Observations(), _Once(run_tests)
    name = server.name
    if server.library.django_server:
        observed.django_server = _django_server(server, observed)
    try:
        observed.starts += 1
        with server.serving(name, observed) as chat, SecondStart(server, observed) as second:
            if not _asks_one(server):
                second.begin()
            try:
                _ask(chat, server, observed, wanted_probes, tests, second)
            finally:
                observed.take_over(chat)
            _leave_open(chat)
    except CellFailure as failure:
        observed.web_server = failure
    tests.run()
    if observed.web_server or observed.channels:
        server.recorder.check_room(output.read(server.recorder.log(name)))
        if observed.said is not None:
            server.recorder.blame(observed.said)
            if observed.channels:
                observed.channels = CellFailure(observed.channels.reason, observed.said.behind(observed.channels.text))
    elif server.only is None or (server.only.way and server.only.set not in probes.PROBES):
        variants.try_on_own_servers(server, observed)
    if observed.stopping:
        observed.sets.append(Probe(name="stopping", findings=observed.stopping))
    return observed


class _Once:
    """Does something when it is asked for first, and not again."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._left = [do]

    def run(self) -> None:
        while self._left:
            self._left.pop()()


def _ask(
    chat: Chat,
    server: CellServer,
    observed: Observations,
    wanted_probes: list[str],
    tests: _Once,
    second: SecondStart,
) -> None:
    """Go through the pages, the exchanges, and what is asked beside them as far as those went."""
    try:
        _pages(chat, server)
    except CellFailure:
        observed.said = server.printed(server.name)
        raise
    judged: list[Start] = []
    until: float | None = None
    try:
        until = _talk(chat, server, observed, judged, tests, second)
    except CellFailure as failure:
        observed.channels = failure
        observed.said = server.printed(server.name)
    if observed.channels is not None and server.library.variants_always:
        variants.try_on_running_server(chat, server, observed)
    horizon = time.monotonic()
    observed.probes = probes.run(wanted_probes, chat, server, observed)
    _judge_at_last(judged, observed, horizon if until is None else until)


def _talk(
    chat: Chat, server: CellServer, observed: Observations, judged: list[Start], tests: _Once, second: SecondStart
) -> float | None:
    """Go through both rounds of exchanges, and while their horizon is waited for through all that is always asked.

    *judged* gets the starts, to be judged once more when everything is over. Return when strangers began to try, where
    what a chat tells of them is not held against it; None where it is.

    Raises:
        CellFailure: a handshake is refused, or an exchange is wrong.
    """
    with server.recorder.own("handshakes") as say:
        chat.connect()
        say(f"{len(chat.endpoints)} connections stand")
    first = starts.play(chat, server, "exchanges", first_round(chat.token, chat.client.script))
    judged.append(Start(chat, first))
    observed.rounds, observed.exchanges = [first], exchanges.joined([first])
    if not first.answered or _asks_one(server):
        exchanges.check(first)
    if _asks_one(server):
        _ask_one(chat, server, observed, judged)
        return None
    # Until the second start has let everybody in the connections of the first are not to be idle either.
    with beating(chat), _second(second, server, observed, judged), beating(judged[-1].chat):
        asks = server.only is None and starts.right_by_now(judged)
        tried = time.monotonic()
        # What somebody's own chat tells of strangers who come is nobody's fault.
        until = tried if chat.client.greets else None
        if asks:
            _while_waiting(chat, server, observed)
        tests.run()
        starts.wait_for_horizon(judged, until, tried if asks else None)
        isolation.look_again(chat, observed.isolation)
        observed.isolation += isolation.displaced(each.exchanged for each in judged)
        if chat.client.greets:
            observed.isolation += isolation.of_other_runs(chat, first)
        starts.judge_again(judged, until)
        observed.exchanges = exchanges.joined(observed.rounds)
    starts.check(judged)
    if not asks and server.only is None:
        observed.isolation.append(isolation.NOT_TRIED)
    return until


@contextmanager
def _second(second: SecondStart, server: CellServer, observed: Observations, judged: list[Start]) -> Iterator[None]:
    """Go through the second round on the *second* start of the server; both stay until the block is left.

    Raises:
        CellFailure: the server does not do again what it did.
    """
    with ExitStack() as stack:
        observed.starts += 1
        try:
            chat = stack.enter_context(second.taken(judged[0].chat.ledger))
        except CellFailure as failure:
            if failure.reason.verdict is not Verdict.DOES_NOT_WORK:
                raise  # it is nobody's fault who is under test
            raise CellFailure(
                Reason.NOT_EVERY_TIME, f"right once of two times; the second time {failure.text}"
            ) from failure
        judged.append(Start(chat, starts.second_exchanges(chat, server)))
        observed.rounds.append(judged[-1].exchanged)
        try:
            yield
        finally:
            observed.take_over(chat)


def _asks_one(server: CellServer) -> bool:
    """Tell whether one question is asked alone, which is not that for the verdict: one start does for that."""
    # Stopping is asked of both starts, as the verdict is.
    return server.only is not None and server.only.set not in ("", "stopping")


def _ask_one(chat: Chat, server: CellServer, observed: Observations, judged: list[Start]) -> None:
    """Ask the set that the one question is in, unless that is a probe, which is asked later."""
    assert server.only is not None
    if server.only.set == "isolation":
        questions.ask("isolation", server.library.isolation(chat), observed.isolation, chat, server.recorder)
        starts.wait_for_horizon(judged)
        isolation.look_again(chat, observed.isolation)
    elif server.only.set not in probes.PROBES:
        if server.wants_way(""):
            variants.sets(chat, server, observed)
        variants.try_on_running_server(chat, server, observed)


def _while_waiting(chat: Chat, server: CellServer, observed: Observations) -> None:
    """Ask what is asked of every cell that carries the chat."""
    questions.ask("isolation", server.library.isolation(chat), observed.isolation, chat, server.recorder)
    variants.sets(chat, server, observed)
    variants.try_on_running_server(chat, server, observed)


def _judge_at_last(judged: list[Start], observed: Observations, horizon: float) -> None:
    """Judge once more when the cell is about to be closed: a copy or a leak may come as late as that."""
    if observed.channels is not None or not judged:
        return
    starts.judge_again(judged, until=horizon)
    observed.exchanges = exchanges.joined(observed.rounds)
    try:
        starts.check(judged)
    except CellFailure as failure:
        observed.channels = failure


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
                _check_pages(chat, server)
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
        say(", ".join(chat.members))
    with server.recorder.own("pages") as say:
        say(", ".join(_check_pages(chat, server)))


def _check_pages(chat: Chat, server: CellServer) -> list[str]:
    members = {member: chat.session(member) for member in chat.members}
    return pages.check_pages(chat.session("nobody"), members, server.library.pages)
