"""How the verdicts of a cell follow from what was seen of it."""

from __future__ import annotations

from harness.cell.outcome import Observations
from harness.errors import CellFailure, HarnessError
from harness.results.result import Judgement, Verdicts
from harness.verdict import Reason


def of_nothing(failure: CellFailure) -> Verdicts:
    """Return the verdicts of a cell that never came to start its server."""
    later = _later(failure)
    return Verdicts(web_server=later, channels=later, overall=_judgement(failure))


def of_observations(observed: Observations) -> Verdicts:
    """Return the verdicts of a cell whose server was to be started.

    Raises:
        HarnessError: nothing is known to be wrong, and yet the exchanges were never made.
    """
    earlier = observed.migration or observed.web_server
    if earlier is not None:
        channels, overall = _later(earlier), _judgement(earlier)
    elif observed.channels is not None:
        channels = overall = _judgement(observed.channels)
    elif not observed.exchanges:
        raise HarnessError("the exchanges were never made, and nobody said why")
    else:
        right = sum(each.good for each in observed.exchanges)
        text = f"{right} of {len(observed.exchanges)} exchanges right in {len(observed.rounds)} rounds"
        channels = overall = Judgement.of(Reason.WORKS, text)
    web_server = observed.web_server
    if observed.django_server and observed.channels and observed.channels.reason is Reason.HANDSHAKE_REFUSED:
        web_server = observed.channels  # a server for sockets alone, which refuses one
    return Verdicts(
        django_server=observed.django_server,
        web_server=_judgement(web_server) if web_server else Judgement.of(Reason.WORKS),
        channels=channels,
        overall=overall,
    )


def _judgement(failure: CellFailure) -> Judgement:
    return Judgement.of(failure.reason, failure.text)


def _later(earlier: CellFailure) -> Judgement:
    return Judgement.of(Reason.EARLIER_STEP_FAILED, str(earlier.reason))
