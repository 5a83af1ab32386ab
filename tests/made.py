"""Parts of results that tests put together by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.results.deep import DeepSet
from harness.results.result import Finding, Judgement, Verdicts


def alike(judgement: Judgement) -> Verdicts:
    """Return verdicts that all say *judgement*."""
    return Verdicts(web_server=judgement, channels=judgement, overall=judgement)


def frames(evidence: Path, data: Iterable[str], more: bytes = b"") -> None:
    """Write the frames that brought John *data* into the folder *evidence*, and *more* behind them."""
    frame = {"seconds": 1.5, "member": "John", "connection": "user", "direction": "in", "kind": "text"}
    lines = [msgspec.json.encode({**frame, "data": each}) for each in data]
    evidence.mkdir(parents=True, exist_ok=True)
    (evidence / "frames.jsonl").write_bytes(b"\n".join([*lines, more]))


def deep_set(
    cell: str,
    name: str,
    findings: Iterable[Finding],
    library: str = "channels4",
    server: str = "daphne",
    seconds: float = 1.0,
    versions: dict[str, str] | None = None,
) -> DeepSet:
    """Return the answers of *cell* to the set *name*."""
    return DeepSet(
        cell=cell,
        library=library,
        server=server,
        name=name,
        started="2026-11-26T06:00:00+00:00",
        seconds=seconds,
        versions=versions or {},
        findings=list(findings),
        counted={},
    )
