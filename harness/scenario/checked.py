"""What a check of a running server found, as a document, and as JUnit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from harness.captured.output import shorten
from harness.captured.scrub import printable
from harness.chat.conversation import Chat
from harness.results.model import Model
from harness.results.result import Finding, Judgement
from harness.scenario.client import ScenarioClient
from harness.scenario.talk import Talked
from harness.verdict import Reason, Verdict, sign, with_catch


class Row(Model, frozen=True, kw_only=True):
    """One exchange, over both rounds."""

    number: int
    sender: str
    #: The connection on which it was said, or the path to which it was posted.
    on: str
    #: Who had to hear it, and the other members, who had not to; where somebody holds several connections, with these.
    hears: list[str]
    hears_not: list[str]
    good: bool
    #: What went wrong, each in one sentence.
    faults: list[str]
    #: For whom it is proved by a fence that nothing more came, and for whom it was only waited for.
    proved: list[str]
    waited: list[str]
    #: How long that was waited for, in seconds; 0 where everything is proved.
    waited_seconds: float
    #: Until the last of them had it, in milliseconds; None where somebody had not.
    latency_ms: float | None


class Checked(Model, frozen=True, kw_only=True):
    """What was found."""

    schema: str = "1"
    url: str
    verdict: Verdict
    #: The verdict as it is shown: one that has a catch is no plain yes.
    label: str
    reason: Reason
    #: The verdict in one sentence.
    text: str
    #: What to do about it; empty where there is nothing, or nobody knows.
    hint: str = ""
    members: list[str]
    rounds: int
    exchanges: list[Row]
    findings: list[Finding]
    seconds: float


#: What a handshake that was refused with a status is told by.
_HINTS = {
    "200": "a page answers there: is the path that of the WebSocket, and is the server an ASGI one?",
    "301": "it redirects: is the path complete, with its last slash?",
    "302": "it redirects, perhaps to a login: log in with --login and --user, or give a --cookie",
    "400": "the server does not take the handshake: it may want a --subprotocol, or a --header",
    "401": "it wants to know who that is: give a --header, a --cookie, or --login with --user",
    "403": "it lets nobody in like that: log in with --login and --user, give a --cookie, or see which hosts and"
    " Origins the server allows",
    "404": "no route has this path: is it that of the WebSocket, with its last slash? A WSGI server has none",
    "500": "see what the server printed; perhaps no route has this path",
}


def checked(
    url: str, chat: Chat, client: ScenarioClient, talked: Talked, seconds: float, described: bool = False
) -> Checked:
    """Return what was found; *described* tells whether it is a scenario that describes the chat, and no options."""
    right = sum(each.good for each in talked.exchanges)
    works = Judgement.of(
        Reason.WORKS, f"{right} of {len(talked.exchanges)} exchanges right in {len(talked.rounds)} rounds"
    )
    failure = talked.failure
    judged = works if failure is None else Judgement.of(failure.reason, failure.text)
    caught = failure is None and any(each.good is False for each in talked.findings)
    return Checked(
        url=url,
        verdict=judged.verdict,
        label=with_catch(judged.verdict.label, caught),
        reason=judged.reason,
        text=shorten(judged.text),
        hint=_hint(judged.text, described) if talked.failure else "",
        members=list(client.script.members),
        rounds=len(talked.rounds),
        exchanges=list(_rows(client, talked)),
        findings=talked.findings,
        seconds=round(seconds, 1),
    )


#: What another failure is told by, and what to do about it: where a scenario describes the chat the last.
_OTHER_HINTS: tuple[tuple[str, ...], ...] = (
    (
        r"login page answers with status 404",
        "--login names the path of the page with the form",
        "form, under [login], names the path of the page with the form",
    ),
    (
        r"cannot log in",
        "are name and password right? a form with other fields is described by a scenario, under [login]",
        "are name and password right? prepare, under [server], makes whom the database does not have",
    ),
    (r"CERTIFICATE_VERIFY_FAILED", "give the certificate that it is to be trusted by: --ca FILE"),
    (r"_ssl\.c", "it does not speak TLS: try ws:// instead of wss://"),
    (
        r"that arrives on it is ignored",
        "--ignore leaves out messages as well: a frame is left out where the whole of it matches",
        "ignore, under [frames], leaves out messages as well: a frame is left out where the whole of it matches",
    ),
    (
        r"no message is found|is not what was sent",
        "say with --read where the message stands in a frame, such as .message, or .*.message where it is a list",
        "say with read, under [frames], where the message stands in a frame, such as .message",
    ),
    (
        r" is missing on ",
        "where the chat limits how often somebody may speak: --pause 1",
        "where the chat limits how often somebody may speak: pause = 1, at the top",
    ),
    (
        r" is extra on ",
        "--ignore names what is the chat's own; leave out --hears others where who speaks hears it as well",
        "ignore, under [frames], names what is the chat's own, and hears all who are to hear something",
    ),
    (
        r"nothing arrives",
        "say with --send what a message is like; where nobody hears what they say themselves: --hears others",
        "is send, under [frames], what the chat takes, and do those who speak hear themselves (hears)?",
    ),
    (
        r"closed by the server|nothing can be broadcast",
        'say with --send what a message is like: \'{"message": "$TEXT"}\'; see as well what the server printed',
    ),
    (r"chooses no subprotocol", "offer one that it speaks: --subprotocol"),
)


def _hint(text: str, described: bool) -> str:
    """Return what to do about a failure that says *text*, of a chat that a scenario has *described*, or options."""
    if status := re.search(r"failed: status (\d+)", text):
        return _HINTS.get(status[1], "")
    found = (hints for pattern, *hints in _OTHER_HINTS if re.search(pattern, text))
    return next(found, [""])[-1 if described else 0]


def _rows(client: ScenarioClient, talked: Talked) -> Iterator[Row]:
    several = len(client.scenario.connections) > 1
    everybody = sorted(client.held_endpoints)

    def named(endpoints: object) -> list[str]:
        chosen = [each for each in everybody if each in endpoints]  # type: ignore[operator]
        return [f"{each.member} ({each.name})" if several else each.member for each in chosen]

    for exchange in talked.exchanges:
        row = client.script.rows[exchange.number - 1]
        expected = client.expected(row)
        rounds = [(sent, played) for played in talked.rounds for sent in played.sent if sent.number == row.number]
        unreached = frozenset().union(*(sent.unreached for sent, _ in rounds))
        times = [max(played.latency_ms.get(str(row.number), {}).values(), default=None) for _, played in rounds]
        yield Row(
            number=row.number,
            sender=row.sender,
            on=row.channel,
            hears=named(expected),
            hears_not=named(set(everybody) - expected),
            good=exchange.good,
            faults=list(dict.fromkeys(row.with_fault(each, "connection") for each in exchange.faults)),
            proved=[] if any(sent.error for sent, _ in rounds) else named(set(everybody) - unreached),
            waited=named(unreached),
            waited_seconds=client.quiet if unreached else 0.0,
            latency_ms=None if None in times or not times else max(each for each in times if each is not None),
        )


def junit(found: Checked) -> str:
    """Return what was *found* as JUnit: a test for each exchange, and one for each further question."""
    suite = ElementTree.Element("testsuite", name=f"dtws {found.url}", time=str(found.seconds))
    failures = skipped = 0
    for row in found.exchanges:
        name = f"{row.number}: {row.sender} on {row.on}, heard by {', '.join(row.hears) or 'nobody'}"
        case = ElementTree.SubElement(suite, "testcase", classname="dtws.exchanges", name=printable(name))
        if not row.good:
            failures += 1
            failed = ElementTree.SubElement(case, "failure", message=printable(row.faults[0]))
            failed.text = printable("\n".join(row.faults))
    if found.verdict is not Verdict.WORKS and not failures:
        case = ElementTree.SubElement(suite, "testcase", classname="dtws", name=found.url)
        failed = ElementTree.SubElement(case, "failure", message=printable(found.text))
        failed.text, failures = printable(found.hint or found.text), 1
    for each in found.findings:
        # What strangers may do, and such, is a catch of a chat that works, and no failure of it.
        case = ElementTree.SubElement(suite, "testcase", classname="dtws.questions", name=printable(each.question))
        said = printable(f"{each.seen} (expected: {each.expected})")
        if each.good is True:
            ElementTree.SubElement(case, "system-out").text = said
        else:
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=f"{sign(each.good)} {said}")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
