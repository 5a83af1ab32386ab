"""Read a result of the document's first version: nothing of it is lost, and it says of what instrument it is."""

from __future__ import annotations

from typing import Any

#: The version of the document that is read here.
OLDER = "1"


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """Return a *document* of schema 1 as one of schema 2.

    It is of the first instrument: one start of the server and one round, in the order of the table, with texts that
    are all different.
    """
    exchanges = document.get("exchanges") or []
    varying = dict(document.get("varying") or {})
    if exchanges:
        varying.setdefault("orders", [[exchange["number"] for exchange in exchanges]])
    right = sum(bool(exchange["good"]) for exchange in exchanges)
    return {
        **document,
        "schema": "2",
        "instrument": 1,
        "starts": int(any(step["name"] == document.get("server") for step in document.get("steps") or [])),
        "rounds": [{"number": 1, "right": right, "repeats": 0}] if exchanges else [],
        "varying": varying,
    }
