"""Any text stays text in reStructuredText."""

from __future__ import annotations

import docutils.core
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.captured.scrub import printable
from harness.report import rst

hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="*`|_<>:\\.[]#-=~+ \n\t\"'1a)(@/", max_size=40),
    st.lists(
        st.sampled_from(
            [
                ".. raw:: html",
                "`a <b>`__",
                "|x|",
                "**",
                "::",
                "[1]_",
                "_`t`",
                ":role:`x`",
                "http://a.b",
                "a@b.cc",
                "==",
                "1.",
                "\x1b[1m",
                "x_",
            ]
        ),
        max_size=5,
    ).map(" ".join),
)


def text_of(source: str) -> str:
    return docutils.core.publish_doctree(source, settings_overrides={"report_level": 5}).astext()


@given(hostile)
@example("*")
@example("1. x")
@example("|a|")
@example("x_")
@example("__")
@example(":a: b")
@example("-- x")
@example("\\")
@settings(deadline=None)
def test_escape(text):
    """An escaped text is right at docutils' strictest, and reads as it was, wherever it stands."""
    shown = rst.escape(text)
    wanted = " ".join(printable(text).split())
    for source in (f"{shown}\n", f"before {shown} behind\n"):
        assert not rst.problems(source)
    assert " ".join(text_of(f"{shown}\n").split()) == wanted
    assert not any(node.tagname in ("reference", "emphasis", "raw", "target") for node in _nodes(f"{shown}\n"))


def _nodes(source: str):
    return docutils.core.publish_doctree(source, settings_overrides={"report_level": 5}).findall(
        lambda node: hasattr(node, "tagname")
    )


@given(st.one_of(hostile, st.text(max_size=200)))
@settings(deadline=None)
def test_literal(text):
    """A literal block holds any text, and what follows is outside of it."""
    source = f"It printed::\n\n{rst.literal(text)}\nAfter.\n"
    assert not rst.problems(source)
    assert text_of(source).endswith("After.")


@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=3))
@settings(deadline=None)
def test_csv_table(rows):
    """A table holds any texts, and has one row for each."""
    source = str(rst.csv_table(["One", "Two"], rows, "50 50"))
    assert not rst.problems(source)
    found = [node for node in _nodes(source) if node.tagname == "row"]
    assert len(found) == len(rows) + 1


@given(hostile.filter(lambda text: printable(text).strip()))
@settings(deadline=None)
def test_title(text):
    """A title is as long as its underline says, also with wide characters."""
    assert not rst.problems(f"Top\n===\n\n{rst.title(text, '-')}\n\nText.\n")


@pytest.mark.parametrize("sign", "✓✗─")
def test_signs_are_narrow(sign):
    """The signs take one column, so that simple tables stay in line."""
    assert not rst.problems(str(rst.table(["A", "B"], [[sign, sign], ["x", sign]])))


def test_problems_are_found():
    """What docutils objects to is reported."""
    assert "Bullet list ends without a blank line; unexpected unindent." in rst.problems("* a\nb\n")
    assert "phrase reference start-string without end-string." in rst.problems("`a\n", "a.rst")
    assert rst.problems("`a\n", "a.rst").startswith("a.rst:1: ")
    assert rst.problems("a\n") == ""
