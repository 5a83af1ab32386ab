"""Distributions of latencies: exact to three digits, and added up as if they were one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.load import latency as module
from harness.load.latency import combined, latency, per_second
from harness.results.loads import Message

SECONDS = st.lists(st.floats(0.00001, 10.0), min_size=1, max_size=60)


def message(delivered: int, last_ms: float | None) -> Message:
    return Message(delivered=delivered, last_ms=last_ms)


def test_percentiles():
    """Of a hundred latencies from one to a hundred milliseconds the percentiles are what they are called."""
    found = latency(number / 1000 for number in range(1, 101))
    assert found.count == 100
    assert (found.p50, found.p95, found.p99, found.max) == (
        *(pytest.approx(each, rel=0.001) for each in (50, 95, 99, 100)),
    )


def test_one():
    """A single latency is each of its percentiles."""
    found = latency([0.25])
    assert [found.p50, found.p95, found.p99, found.max] == [pytest.approx(250, rel=0.001)] * 4


def test_none():
    """Without any there is no distribution."""
    assert latency([]) is None
    assert combined([]) is None


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0.0, 0.001), (-1.0, 0.001), (1000.0, 120_000)])
def test_out_of_range(seconds, milliseconds):
    """What took no time, or longer than can be told, is told as the least or the most."""
    found = latency([seconds])
    assert (found.count, found.max) == (1, pytest.approx(milliseconds, rel=0.001))


@settings(max_examples=25, deadline=None)
@given(SECONDS)
def test_order(seconds):
    """A percentile is no less than a lower one, and none is beyond what took longest."""
    found = latency(seconds)
    assert found.count == len(seconds)
    assert found.p50 <= found.p95 <= found.p99 <= found.max
    assert found.max == pytest.approx(max(seconds) * 1000, rel=0.002, abs=0.002)


@settings(max_examples=15, deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=3))
def test_combined(parts):
    """Several distributions added up are that of all their latencies."""
    assert combined(latency(each) for each in parts) == latency(second for each in parts for second in each)


@pytest.mark.parametrize("ask", [latency, combined])
def test_without_histograms(monkeypatch, ask):
    """Where no histogram can be had it is said what is missing, and with which Python it is there."""
    monkeypatch.setattr(module, "HdrHistogram", None)
    with pytest.raises(HarnessError, match=r"^load runs need hdrhistogram, which is not installed$") as raised:
        ask([])
    assert raised.value.hint == "run tox with a Python that it has a wheel for, such as 3.13"


def test_per_second():
    """The deliveries in a second are the median over the messages, each by its last delivery."""
    assert per_second([message(100, 10.0), message(100, 20.0), message(100, 100.0)]) == 5000.0
    assert per_second([message(100, 10.0), message(50, 20.0)]) == 6250.0


def test_messages_that_were_not_timed():
    """A message whose last delivery is not timed does not count, and without any there is no rate."""
    assert per_second([message(100, None), message(3, 3.0)]) == 1000.0
    assert per_second([message(100, None)]) is None
    assert per_second([]) is None
