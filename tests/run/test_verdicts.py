"""How the verdicts follow from what was seen: which column says what, and which stands for the whole."""

from __future__ import annotations

import pytest

from harness.cell.outcome import Observations
from harness.chat.exchanges import Exchanged
from harness.chat.rounds import first_round, second_round
from harness.errors import CellFailure, HarnessError
from harness.results.result import Exchange, Judgement, Verdicts
from harness.run import verdicts
from harness.verdict import Reason


def exchanged(number: int, wrong: int = 0) -> Observations:
    """Return what is observed where so many exchanges were made twice, and some of them are wrong."""
    rows = [
        Exchange(
            number=each,
            channel="broadcast",
            sender="John",
            audience="all",
            recipients=[],
            transport="POST",
            good=each > wrong,
            faults=[],
        )
        for each in range(1, number + 1)
    ]
    rounds = [Exchanged(first_round("abc")), Exchanged(second_round("abc", 1))]
    return Observations(rounds=rounds, exchanges=rows)


def shown(found: Verdicts) -> tuple[str, ...]:
    """Return the columns from the first to the last, each with its text."""
    columns = (found.django_server, found.web_server, found.channels, found.overall)
    return tuple("" if each is None else f"{each.label} | {each.text}" for each in columns)


WORKS = "✓ Yes | "
MIGRATION = CellFailure(Reason.MIGRATION_FAILED, "migrate failed: no such table")
START = CellFailure(Reason.SERVER_DID_NOT_START, "it ended with exit status 1")
CHANNELS = CellFailure(Reason.HANDSHAKE_REFUSED, "the handshake failed: status 403")


def test_all_is_well():
    """Fifteen exchanges that were right in each round are the verdict of the channels and of the whole."""
    assert shown(verdicts.of_observations(exchanged(15))) == (
        *("", WORKS),
        *["✓ Yes | 15 of 15 exchanges right in 2 rounds"] * 2,
    )


def test_channels():
    """What is wrong with the channels decides the whole, and the server that carries them works all the same."""
    observed = exchanged(15, wrong=2)
    observed.channels = CHANNELS
    assert shown(verdicts.of_observations(observed)) == (
        *("", WORKS),
        *["✗ No (handshake refused) | the handshake failed: status 403"] * 2,
    )


def test_the_server():
    """A server that does not start decides the whole; of channels nothing is known, and why is said."""
    assert shown(verdicts.of_observations(Observations(web_server=START))) == (
        "",
        "✗ No (server did not start) | it ended with exit status 1",
        "─ Not tested (an earlier step failed) | server did not start",
        "✗ No (server did not start) | it ended with exit status 1",
    )


def test_the_database():
    """Without a database the whole fails for that, though the servers are judged for themselves."""
    whole = "✗ No (migration failed) | migrate failed: no such table"
    later = "─ Not tested (an earlier step failed) | migration failed"
    observed = Observations(migration=MIGRATION, django_server=Judgement.of(Reason.WORKS))
    assert shown(verdicts.of_observations(observed)) == (WORKS, WORKS, later, whole)
    observed.web_server = START
    assert shown(verdicts.of_observations(observed)) == (
        *(WORKS, "✗ No (server did not start) | it ended with exit status 1", later, whole),
    )


def test_djangos_own_server():
    """How Django's own server did stands in its column, and decides nothing."""
    own = Judgement.of(Reason.PAGE_FAILED, "status 500")
    observed = exchanged(15)
    observed.django_server = own
    found = verdicts.of_observations(observed)
    assert shown(found)[0] == "✗ No (page failed) | status 500"
    assert found.overall.reason is Reason.WORKS


def test_a_server_of_sockets_alone():
    """Where the server of the sockets is not Django's it works only when one can be opened."""
    observed = exchanged(0)
    observed.channels = CellFailure(Reason.HANDSHAKE_REFUSED, "the handshake failed")
    assert verdicts.of_observations(observed).web_server.reason is Reason.WORKS
    observed.django_server = Judgement.of(Reason.WORKS)
    assert verdicts.of_observations(observed).web_server == Judgement.of(
        Reason.HANDSHAKE_REFUSED, "the handshake failed"
    )


@pytest.mark.parametrize("never", [Observations(), exchanged(0)], ids=["no round", "rounds of nothing"])
def test_nobody_said_why(never):
    """Where nothing failed and no exchange was made there is no verdict: it is the harness that is wrong."""
    with pytest.raises(HarnessError, match=r"^the exchanges were never made, and nobody said why$"):
        verdicts.of_observations(never)


@pytest.mark.parametrize(
    ("reason", "label"),
    [(Reason.INSTALLATION_FAILED, "✗ No (installation failed)"), (Reason.NO_NETWORK, "─ Not tested (no network)")],
)
def test_nothing_was_served(reason, label):
    """Of a cell that never came to start a server the whole says why, and the columns that an earlier step failed."""
    found = verdicts.of_nothing(CellFailure(reason, "so it was"))
    later = f"─ Not tested (an earlier step failed) | {reason}"
    assert shown(found) == ("", later, later, f"{label} | so it was")
