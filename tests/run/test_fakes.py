"""Libraries that misbehave on purpose, each through the real command line."""

from __future__ import annotations

import pytest
from shared import ran_once, run_fake

from harness.report import rst
from harness.verdict import Reason

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]

#: What is wrong with the fifteen exchanges in the first round: number, kind, member, connection.
WRONG = {
    "drops": {(5, "missing", "John", "user")},
    "leaks-user": {
        (number, "extra", member, connection)
        for number in range(4, 13)
        for member in ("admin", "John", "Mary")
        for connection in ("broadcast", "group", "user")
        if (member, connection) != (("admin", "John", "Mary")[(number - 4) % 3], "user")
    },
    "leaks-group": {(number, "extra", "admin", "group") for number in (13, 14, 15)},
    "twice": {(5, "duplicated", "John", "user")},
    "reorders": {(13, "out of order", "John", "group"), (13, "out of order", "Mary", "group")},
    "truncates": {(5, "altered", "John", "user")},
    "recodes": {(5, "altered", "John", "user")},
}


@pytest.mark.parametrize("fake", WRONG)
def test_wrong_exchanges(fake, tmp_path):
    """Each wrong exchange is found, on the connection where it is wrong, and no other."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 1, ran.output
    assert ran.result.verdicts.overall.reason is Reason.EXCHANGE_WRONG
    assert ran.result.verdicts.web_server.reason is Reason.WORKS
    found = {
        (exchange.number, fault.kind, fault.member, fault.connection)
        for exchange in ran.result.exchanges
        for fault in exchange.faults
        if fault.round == 1  # the fakes count, and the second round has another order
    }
    expected = WRONG[fake]
    if fake == "leaks-user":  # the recipient hears it twice, on the connections that should not
        found = {each for each in found if each[1] == "extra"}
    assert found == expected


@pytest.mark.parametrize(
    "fake",
    ["behaves", "behaves-in-json", "hangs-up", "delays", "slow", "trickles", "floods", "prints-hostile-text"],
)
def test_right_exchanges(fake, once):
    """A library that carries every message works, be it slow, noisy or quick to hang up."""
    ran = ran_once(once, fake)
    assert ran.exit_code == 0, ran.output
    assert ran.result.verdicts.overall.reason is Reason.WORKS
    assert [exchange.good for exchange in ran.result.exchanges] == [True] * 15
    assert [(each.number, each.right) for each in ran.result.rounds] == [(1, 15), (2, 15)]
    assert ran.result.starts == 2
    assert not ran.result.varying.repeated


def test_stall_is_recorded(tmp_path):
    """A message that comes only with the next one is right, and the result says that it came late."""
    ran = run_fake("stalls", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert 5 in ran.result.varying.late


REFUSED = {
    "cannot-be-installed": Reason.INSTALLATION_FAILED,
    "fails-migrate": Reason.MIGRATION_FAILED,
    "fails-loaddata": Reason.MIGRATION_FAILED,
    "never-ready": Reason.SERVER_DID_NOT_START,
    "never-listens": Reason.SERVER_DID_NOT_START,
    "speaks-garbage": Reason.SERVER_DID_NOT_START,
    "fails-to-start": Reason.SERVER_DID_NOT_START,
    "port-taken-always": Reason.SERVER_DID_NOT_START,
    "locks-out": Reason.PAGE_FAILED,
    "breaks-pages": Reason.PAGE_FAILED,
    "refuses-403": Reason.HANDSHAKE_REFUSED,
    "refuses-500": Reason.HANDSHAKE_REFUSED,
    "answers-garbage": Reason.HANDSHAKE_REFUSED,
    "dies": Reason.HANDSHAKE_REFUSED,
    "dies-mid": Reason.EXCHANGE_WRONG,
    "closes": Reason.EXCHANGE_WRONG,
    "loses-broadcasts": Reason.EXCHANGE_WRONG,
    "repeats-later": Reason.EXCHANGE_WRONG,
    "leaks-later": Reason.EXCHANGE_WRONG,
    "sends-binary": Reason.EXCHANGE_WRONG,
    "redirects": Reason.HANDSHAKE_REFUSED,
    "refuses-with-secrets": Reason.HANDSHAKE_REFUSED,
    "tells-secrets": Reason.EXCHANGE_WRONG,
    "prints-its-environment": Reason.SERVER_DID_NOT_START,
    "drips": Reason.PAGE_FAILED,
    "shows-johns-pages": Reason.PAGE_FAILED,
    "leaks-much-later": Reason.EXCHANGE_WRONG,
    "repeats-much-later": Reason.EXCHANGE_WRONG,
    "copies-beside-the-fifteen": Reason.EXCHANGE_WRONG,
    "drops-repeats": Reason.EXCHANGE_WRONG,
    "closes-afterwards": Reason.EXCHANGE_WRONG,
    "ends-quietly": Reason.EXCHANGE_WRONG,
    "knows-by-order": Reason.EXCHANGE_WRONG,
    "tells-it-by-numbers": Reason.EXCHANGE_WRONG,
    "names-another-sender": Reason.EXCHANGE_WRONG,
    "names-another-channel": Reason.EXCHANGE_WRONG,
    "tells-what-was-said": Reason.EXCHANGE_WRONG,
    "masks-frames": Reason.EXCHANGE_WRONG,
    "writes-long-lengths": Reason.EXCHANGE_WRONG,
    "sets-reserved-bits": Reason.EXCHANGE_WRONG,
    "breaks-utf-8": Reason.EXCHANGE_WRONG,
    "nests-json": Reason.EXCHANGE_WRONG,
    "chooses-a-subprotocol": Reason.HANDSHAKE_REFUSED,
    "chooses-an-extension": Reason.HANDSHAKE_REFUSED,
    "drips-a-handshake": Reason.HANDSHAKE_REFUSED,
    "starts-once": Reason.NOT_EVERY_TIME,
    "complains-of-room": Reason.SERVER_DID_NOT_START,
    "says-in-use": Reason.SERVER_DID_NOT_START,
}

#: What is nobody's fault who is under test, and what the verdict says of it.
NOT_TESTED = {
    "crashes-in-migrate": "the interpreter crashed in migrate: it was ended by SIGSEGV",
    "is-ended-in-migrate": "migrate was ended by SIGTERM, sent from outside",
}


@pytest.mark.parametrize(("fake", "text"), NOT_TESTED.items())
def test_the_machines_fault(fake, text, tmp_path):
    """An interpreter that crashes, and a signal from outside, are no verdict; the signal is named."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 4, ran.output
    assert ran.result.verdicts.overall.reason is Reason.ENVIRONMENT_FAILED
    assert text in ran.result.verdicts.overall.text


#: What the verdict says of these, word for word.
SAID = {
    "sends-binary": "what arrives on it is not what was sent, at first '(binary) fence",
    "masks-frames": "a browser ends it (client received unexpected masked frame)",
    "never-listens": "the server did not answer within 5 s: it printed nothing",
    "starts-once": "right once of two times; the second time the server did not answer within 5 s",
    "drops-repeats": "in the second round ",
    "knows-by-order": "in the second round ",
    "ends-quietly": "the server had ended with exit status 3, within 4 s of it",
    "closes-afterwards": "closed by the server with 1011, within 4 s of the last exchange",
}


@pytest.mark.parametrize(("fake", "reason"), REFUSED.items())
def test_reason(fake, reason, once):
    """Each way to fail has its own reason, an exit code of 1, and a report that docutils accepts."""
    ran = ran_once(once, fake)
    assert ran.exit_code == 1, ran.output
    assert ran.result.verdicts.overall.reason is reason, ran.output
    said = ran.result.verdicts.overall.text
    assert said
    assert SAID.get(fake, "") in said
    assert "KeyboardInterrupt" not in said  # that is the harness's own doing
    for secret in ("/root/", "/home/", "abcdef", "tok-123", "\x1b", "\x07"):
        assert secret not in (ran.reports / "results" / f"{ran.cell}.json").read_text(), secret
        assert secret not in ran.output, secret
    assert not rst.problems(rst.escape(ran.result.verdicts.overall.text))


@pytest.mark.parametrize("fake", ["fails-check", "fails-test"])
def test_failure_beside_the_verdict(fake, tmp_path):
    """A failed check or unit test is recorded, and decides nothing: the server is what is judged."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 0, ran.output
    failed = [step.name for step in ran.result.steps if step.outcome == "failed"]
    assert failed == [fake.removeprefix("fails-")]


def test_signals_ignored(tmp_path):
    """A server that ignores SIGINT and SIGTERM is killed; that is recorded, and the rest counts."""
    ran = run_fake("ignores-signals", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert ran.result.varying.stopped["runserver"].startswith("SIGKILL")
    assert [step.outcome for step in ran.result.steps if step.name == "stop runserver"] == ["failed"]


def test_grandchild(tmp_path):
    """What a server leaves running in a session of its own is ended as well, and counted."""
    ran = run_fake("leaves-a-grandchild", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert "1 left behind and killed" in ran.result.varying.stopped["runserver"]


def test_taken_port(tmp_path):
    """A port that somebody else took is no fault of the library: another is tried, and that is said."""
    ran = run_fake("port-taken-once", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert ran.result.varying.repeated == ["runserver: the port was taken, another one was tried"]


def test_flood_is_kept_whole(once):
    """100 MB of output are evidence to the last line, while the result stays small."""
    ran = ran_once(once, "floods")
    assert (ran.evidence / "runserver.log").stat().st_size > 100 * 1024 * 1024
    assert (ran.reports / "results" / f"{ran.cell}.json").stat().st_size < 64_000


def test_hostile_output(once):
    """Output full of markup, terminal sequences and broken UTF-8 renders, and stays text."""
    ran = ran_once(once, "fails-to-start")
    page = rst.literal(ran.result.steps[-1].excerpt)
    assert not rst.problems(f"It printed::\n\n{page}\n\nAfter.\n")
    assert "\x1b" not in (ran.evidence / "runserver.log").read_text()
    assert "RuntimeError" in ran.result.verdicts.overall.text


@pytest.mark.parametrize("time", range(2))
def test_every_time(time, tmp_path):
    """A well-behaved library works every time; `tox -e benchmarks -- control` tries it two hundred times."""
    ran = run_fake("behaves", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert not ran.result.varying.late


#: What the questions of Isolation find: the fake, the beginning of the question, and whether it is as expected.
FOUND = [
    ("behaves", "What reaches an unknown client that subscribes to user", True),
    ("behaves", "What reaches Mary, who asks for John's channel?", True),
    ("behaves", "What reaches a page of a foreign Origin", False),
    ("behaves", "Can an unknown client broadcast", True),
    ("behaves", "Can an unknown client post", True),
    ("leaks-to-strangers", "What reaches an unknown client that subscribes to user", False),
    ("leaks-wrapped", "What reaches an unknown client that subscribes to group", False),
    ("hears-strangers", "Can an unknown client broadcast", False),
    ("posts-for-strangers", "Can an unknown client post", False),
    ("dies-of-strangers", "Does the server outlast the questions?", False),
    ("tells-strangers-everything", "What reaches an unknown client that subscribes to user", False),
    ("serves-strangers-late", "Can an unknown client broadcast", False),
]


@pytest.mark.parametrize(("fake", "question", "good"), FOUND)
def test_isolation(fake, question, good, once):
    """The fifteen are right, and beside them each leak towards strangers is found for what it is."""
    ran = ran_once(once, fake)
    assert ran.exit_code == 0, ran.output
    answers = [finding.good for finding in ran.result.isolation if finding.question.startswith(question)]
    assert answers == [good], ran.output


def test_daemon(tmp_path):
    """What left its session, lost its environment and has no parent any more is ended all the same."""
    ran = run_fake("leaves-a-daemon", tmp_path)
    assert ran.exit_code == 0, ran.output
    # Each start finds what it has left itself, and leaves alone what the other has.
    for stopped in ran.result.varying.stopped.values():
        assert "1 left behind and killed" in stopped
    assert len(ran.result.varying.stopped) == 2


def test_burst_that_comes_twice(tmp_path):
    """A burst whose messages come twice is no good burst, and the findings before and after are kept."""
    ran = run_fake("doubles-bursts", tmp_path, "--probe", "delivery")
    assert ran.exit_code == 0, ran.output
    answers = {finding.question: finding for finding in ran.result.probes[0].findings}
    assert answers["A burst of 50 messages"].seen == "some are received twice"
    assert answers["A connection that is idle for 12 s"].good is True


def test_variants(tmp_path):
    """Other ways to carry the chat are tried beside the verdict, each on its own, and do not change it."""
    ran = run_fake("has-variants", tmp_path)
    assert ran.exit_code == 0, ran.output
    found = {variant.name: variant for variant in ran.result.variants}
    assert [variant.judgement.reason for variant in found.values()] == [
        *(Reason.WORKS, Reason.EXCHANGE_WRONG, Reason.SERVER_DID_NOT_START)
    ]
    assert [row.number for row in found["one that drops"].exchanges if not row.good] == [5]
    assert ran.result.verdicts.overall.reason is Reason.WORKS


def test_installer_in_a_narrow_terminal(tmp_path):
    """What an installer printed is read whole, however narrow the terminal."""
    ran = run_fake("cannot-be-installed", tmp_path, COLUMNS="40")
    assert ran.result.verdicts.overall.reason is Reason.INSTALLATION_FAILED
    assert "error: this package needs a compiler that nobody has" in ran.result.steps[-1].excerpt


def test_other_ports(tmp_path):
    """A server that listens elsewhere than it was told works, and is said to do so."""
    ran = run_fake("listens-elsewhere", tmp_path)
    assert ran.exit_code == 0, ran.output
    answered = next(step for step in ran.result.steps if step.name == "runserver")
    assert answered.text == "answers; it also listens on 127.0.0.1:<port>"


def test_stopped_under_open_connections(once):
    """The members' connections stand when the server is stopped, and how it closed them is recorded."""
    ran = ran_once(once, "behaves")
    assert next(step for step in ran.result.steps if step.name == "stop runserver").text.endswith("9 sockets open")
    assert "open sockets: 9 " in ran.result.varying.stopped["runserver"]


def test_stall_that_ends_by_itself(tmp_path):
    """A burst that stalls and goes on by itself was not kept back until something else came."""
    ran = run_fake("stalls-by-itself", tmp_path, "--probe", "delivery")
    answers = {finding.question: finding.seen for finding in ran.result.probes[0].findings}
    assert answers["A burst of 50 messages"] == "all are received at once"


def test_stops(once):
    """Whether the server ends when it is told to is asked twice: under open connections, and while they are closing."""
    ran = ran_once(once, "behaves")
    stopping = next(each.findings for each in ran.result.sets if each.name == "stopping")
    assert [(each.id, each.good) for each in stopping] == [("ends-closing", True), ("ends-open", True)]
