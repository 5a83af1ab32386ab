"""What was recorded of each wire protocol, read again by the library's own client module."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.chat.judge import Received, SentExchange, judge
from harness.chat.members import channel_table
from harness.clients.connection import Endpoint
from harness.clients.transcript import Transcript
from harness.libraries import registry

FOLDER = Path(__file__).resolve().parent.parent / "transcripts"
#: The library whose client reads each transcript, and what only the protocol itself puts into it.
PROTOCOLS = {
    "json": ("channels4", None),
    "engine.io-3": ("pysocketio", "0{"),
    "socket.io-5": ("pysocketio", None),
    "hixie-76": ("socketio", "~m~"),
    "django-websocket-redis": ("", "--heartbeat--"),
}


def frames(protocol: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_replay(protocol):
    """The fifteen messages and their fences are found in the frames, and nothing else is taken for a message."""
    suffix, mark = PROTOCOLS[protocol]
    library = registry.discover()[suffix]
    transcript = Transcript(library.read)
    recorded = frames(protocol)
    for frame in recorded:
        if frame["kind"] in ("open", "text"):
            transcript.add(
                Endpoint(frame["member"], frame["connection"]), frame["direction"], frame["kind"], frame["data"]
            )
    assert mark is None or any(frame["data"].startswith(mark) for frame in recorded)
    token = re.search(r"Hello \((\w+)\)", json.dumps(recorded))
    assert token is not None
    lines = [Endpoint(member, name) for member in ("admin", "John", "Mary") for name in library.paths()]
    heard = {line: transcript.texts(line) for line in lines}
    fences = [text for text in heard[lines[0]] if text.startswith("fence")]
    sent, position = [], 0
    for row in channel_table():
        text = f"Hello ({token[1]}) {row.audience}, this is {row.sender} with message {row.number}"
        order = heard[next(iter(library.expected(row)))]
        behind = next(each for each in order[order.index(text) :] if each.startswith("fence"))
        position = fences.index(behind)
        sent.append(SentExchange(row.number, text, library.expected(row), (behind,), says=library.says(row, text)))
    assert position >= 14
    own = {fence for each in sent for fence in each.fences}
    received = {
        line: Received([each for each in transcript.messages(line) if each.text[:5] != "fence" or each.text in own])
        for line in lines
    }
    faults = judge(sent, received)
    assert all(not found for found in faults.values()), faults
