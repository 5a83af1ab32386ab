"""Libraries that misbehave on purpose, each through the real command line."""

from __future__ import annotations

import pytest
from conftest import run_fake

from harness.report import rst
from harness.report.view import read
from harness.result import Reason

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]

#: What is wrong with the fifteen exchanges: number, kind, member, connection.
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
    }
    expected = WRONG[fake]
    if fake == "leaks-user":  # the recipient hears it twice, on the connections that should not
        found = {each for each in found if each[1] == "extra"}
    assert found == expected


@pytest.mark.parametrize("fake", ["behaves", "hangs-up", "delays", "floods", "prints-hostile-text"])
def test_right_exchanges(fake, tmp_path):
    """A library that carries every message works, be it slow, noisy or quick to hang up."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 0, ran.output
    assert ran.result.verdicts.overall.reason is Reason.WORKS
    assert [exchange.good for exchange in ran.result.exchanges] == [True] * 15
    assert not ran.result.varying.repeated


def test_stall_is_recorded(tmp_path):
    """A message that comes only with the next one is right, and the result says that it came late."""
    ran = run_fake("stalls", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert ran.result.varying.held_back == [5]


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
}


@pytest.mark.parametrize(("fake", "reason"), REFUSED.items())
def test_reason(fake, reason, tmp_path):
    """Each way to fail has its own reason, an exit code of 1, and a report that docutils accepts."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 1, ran.output
    assert ran.result.verdicts.overall.reason is reason, ran.output
    assert ran.result.verdicts.overall.text
    row = read(tmp_path / "results").rows[0]
    assert not rst.problems(rst.escape(row.result.verdicts.overall.text))


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


def test_flood_is_kept_whole(tmp_path):
    """100 MB of output are evidence to the last line, while the result stays small."""
    ran = run_fake("floods", tmp_path)
    assert (ran.evidence / "runserver.log").stat().st_size > 100 * 1024 * 1024
    assert (tmp_path / "results" / f"{ran.cell}.json").stat().st_size < 64_000


def test_hostile_output(tmp_path):
    """Output full of markup, terminal sequences and broken UTF-8 renders, and stays text."""
    ran = run_fake("fails-to-start", tmp_path)
    row = read(tmp_path / "results").rows[0]
    page = rst.literal(row.result.steps[-1].excerpt)
    assert not rst.problems(f"It printed::\n\n{page}\n\nAfter.\n")
    assert "\x1b" not in (ran.evidence / "runserver.log").read_text()
    assert "RuntimeError" in row.result.verdicts.overall.text


@pytest.mark.parametrize("round_", range(50))
def test_fifty_of_fifty(round_, tmp_path):
    """A well-behaved library works every time."""
    ran = run_fake("behaves", tmp_path)
    assert ran.exit_code == 0, ran.output
    assert not ran.result.varying.held_back


def test_isolation_is_found(tmp_path):
    """The fake keeps strangers out, and the findings say so."""
    ran = run_fake("behaves", tmp_path)
    answers = {finding.question: finding.good for finding in ran.result.isolation}
    assert answers["Can an unknown client broadcast through a WebSocket?"] is True
    assert answers["What hears an unknown client that subscribes to user messages?"] is True
    assert answers["What hears a page of a foreign Origin, with John's cookie?"] is False
