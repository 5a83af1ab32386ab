"""Results of the document's first version: they are read as one round of the first instrument, and lose nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import samples
from shared import ROOT

from harness.errors import DamagedResult, ForeignSchema
from harness.results.document import decode_result, encode_result, read_result
from harness.results.questions import worded
from harness.results.result import INSTRUMENT, Round
from harness.results.upgrade import OLDER, upgraded

RECORDED = sorted((ROOT / "reports" / "results").glob("*.json"))
OLD = [path for path in RECORDED if json.loads(path.read_bytes())["schema"] == OLDER]
CELL = "py27-django18"
#: What the first version had not.
NEW = ("instrument", "starts", "rounds", "catches", "causes", "cures")


def lost(old: Any, new: Any, where: str = "") -> list[str]:
    """Return the places at which something of *old* does not stand in *new* any more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            place
            for name, value in old.items()
            for place in (lost(value, new[name], f"{where}.{name}") if name in new else [f"{where}.{name}"])
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [place for at, pair in enumerate(zip(old, new, strict=True)) for place in lost(*pair, f"{where}[{at}]")]
    if isinstance(old, str) and worded(old) == new:
        return []
    return [] if old == new and type(old) is type(new) else [where]


def an_old_one(**changes: Any) -> bytes:
    """Return the file of a result of the first version."""
    document = json.loads(encode_result(samples.of(CELL)))
    document["varying"].pop("orders", None)
    kept = {name: value for name, value in document.items() if name not in NEW}
    return json.dumps({**kept, "schema": OLDER, **changes}).encode()


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_recorded(path):
    """All that stood in a recorded result stands in it still, and it is one round of the first instrument."""
    old = json.loads(path.read_bytes())
    result = read_result(path)
    new = json.loads(encode_result(result))
    assert lost(old, new) == [".schema"]
    assert (new["schema"], result.instrument) == ("2", 1)
    right = sum(exchange["good"] for exchange in old["exchanges"])
    assert result.rounds == [Round(number=1, right=right, repeats=0)] * bool(old["exchanges"])
    assert result.varying.orders == [[*range(1, 16)]] * bool(old["exchanges"])
    assert result.varying.seed is None
    assert (result.catches, result.causes, result.cures) == ([], [], [])
    assert result.starts == any(step["name"] == old["server"] for step in old["steps"])
    assert {fault.round for exchange in result.exchanges for fault in exchange.faults} <= {1}
    assert decode_result(encode_result(result), path.stem) == result


def test_read():
    """A result of the first version is read under its own name, and is of the second one from then on."""
    result = decode_result(an_old_one(), CELL)
    assert (result.schema, result.instrument, result.starts) == ("2", 1, 1)
    assert result.rounds == [Round(number=1, right=15, repeats=0)]
    assert result.verdicts == samples.of(CELL).verdicts


def test_without_exchanges():
    """Where the exchanges were not come to there was no round, and no order of one."""
    document = upgraded(json.loads(an_old_one(exchanges=[], steps=[])))
    assert (document["rounds"], document["starts"], document["varying"].get("orders")) == ([], 0, None)


def test_what_is_given_is_not_changed():
    """The document that is read stays as it is."""
    given = json.loads(an_old_one())
    before = json.dumps(given)
    upgraded(given)
    assert json.dumps(given) == before


def test_a_new_one_is_not_upgraded():
    """A result of the second version keeps its instrument."""
    assert decode_result(encode_result(samples.of(CELL)), CELL) == samples.of(CELL)
    newest = msgspec.structs.replace(samples.of(CELL), instrument=INSTRUMENT)
    assert decode_result(encode_result(newest), CELL).instrument == INSTRUMENT


@pytest.mark.parametrize(
    "changes",
    [
        {"exchanges": [1]},
        {"exchanges": 5},
        {"exchanges": [{}]},
        {"steps": [{}]},
        {"steps": "x"},
        {"varying": 5},
        {"surprise": 1},
        {"complete": False},
        {"varying": "xy"},
    ],
)
def test_damaged(changes):
    """What names the first version as its own and is no result of it is damaged, whatever is wrong in it."""
    with pytest.raises(DamagedResult) as raised:
        decode_result(an_old_one(**changes), CELL)
    assert not isinstance(raised.value, ForeignSchema)
