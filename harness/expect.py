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
    columns = {
        "django_server": "Django server works?",
        "web_server": "Web server works?",
        "channels": "Channels work?",
        "overall": "Does it work?",
    }
    for column, name in columns.items():
        old, new = getattr(recorded.verdicts, column), getattr(fresh.verdicts, column)
        if old is None or new is None:
            continue
        if (old.verdict, old.reason) != (new.verdict, new.reason):
            found.append(f"{name} was {old.label}, is {new.label}" + (f": {new.text}" if new.text else ""))
    return found
