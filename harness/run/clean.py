"""What of a run goes into its result: scrubbed, and no more of it than somebody would read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from harness.captured.scrub import Scrubber
from harness.results.result import Result

#: How long a text of a result may be that is no excerpt.
_TEXT = 600
_FAULT_TEXT = 100
#: How many deprecation warnings a result lists.
_WARNINGS = 60


def few_warnings(warnings: Iterable[str]) -> list[str]:
    """Return each of *warnings* once, in order, and of many the first."""
    texts = sorted(set(warnings))
    return texts if len(texts) <= _WARNINGS else [*texts[:_WARNINGS], f"… and {len(texts) - _WARNINGS} more"]


def cleaned(result: Result, scrub: Scrubber) -> Result:
    """Return *result* with every text scrubbed, and cut where anybody may have written it."""
    long = {"excerpt", "table", "startup_output"}

    def scrubbed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: scrubbed(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [scrubbed(each, key) for each in value]
        if not isinstance(value, str):
            return value
        text = scrub(value)
        return text if key in long or len(text) <= _TEXT else text[: _TEXT - 1] + "…"

    document = scrubbed(msgspec.to_builtins(result))
    for exchange in document["exchanges"]:
        for number, fault in enumerate(exchange["faults"]):
            # One message that is wrong everywhere is wrong in the same way; three texts show it.
            fault["text"] = fault["text"][:_FAULT_TEXT] if number < 3 else ""
    return msgspec.convert(document, Result)
