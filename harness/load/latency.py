"""Distributions of latencies, as HDR histograms that can be added up."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable

from harness.errors import HarnessError
from harness.results.loads import Latency, Message

try:
    from hdrh.histogram import HdrHistogram
except ImportError:  # it is compiled, and not for the newest Pythons
    HdrHistogram = None

#: The largest latency that a histogram tells from larger ones, in microseconds, and its significant digits.
_LONGEST = 120_000_000
_DIGITS = 3


def latency(seconds: Iterable[float]) -> Latency | None:
    """Return the distribution of *seconds*; None where there are none.

    Raises:
        HarnessError: hdrhistogram is not installed.
    """
    histogram = _empty()
    # Many take as long as others, and each value takes a while to record.
    for value, times in Counter(min(max(int(each * 1e6), 1), _LONGEST) for each in seconds).items():
        histogram.record_value(value, times)
    return _distribution(histogram)


def combined(parts: Iterable[Latency]) -> Latency | None:
    """Return the distribution of all that is in *parts*; None where there are none.

    Raises:
        HarnessError: hdrhistogram is not installed.
    """
    histogram = _empty()
    for each in parts:
        histogram.decode_and_add(each.histogram)
    return _distribution(histogram)


def _empty() -> HdrHistogram:
    """Return a histogram in which nothing has been recorded.

    Raises:
        HarnessError: there is no library for it.
    """
    if HdrHistogram is None:
        raise HarnessError(
            "load runs need hdrhistogram, which is not installed",
            "run tox with a Python that it has a wheel for, such as 3.13",
        )
    return HdrHistogram(1, _LONGEST, _DIGITS)


def _distribution(histogram: HdrHistogram) -> Latency | None:
    if not histogram.get_total_count():
        return None

    def at(percentile: float) -> float:
        return round(float(histogram.get_value_at_percentile(percentile)) / 1000, 3)

    return Latency(
        count=histogram.get_total_count(),
        p50=at(50),
        p95=at(95),
        p99=at(99),
        max=at(100),
        histogram=histogram.encode().decode(),
    )


def per_second(messages: Iterable[Message]) -> float | None:
    """Return the deliveries in a second, the median over *messages*; None where none was timed."""
    rates = [each.delivered / each.last_ms * 1000 for each in messages if each.last_ms]
    return round(statistics.median(rates), 1) if rates else None
