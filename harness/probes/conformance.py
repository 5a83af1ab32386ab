"""Conformance: Autobahn's cases against a raw echo, where the library has one; what RFC 6455 and RFC 7692 demand.

Source of the cases: https://github.com/crossbario/autobahn-testsuite, as kosoku runs them
(https://github.com/curioswitch/kosoku). Only what is *failed* there counts: whether a server is *not strict* is, in
some cases, a race.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.cell.outcome import Observations
from harness.cell.questions import guarded
from harness.cell.server import CellServer, Ends
from harness.chat.conversation import Chat
from harness.errors import CellFailure
from harness.libraries.base import TRIALS
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.verdict import Reason

if TYPE_CHECKING:
    from kosoku._kosoku import CaseResult

#: Seconds for one run of cases.
_DEADLINE = 240.0
#: How many cases with compression are run at once: each is a thousand messages.
_AT_ONCE = 4
_EXPECTED = "no case fails"
#: What the sections of the cases are about.
_SECTIONS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "10": "automatic fragmentation",
}
_COMPRESSED = {"12": "compression", "13": "compression with parameters"}
#: Of each of their parts those with messages of up to 8 kB, whole and one in fragments. The others are as many thousand
#: messages of up to 128 kB: they take minutes, and ask nothing else.
_SMALL = (1, 2, 3, 4, 5, 6, 11)
_PARTS = {"12": 5, "13": 7}
#: The case by which it shows whether a server compresses at all.
_FIRST_COMPRESSED = "12.1.1"


@dataclass(frozen=True)
class Case:
    """One case, and how it went."""

    number: str
    #: ``OK``, ``NON-STRICT``, ``INFORMATIONAL``, ``UNIMPLEMENTED``, ``FAILED`` or ``ERROR``.
    behaviour: str
    expectation: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether the server did what it must not, or broke off."""
        return self.behaviour in ("FAILED", "ERROR")


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Run the cases on a server of its own, section by section; what failed is run once more."""
    library = server.library
    if not library.echo:
        yield _finding("framing", f"does not apply: {library.no_echo}", None)
        return
    notes = server.recorder.work / "trials.jsonl"
    settings = {TRIALS: str(notes), **library.echo_settings}
    name = f"{server.name} conformance"
    with server.apart("conformance").serving(name, observed, settings, ends=Ends.AT_ONCE) as own:
        url = f"ws://127.0.0.1:{own.server.port}{library.echo}"
        compresses = _run(url, [_FIRST_COMPRESSED])[0].behaviour != "UNIMPLEMENTED"
        for section, about in {**_SECTIONS, **_COMPRESSED}.items():
            if not server.wants(_question(about)):
                continue
            if section in _COMPRESSED and not compresses:
                yield _finding(about, "does not apply: it does not compress", None)
            else:
                yield from guarded(_question(about), partial(_section, server, observed, url, section, about))


def _section(server: CellServer, observed: Observations, url: str, section: str, about: str) -> Iterator[Finding]:
    """Run the cases of one section, and those that fail once more."""
    cases = _run(url, _cases(section))
    again = _run(url, [case.number for case in cases if case.failed])
    _write(server, [*cases, *again])
    yield _of(about, cases, again, observed)


def _cases(section: str) -> list[str]:
    """Return what names the cases of *section*."""
    parts = range(1, _PARTS.get(section, 0) + 1)
    return [f"{section}.{part}.{number}" for part in parts for number in _SMALL] or [f"{section}.*"]


def _of(about: str, cases: Sequence[Case], again: Sequence[Case], observed: Observations) -> Finding:
    """Return what is found of one section."""
    if all(case.behaviour == "ERROR" for case in cases):
        return _finding(about, f"{NOT_ASKED}: {cases[0].result}", None)
    failed = [case.number for case in cases if case.failed]
    twice = {case.number for case in again if case.failed}
    if lax := [case.number for case in cases if case.behaviour == "NON-STRICT"]:
        observed.counted[_question(about)] = f"{len(lax)} of {len(cases)} not strict: {', '.join(lax)}"
    if not failed:
        return _finding(about, _EXPECTED, True)
    sure = [number for number in failed if number in twice]
    named = [*sure, *(f"{number} (1 of 2)" for number in failed if number not in twice)]
    return _finding(about, f"{len(failed)} of {len(cases)} fail: {', '.join(named)}", False, chance=not sure)


def _question(about: str) -> str:
    return f"The rules of WebSockets: {about}"


def _finding(about: str, seen: str, good: bool | None, chance: bool = False) -> Finding:
    return Finding(question=_question(about), expected=_EXPECTED, seen=seen, good=good, chance=chance)


def _run(url: str, cases: Sequence[str]) -> list[Case]:
    """Run *cases*, or all that a pattern stands for; none where there are none."""
    return [_read(each) for each in asyncio.run(_results(url, cases))] if cases else []


async def _results(url: str, cases: Sequence[str]) -> list[CaseResult]:
    import kosoku  # few ask for it, and its library takes long to load

    at_once = _AT_ONCE if all(case.partition(".")[0] in _COMPRESSED for case in cases) else 1
    try:
        running = kosoku.run_fuzzingclient(url, cases, concurrency=at_once)
        return await asyncio.wait_for(running, _DEADLINE)
    except kosoku.FailureError as failure:
        return list(failure.results)
    except TimeoutError:
        raise CellFailure(Reason.EXCHANGE_WRONG, f"the cases did not end within {_DEADLINE:.0f} s") from None


def _read(result: CaseResult) -> Case:
    return Case(result.case_id, result.behavior.value, result.expectation, result.result)


def _write(server: CellServer, cases: Sequence[Case]) -> None:
    """Keep how each case went that was not well, with what it wants, as evidence."""
    file = server.recorder.evidence / "conformance.jsonl"
    lines = [json.dumps(vars(case)) + "\n" for case in cases if case.behaviour != "OK"]
    with file.open("a", encoding="utf-8") as kept:
        kept.writelines(lines)
