"""``show``: one result for people, from its verdict to its last finding."""

from __future__ import annotations

import re

import pytest
import samples
from click.testing import CliRunner
from made import alike
from msgspec.structs import replace

from harness.commands.show import show
from harness.errors import DamagedResult, UsageError
from harness.results.document import encode_result
from harness.results.folder import Reports
from harness.results.result import Fault, Judgement
from harness.verdict import Reason

CELL = "py311-django52-channels4"


@pytest.fixture
def reports(tmp_path) -> Reports:
    return samples.write(
        tmp_path, CELL, "py27-django18-socketio", "py33-django18", "py35-django19", "py36-django32-pysocketio"
    )


def save(reports: Reports, result) -> None:
    reports.result(result.cell).write_bytes(encode_result(result))


def shown(reports: Reports, cell: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(show, [cell, "--reports", str(reports.folder)], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, done.output.splitlines()


def test_beginning(reports):
    """First come what it is of, with what versions and when, and the columns of the verdict."""
    code, lines = shown(reports, CELL)
    assert code == 0
    assert lines[:5] == [
        "py311-django52-channels4: channels4 with runserver",
        "Python 3.11.7, Django 5.2.19, Valkey 9.1.2; 2026-11-21T15:27:35+00:00",
        "  Web server works? ✓ Yes",
        "  Channels work?    ✓ Yes: 15 of 15 exchanges right",
        "  Does it work?     ✓ Yes, but: 15 of 15 exchanges right",
    ]
    assert any(line.startswith("  mild: a message can be lost right after a handshake") for line in lines)


def test_two_servers_and_pins(reports):
    """Pins are named, and Django's own server has a line where it is another one."""
    pinned = replace(samples.of("py27-django18-socketio"), profile="pins", cell="py27-django18-socketio-pins")
    save(reports, pinned)
    code, lines = shown(reports, "py27-django18-socketio-pins")
    assert code == 1
    assert lines[0].endswith(": django-socketio with runserver_socketio, with the best known pins")
    assert lines[2] == "  Django server?    ✓ Yes"
    assert lines[4].startswith("  Channels work?    ✗ No (handshake refused): the handshake of admin's chat connection")


def test_not_tested(reports):
    """A cell that could not be tried has its verdict, and no versions, exchanges or findings."""
    code, lines = shown(reports, "py33-django18")
    assert code == 4
    assert lines == [
        "py33-django18: django-websocket-redis with runserver",
        "  Web server works? ─ Not tested (interpreter missing): no Python 3.3 found",
        "  Channels work?    ─ Not tested (interpreter missing): no Python 3.3 found",
        "  Does it work?     ─ Not tested (interpreter missing): no Python 3.3 found",
        "",
        "Steps",
    ]


def test_steps(reports):
    """Each step has its sign, its name, its time and what there is to say; one that failed shows its output."""
    _, lines = shown(reports, CELL)
    assert "  ✓ migrate            1.03 s" in lines
    assert any(line.startswith("  ✓ log in") and line.endswith("  admin, John, Mary") for line in lines)
    _, lines = shown(reports, "py35-django19")
    assert lines[-3:] == [
        "  ✗ environment                tox could not make it",
        "      error: no space left",
        "        while unpacking pip",
    ]


def test_output_of_what_went_well_is_not_shown(reports):
    """The output of a step that went well is not shown."""
    result = samples.of(CELL)
    steps = [replace(result.steps[0], excerpt="nothing to see here"), *result.steps[1:]]
    save(reports, replace(result, steps=steps))
    assert not any("nothing to see" in line for line in shown(reports, CELL)[1])


def test_exchanges(reports):
    """Each exchange has the longest of its times, whether it came late, and all that was wrong with it."""
    _, lines = shown(reports, "py36-django32-pysocketio")
    at = lines.index("Exchanges")
    assert lines[at + 1] == "  ✓  1 broadcast admin to all          1.6 ms"
    assert lines[at + 5 : at + 10] == [
        "  ✗  5 user      admin to John         3.0 ms",
        "       missing on John's user connection",
        "  ✗  6 user      admin to Mary         3.4 ms",
        "       extra on admin's user connection: Hello (…) Mary, this is admin with message 6",
        "       altered on Mary's user connection: Hello (…) M?ry, this is admin with message 6",
    ]
    assert lines[at + 12].endswith(" ms came late")


def test_installed_before(reports):
    """A library that an earlier run installed is shown with what that took, and not with nothing."""
    result = samples.of(CELL)
    seconds = {**result.varying.seconds, "install": 0.0}
    earlier = replace(result.varying, seconds=seconds, install_seconds=1.64, installed_on="2026-11-20")
    save(reports, replace(result, varying=earlier))
    assert any(re.match(r"  ✓ install +1\.64 s", line) for line in shown(reports, CELL)[1])


def test_an_exchange_without_a_time(reports):
    """A message that nobody had has no time."""
    result = samples.of("py36-django32-pysocketio")
    save(reports, replace(result, varying=replace(result.varying, latency_ms={}, late=[])))
    lines = shown(reports, result.cell)[1]
    assert "  ✓  1 broadcast admin to all                " in lines


def test_findings(reports):
    """Findings stand by their sets, each with its sign, what was seen, and what was counted."""
    _, lines = shown(reports, CELL)
    titles = [line for line in lines if line in ("Isolation", "Rooms", "Payloads", "Delivery", "Browser")]
    assert titles == ["Isolation", "Rooms", "Payloads", "Delivery", "Browser"]
    assert "  ✓ Can an unknown client post a message to a page? it is sent to the login page" in lines
    assert "  ✗ 200 kB by POST refused: POST /chat/user/ answers with 500" in lines
    assert "  ─ empty text by POST nothing arrives" in lines
    assert (
        "  ✗ A message sent right after somebody's handshake can be lost: it is not subscribed yet (10 of 100 lost)"
    ) in lines


def test_other_ways(reports):
    """The other ways to carry the chat have their signs and what came of them."""
    _, lines = shown(reports, CELL)
    at = lines.index("Other ways to carry the same chat")
    assert lines[at + 1] == "  ✓ sync consumer, Redis layer: 15 of 15 exchanges right"
    wrong = samples.of(CELL).variants[-1]
    assert f"  ✗ {wrong.name}: {wrong.judgement.text}" in lines[at:]


def test_evidence(reports):
    """Where the evidence lies is told last, if it is here."""
    assert not shown(reports, CELL)[1][-1].startswith("Evidence")
    reports.evidence(CELL).mkdir(parents=True)
    assert shown(reports, CELL)[1][-1] == f"Evidence: {reports.evidence(CELL)}"


def test_evidence_of_another_run(reports):
    """Evidence of a later run, which is not recorded, is not taken for that of what is recorded."""
    reports.evidence(CELL).mkdir(parents=True)
    reports.unexpected(CELL).write_bytes(b"{}")
    assert shown(reports, CELL)[1][-1] == f"A later run is not recorded; its evidence: {reports.evidence(CELL)}"


def test_texts_are_shown_as_they_are(reports):
    """What looks like markup is none."""
    judgement = Judgement.of(Reason.PAGE_FAILED, "[red]not red[/red] [/]")
    result = samples.of("py36-django32-pysocketio")
    faults = [Fault(kind="altered", member="[b]", connection="[/b]", text="[/]")]
    rows = [replace(result.exchanges[0], good=False, faults=faults)]
    save(
        reports,
        replace(result, verdicts=alike(judgement), exchanges=rows),
    )
    _, lines = shown(reports, result.cell)
    assert "  Does it work?     ✗ No (page failed): [red]not red[/red] [/]" in lines
    assert "       altered on [b]'s [/b] connection: [/]" in lines


def test_nothing_is_there(reports):
    """A cell without a result is named, with what to do."""
    with pytest.raises(UsageError, match=r"^there is no result of py39-django22$") as raised:
        shown(reports, "py39-django22")
    assert raised.value.hint == "run `tox -e py39-django22`"


def test_no_cell(reports):
    """What is no cell's name is refused."""
    with pytest.raises(UsageError, match=r"^'../../etc/passwd' is not the name of a cell$"):
        shown(reports, "../../etc/passwd")


def test_what_is_there(reports):
    """Where it is no cell those are named that are nearly called so."""
    with pytest.raises(UsageError) as raised:
        shown(reports, "socketio")
    assert "py27-django18-socketio" in raised.value.hint


def test_somebodys_own_chat(reports, tmp_path):
    """Of a scenario's chat nobody asks whether channels work: its messages are right, or are not."""
    (tmp_path / "chat.toml").write_text("")
    save(reports, replace(samples.of(CELL), library="own"))
    options = ["--reports", str(reports.folder), "--libraries", str(tmp_path / "chat.toml")]
    done = CliRunner().invoke(show, [CELL, *options], standalone_mode=False)
    assert "  Messages right?   ✓ Yes" in done.output
    assert "Channels work?" not in done.output


def test_damaged(reports):
    """A damaged result is not shown."""
    reports.result(CELL).write_text("{")
    with pytest.raises(DamagedResult):
        shown(reports, CELL)
