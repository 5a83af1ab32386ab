"""What people see in a terminal while a cell runs, and of its verdict."""

from __future__ import annotations

import io

import pytest
import samples
from rich.console import Console

from harness.commands import terminal
from harness.commands.terminal import Progress, step_line, verdict_line, verdict_style
from harness.results.result import Step
from harness.verdict import Verdict


def progress(monkeypatch, is_terminal: bool) -> tuple[Progress, io.StringIO]:
    said = io.StringIO()
    made = Console(file=said, force_terminal=is_terminal, highlight=False, soft_wrap=True, width=200)
    monkeypatch.setattr(terminal, "console", lambda: made)
    return Progress("py311-django52"), said


def test_in_a_pipe(monkeypatch):
    """In a pipe each step is one plain line once it has ended, below the cell's name."""
    made, said = progress(monkeypatch, is_terminal=False)
    with made:
        made.begin("migrate")
        made.end(Step(name="migrate", outcome="ok"), 1.234)
        made.begin("check")
        made.end(Step(name="check", outcome="failed", text="1 issue", cause="SystemCheckError"), 10.0)
    assert said.getvalue() == (
        "py311-django52\n  ✓ migrate            1.23 s\n  ✗ check             10.00 s  1 issue; SystemCheckError\n"
    )


def test_on_a_terminal(monkeypatch):
    """On a terminal the step that runs is shown as long as it does, also when it is cut short."""
    made, said = progress(monkeypatch, is_terminal=True)

    def cut_short():
        with made:
            made.begin("migrate")
            assert made._status is not None
            made.begin("check")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_short()
    assert made._status is None
    assert "migrate …" in said.getvalue()
    assert "check …" in said.getvalue()


@pytest.mark.parametrize(
    ("outcome", "line"),
    [("ok", "  ✓ check"), ("failed", "  ✗ check"), ("timed out", "  ✗ check"), ("skipped", "  ─ check")],
)
def test_signs(outcome, line):
    """A step has the sign of its outcome; one whose time is not known has none."""
    shown = step_line(Step(name="check", outcome=outcome), None)
    assert shown.plain == f"{line:<20}" + " " * 9


def test_one_line():
    """A verdict is one plain line, with its text where there is one."""
    assert verdict_line(samples.of("py27-django18")) == "py27-django18  ✓ Yes, but: 15 of 15 exchanges right"
    assert verdict_line(samples.of("py33-django18")) == (
        "py33-django18  ─ Not tested (interpreter missing): no Python 3.3 found"
    )


def test_colours():
    """Each verdict has a colour of its own."""
    assert [verdict_style(verdict) for verdict in Verdict] == ["green", "red", "yellow"]
