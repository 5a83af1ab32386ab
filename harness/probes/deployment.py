"""Deployment: behind a proxy, when a server ends and the next begins, and under a path of a site.

Sources: the documentation of NGINX and of HAProxy, see :mod:`harness.servers.nginx` and :mod:`harness.servers.haproxy`;
``FORCE_SCRIPT_NAME`` in https://docs.djangoproject.com/en/stable/ref/settings/.
"""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, twice
from harness.cell.server import CellServer, Ends
from harness.cell.ways import through
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.chat.members import MEMBERS
from harness.chat.traffic import Account, Traffic
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, HandshakeRefused
from harness.clients.http import HttpSession
from harness.clients.visits import visit
from harness.errors import CellFailure
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.servers import haproxy, nginx
from harness.servers.catalogue import Server
from harness.servers.front import NoFront
from harness.system.processes import Child
from harness.system.waiting import wait_until

#: Seconds after which a proxy ends what is idle, and those that a connection is left alone.
_TIMEOUT = 5
_IDLE = 8.0
#: Seconds of traffic before something is done, after it, and those within which all has to be well again.
_BEFORE = 1.0
_CALM = 5.0
_SOON = 5.0
#: Seconds for a message.
_PATIENCE = 2.0
#: How often something is said on a connection under a path, and the seconds for each time.
_TRIES = 5
_EACH = 0.5
#: How many clients come back at once; where sockets take up threads as many as members leave room for.
_CLIENTS, _IN_THREADS = 100, 80
_PREFIX = "/sub"
_MARY = "Mary"
_PROXIES: Mapping[str, Callable[..., AbstractContextManager[tuple[int, Child]]]] = {
    "NGINX": nginx.before,
    "HAProxy": haproxy.before,
}
_NONE = "none"
_STAYS = "stays open, and receives what comes then"
_END, _TWO = "SIGTERM under traffic", "Two servers behind NGINX, replaced one after the other"
_GOING = ("1001", "1012")


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask the usual way, on servers of its own."""
    chat.close()
    asking = [("Behind a proxy", "Behind ", _idle), (_END, _END, _ended)]
    asking += [(_TWO, _TWO, _replaced)] if server.library.uses_broker else []
    for what, begins, ask_it in asking:
        if not server.wants(begins):
            continue
        asked = partial(ask_it, server, observed)
        yield from twice(partial(guarded, f"{what}: could it be asked?", asked))
    for what, works in (("pages", _pages_work), ("sockets", _sockets_work)):
        if server.wants(f"Under {_PREFIX}"):
            yield from twice(partial(_under_a_path, what, works, server, observed))


def _of_kind(server: CellServer, kind: Server, name: str) -> CellServer:
    """Return the server as another *kind* of the same one, with a prefix at the broker of its own."""
    apart = server.apart(name)
    apart.setup = dataclasses.replace(server.setup, server=kind)
    return apart


# Behind a proxy


def _idle(server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Leave a connection through each proxy alone for longer than that waits, all at once."""
    usual = server.setup.server
    kinds = {"": usual, ", with the server's pings": usual.having(usual.pings) if usual.pings else None}
    #: Each question, the connection through a proxy, and the one to the same server that goes through none.
    left: list[tuple[str, Chat, Endpoint, tuple[Chat, Endpoint]]] = []
    with ExitStack() as stack:
        for also, kind in kinds.items():
            if kind is None:
                for proxy in _PROXIES:
                    yield _not_asked(_idle_question(proxy, also), f"{usual.name} has no setting for pings")
                continue
            name = f"proxied {'pings' if also else ''}".strip()
            apart = _of_kind(server, kind, name.replace(" ", "-"))
            own = stack.enter_context(apart.serving(f"{server.name} {name}", observed, ends=Ends.AT_ONCE))
            own.log_in()
            alone = _stand(own, "behind nothing")
            for proxy, before in _PROXIES.items():
                folder = server.recorder.work / f"{proxy} {name}".replace(" ", "-")
                try:
                    port, _ = stack.enter_context(before([own.server.port], server.env, folder, idle=_TIMEOUT))
                    reached = through(own, port)
                    stack.callback(reached.close)
                    left.append(
                        (_idle_question(proxy, also), reached, _stand(reached, f"behind {proxy}"), (own, alone))
                    )
                except NoFront as missing:
                    yield _not_asked(_idle_question(proxy, also), str(missing))
                except (HandshakeRefused, CellFailure) as failure:
                    yield _found(_idle_question(proxy, also), _STAYS, f"does not stand: {failure}", False)
        time.sleep(_IDLE)
        for question, reached, endpoint, (own, alone) in left:
            if closed := own.transcript.closed(alone):
                yield _not_asked(question, f"without a proxy it is {closed}")
            else:
                yield _woken(question, reached, endpoint)


def _stand(chat: Chat, name: str) -> Endpoint:
    """Open a connection of Mary's that is going to be idle.

    Raises:
        HandshakeRefused: the server did not open it.
        CellFailure: it does not receive.
    """
    endpoint = Endpoint(_MARY, name)
    chat.open(endpoint, chat.path_for("broadcast"), _MARY)
    chat.wait_subscribed([endpoint])
    return endpoint


def _idle_question(proxy: str, also: str) -> str:
    return f"Behind {proxy} with a time-out of {_TIMEOUT} s: a connection that is idle for {_IDLE:.0f} s{also}"


def _woken(question: str, chat: Chat, endpoint: Endpoint) -> Finding:
    """Say something to a connection that has been idle, and find out what becomes of it."""
    closed = chat.transcript.closed(endpoint)
    if closed:
        return _found(question, _STAYS, f"is closed: {closed}", False)
    text = f"good morning ({chat.token})"
    chat.post("John", "broadcast", "all", text, None)
    heard = chat.transcript.wait([endpoint], [text], _PATIENCE) and not chat.transcript.closed(endpoint)
    return _found(question, _STAYS, _STAYS if heard else "stays open, and does not receive", heard)


# One server after the other


def _ended(server: CellServer, observed: Observations) -> Iterator[Finding]:
    """End the server under traffic, start the next on its port, and have many come back at once."""
    what = _END
    apart = server.apart("next")
    with ExitStack() as stack:
        own = stack.enter_context(apart.serving(f"{server.name} ended", observed, ends=Ends.AT_ONCE))
        own.log_in()
        witnesses = through(own, own.server.port)
        seen = [Endpoint(member, "witness") for member in MEMBERS]
        for endpoint in seen:  # a library's own client may not say with what a connection is closed
            raw.connect(witnesses, endpoint)
        with Traffic(own, returns=False) as staying, Traffic(through(own, own.server.port), returns=True) as returning:
            time.sleep(_BEFORE)
            began = time.monotonic()
            took = _told_to_end(apart)
            stack.enter_context(apart.serving(f"{server.name} next", observed, at=own.server.port, ends=Ends.AT_ONCE))
            over = time.monotonic()
            came = _come_back(own, clients := _clients(server))
            time.sleep(max(0.0, _CALM - (time.monotonic() - over)))
        accounts = staying.account(over), returning.account(over)
        for traffic in (staying, returning):
            traffic.close()
        witnesses.close()
    observed.counted[f"{what}: messages lost silently"] = f"{accounts[0]}; of those who come back {accounts[1]}"
    observed.counted[f"{what}: the server"] = f"nobody is served for {over - began:.1f} s"
    soon = f"ends within {_SOON:.0f} s"
    yield _found(f"{what}: the server", soon, soon if took else f"does not end within {_SOON:.0f} s", took)
    yield _silence(f"{what}: messages lost silently", *accounts)
    yield _goodbye(f"{what}: open connections", [witnesses.transcript.closed(each) for each in seen])
    yield _found(f"{what}: {clients} clients who come back", f"are let in within {_SOON:.0f} s", *came)
    yield _well(f"{what}: members who come back", accounts[1])


def _told_to_end(server: CellServer) -> bool:
    """Tell the server to end; return whether it did so soon. It has ended then."""
    process = server.process
    assert process is not None
    process.tell(signal.SIGTERM)
    ended = wait_until(lambda: process.exit_status is not None, _SOON, every=0.02)
    process.stop(gently=False)
    return ended


def _clients(server: CellServer) -> int:
    """Return how many clients come back to *server* at once."""
    threads = server.setup.server.threads if server.library.application.wsgi else 0
    return _IN_THREADS if 0 < threads <= _CLIENTS else _CLIENTS


def _come_back(chat: Chat, clients: int) -> tuple[str, bool]:
    """Open so many connections at once; return what came of that."""
    visitors = raw.visitors(chat, clients)
    began = time.monotonic()
    found = visit(visitors)
    took = time.monotonic() - began
    if found.opened < clients:
        return f"{found.opened} are let in: {found.refused}", False
    return (f"are let in within {_SOON:.0f} s", True) if took < _SOON else ("take longer", False)


def _replaced(server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Replace two servers behind NGINX, one after the other, under traffic of members who come back."""
    what = _TWO
    # They share a prefix at the broker, which is what joins them.
    apart = server.apart("replaced")
    both = [apart, dataclasses.replace(apart, process=None)]
    with ExitStack() as stack:
        chats = [
            stack.enter_context(each.serving(f"{server.name} {name} of two", observed, ends=Ends.AT_ONCE))
            for each, name in zip(both, ("first", "second"), strict=True)
        ]
        chats[0].log_in()
        ports = [chat.server.port for chat in chats]
        try:
            folder = server.recorder.work / "nginx-of-two"
            port, _ = stack.enter_context(nginx.before(ports, server.env, folder))
        except NoFront as missing:
            yield _not_asked(f"{what}: messages lost silently", str(missing))
            return
        with Traffic(through(chats[0], port), returns=True) as traffic:
            time.sleep(_BEFORE)
            for each, place in zip(both, ports, strict=True):
                _told_to_end(each)
                name = f"{server.name} on {ports.index(place) + 1} of two"
                stack.enter_context(each.serving(name, observed, at=place, ends=Ends.AT_ONCE))
                time.sleep(_BEFORE)
            over = time.monotonic()
            time.sleep(_CALM)
        account = traffic.account(over)
        traffic.close()
    question = f"{what}: messages lost silently"
    observed.counted[question] = str(account)
    yield _silence(question, account)
    yield _well(f"{what}: members who come back", account)


def _silence(question: str, *accounts: Account) -> Finding:
    silently = sum(account.silently for account in accounts)
    return _found(question, _NONE, "some" if silently else _NONE, not silently)


def _goodbye(question: str, closed: list[str]) -> Finding:
    """Return with what connections were closed whose server went away; RFC 6455, 7.4.1, and 1012 of IANA's registry."""
    expected = f"are closed with {_GOING[0]} or {_GOING[1]}"
    wrong = [why for why in closed if not why.startswith(tuple(f"{CLOSED_BY_SERVER} with {code}" for code in _GOING))]
    seen = expected if not wrong else f"are closed: {wrong[0]}" if wrong[0] else "stay open"
    return _found(question, expected, seen, not wrong)


def _well(question: str, account: Account) -> Finding:
    expected = f"receive everything again within {_SOON:.0f} s"
    after = account.well_after
    seen = f"do not within {_CALM:.0f} s" if after is None else "take longer"
    good = after is not None and after <= _SOON
    return _found(question, expected, expected if good else seen, good)


# Under a path


def _under_a_path(
    what: str, works: Callable[[Chat], str], server: CellServer, observed: Observations
) -> Iterator[Finding]:
    """Try what has to be set for a site under a path: nothing, Django's setting, or the server's own."""
    usual = server.setup.server
    tries: list[tuple[str, Server, dict[str, str], bool]] = [
        ("with nothing set", usual, {}, True),
        ("with FORCE_SCRIPT_NAME", usual, {"CHAT_SCRIPT_NAME": _PREFIX}, True),
    ]
    if usual.rooted:
        tries.append((f"with {' '.join(usual.rooted)}", usual.having(usual.rooted), {}, False))
    question, expected = f"Under {_PREFIX} behind NGINX: {what}", "work"
    met: list[str] = []
    for number, (how, kind, settings, strips) in enumerate(tries):
        apart = _of_kind(server, kind, f"sub-{what}-{number}")
        name = f"{server.name} sub {what} {number}"
        folder = server.recorder.work / f"nginx-sub-{what}-{number}"
        try:
            with (
                apart.serving(name, observed, settings, ends=Ends.AT_ONCE) as own,
                nginx.before([own.server.port], server.env, folder, prefix=_PREFIX, strips=strips) as (port, _),
            ):
                why = works(through(own, port))
        except NoFront as missing:
            yield _not_asked(question, str(missing))
            return
        except CellFailure as failure:
            why = str(failure)
        if not why:
            yield _found(question, expected, f"work {how}", True)
            return
        met.append(f"{how}: {why}")
    yield _found(question, expected, f"do not; {met[-1]}", False)


def _pages_work(chat: Chat) -> str:
    """Return what is wrong with the pages under the path; nothing where members find their way there."""
    anonymous, member = (HttpSession(chat.server.base + _PREFIX, chat.server.form) for _ in range(2))
    there = anonymous.get("/").headers.get("Location", "")
    if not there.startswith(f"{_PREFIX}/"):
        return f"the login is said to be at {there or 'no address'}"
    member.log_in(_MARY)
    status = member.get("/").status_code
    return "" if status == 200 else f"the page answers with status {status}"


def _sockets_work(chat: Chat) -> str:
    """Return what is wrong with the sockets under the path; nothing where what is said there arrives."""
    session = HttpSession(chat.server.base + _PREFIX, chat.server.form)
    session.log_in(_MARY)
    chat.sessions[_MARY] = session
    endpoint = Endpoint(_MARY, "under a path")
    try:
        line = raw.connect(chat, endpoint, _PREFIX)
        for number in range(_TRIES):  # the first may come before it is subscribed
            text = f"under a path {number} ({chat.token})"
            line.send(chat.client.frame_format().broadcast(text))
            if chat.transcript.wait([endpoint], [text], _EACH) and not chat.transcript.closed(endpoint):
                return ""
    except HandshakeRefused as refused:
        return f"the handshake is refused: {refused}"
    except OSError as error:
        return f"the connection breaks ({type(error).__name__})"
    finally:
        chat.close()
    return chat.transcript.closed(endpoint) or "nothing arrives"


def _found(question: str, expected: str, seen: str, good: bool) -> Finding:
    return Finding(question=question, expected=expected, seen=seen, good=good)


def _not_asked(question: str, why: str) -> Finding:
    return Finding(question=question, expected="an answer", seen=f"{NOT_ASKED}: {why}", good=None)
