"""Compare a fresh result with the recorded one: does the cell still do what is recorded?"""

from __future__ import annotations

from harness.result import Result, Verdict


def differences(recorded: Result, fresh: Result) -> list[str]:
    """Return what is different, a line each; versions may move as long as the verdicts stay.

    A known ✗ that turns ✓ is a difference as well: it is news.
    """
    if recorded.verdicts.overall.verdict is Verdict.NOT_TESTED:
        return []  # nothing was known, so nothing was expected
    found = []
    for column in ("web_server", "channels", "overall"):
        old, new = getattr(recorded.verdicts, column), getattr(fresh.verdicts, column)
        if (old.verdict, old.reason) != (new.verdict, new.reason):
            name = {"web_server": "Web server works?", "channels": "Channels work?", "overall": "Does it work?"}[column]
            found.append(f"{name} was {old.label}, is {new.label}" + (f": {new.text}" if new.text else ""))
    return found
