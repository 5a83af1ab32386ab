"""What deep sets count as lost in sight, and how it is told."""

from __future__ import annotations

from harness.chat.traffic import Account
from harness.results import losses
from harness.results.losses import Losses


def account(sent: int, received: int, twice: int = 0, closed: int = 0) -> Account:
    return Account(sent, received, twice, sent - received, 0, closed, "with 1011", False, None)


def test_accounts():
    """What traffic says of itself is read again, for those who stay and for those who come back."""
    counted = f"{account(80, 60, closed=3)}; of those who come back {account(100, 95, twice=2)}"
    assert losses.of(counted) == Losses(0.25, 0.05)
    assert losses.of(f"{account(0, 0)}; of those who come back {account(4, 4)}") == Losses(None, 0.0)
    assert losses.of("nobody is served for 0.5 s") is None
    assert losses.of(str(account(80, 60))) is None


def test_told():
    """The cells have a median, and a range where they differ."""
    both = losses.told([Losses(0.25, 0.05), Losses(0.75, 0.05), Losses(0.3, 0.05)])
    assert both == "30 % (25 to 75) where nobody comes back, 5 % where everybody does"
    assert losses.told([Losses(None, 0.1)]) == "10 % where everybody does"
    assert losses.told([Losses(0.0, 0.0)]) == "none"
