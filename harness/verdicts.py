"""How the verdicts of a cell follow from what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import CellFailure, HarnessError
from harness.result import Judgement, Reason, Verdicts

if TYPE_CHECKING:
    from harness.serve import Served


def of_nothing(failure: CellFailure) -> Verdicts:
    """Return the verdicts of a cell that never came to start its server."""
    later = _later(failure)
    return Verdicts(web_server=later, channels=later, overall=_judgement(failure))


def of_served(served: Served) -> Verdicts:
    """Return the verdicts of a cell whose server was to be started.

    Raises:
        HarnessError: nothing is known to be wrong, and yet the exchanges were never made.
    """
    earlier = served.migration or served.web_server
    if earlier is not None:
        channels, overall = _later(earlier), _judgement(earlier)
    elif served.channels is not None:
        channels = overall = _judgement(served.channels)
    elif served.exchanged is None or not served.exchanged.exchanges:
        raise HarnessError("the exchanges were never made, and nobody said why")
    else:
        channels = overall = Judgement.of(Reason.WORKS, f"{served.exchanged} exchanges right")
    return Verdicts(
        django_server=served.django_server,
        web_server=_judgement(served.web_server) if served.web_server else Judgement.of(Reason.WORKS),
        channels=channels,
        overall=overall,
    )


def _judgement(failure: CellFailure) -> Judgement:
    return Judgement.of(failure.reason, failure.text)


def _later(earlier: CellFailure) -> Judgement:
    return Judgement.of(Reason.EARLIER_STEP_FAILED, str(earlier.reason))
