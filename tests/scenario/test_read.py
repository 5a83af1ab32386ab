"""Scenarios as files: what is right is read, and what is wrong is told with its line and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.scenario import read
from harness.scenario.read import BadScenario, line_of, parse

CHATS = Path(__file__).parent / "chats"
GOOD = """\
name = "chat"

[members]
ann = {}
bob = {}

[connections.lobby]
path = "/ws/lobby/"

[connections.other]
path = "/ws/other/"
members = ["bob"]

[frames]
send = '{"message": "$TEXT"}'
read = ".message"

[[exchanges]]
from = "ann"
on = "lobby"

[[exchanges]]
from = "bob"
on = "other"
hears = ["bob"]
"""


def test_a_scenario():
    """Who hears what follows from who holds a connection, unless it is said."""
    scenario = parse(GOOD)
    assert [scenario.hearers(each) for each in scenario.exchanges] == [["ann", "bob"], ["bob"]]
    assert [scenario.said_on(each) for each in scenario.exchanges] == ["lobby", "other"]
    assert scenario.holders("lobby") == ["ann", "bob"]


@pytest.mark.parametrize("path", sorted(CHATS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_chats_of_this_project(path):
    """Each wire format of this project's chats is described, with the fifteen exchanges."""
    assert len(read.read(path).exchanges) == 15


WRONG = [
    # what is replaced, by what, the line, what is said, and what to do
    ('from = "bob"', 'from = "eve"', 23, "there is no member 'eve'", "the members are ann, bob"),
    ('hears = ["bob"]', 'hears = ["bob", "eve"]', 25, "there is no member 'eve'", "the members are ann, bob"),
    ('hears = ["bob"]', 'hears = "everybody"', 25, "'everybody' is no list of members", '"all"'),
    ('hears = ["bob"]', 'hears = ["ann"]', 25, "ann holds no connection on which it is heard (other)", "hears_on"),
    ('on = "other"', 'on = "nowhere"', 24, "there is no connection 'nowhere'", "the connections are lobby, other"),
    ('from = "bob"', 'from = "ann"', 23, "ann does not hold the connection other", "those who do are bob"),
    ('from = "bob"', 'form = "bob"', 23, "exchanges, number 2, form", "schema"),
    ('"$TEXT"', '"TEXT"', 15, "the frame has no $TEXT in it", "$TEXT"),
    ('read = ".message"', 'read = "message"', 16, "'message' is no JSON pointer", "/message"),
    ('read = ".message"', 'says = { "user" = "x" }', 16, "'user' is no JSON pointer", '"/user" = "$USER"'),
    ('read = ".message"', 'says = { "/user" = "$NAME" }', 16, "$NAME stands for nothing", "known are $TEXT, $MEMBER"),
    ('read = ".message"', 'ignore = [{ "/*/a" = 1 }]', 16, "has a part *", "name one"),
    ('on = "other"', 'says = { "user" = "x" }', 24, "'user' is no JSON pointer", '"/user" = "$USER"'),
    ('read = ".message"', 'match = "("', 16, "is no regular expression", "escape"),
    ('read = ".message"', 'match = "x"', 16, "has 0 groups", "parentheses"),
    ('read = ".message"', 'raed = ".message"', 16, "there is no key 'raed' here", "did you mean read?"),
    ('members = ["bob"]', 'members = ["eve"]', 12, "there is no member 'eve'", "the members are ann, bob"),
    ('path = "/ws/other/"', 'path = "ws/other/"', 11, "connections", "schema"),
    ('path = "/ws/other/"', 'path = "/ws/$TICKET/"', 10, "nothing says where it comes from", "add a ticket"),
    ('on = "other"', 'post = "/say/"', 24, "what is sent has no $TEXT in it", "$TEXT"),
    ('on = "other"', 'post = "/say/"\non = "other"', 25, "it is posted", "leave out on"),
    ('name = "chat"', 'name = "My chat"', 1, "name", "schema"),
    ('name = "chat"', 'fence = ["none"]', 1, "there is no exchange called 'none'", "give an exchange a name"),
    ('name = "chat"', "name = chat", None, "is no TOML", "toml.io"),
    ("[frames]", '[server]\nserve = "daphne"\n[frames]', 15, "where {port} goes", "port of its own"),
    ("[frames]", "[login]\n[frames]", 14, "by a form or by Python", "leave one"),
]


@pytest.mark.parametrize(("old", "new", "line", "said", "hint"), WRONG, ids=[each[1][:30] for each in WRONG])
def test_what_is_wrong(old, new, line, said, hint):
    """The message names the file, the line and the fault; the hint says what to do."""
    assert old in GOOD
    with pytest.raises(BadScenario) as raised:
        parse(GOOD[::-1].replace(old[::-1], new[::-1], 1)[::-1], "my.toml")
    assert "my.toml" in str(raised.value)
    if line:
        assert f"line {line}:" in str(raised.value)
    assert said in str(raised.value)
    assert hint in raised.value.hint


def test_lines_of_texts():
    """What stands in a text of several lines is no table."""
    text = '[login]\npython = """\n[members]\nx = 1\n"""\n[members]\nann = {}\n'
    assert line_of(text, ["members", "ann"]) == 7


def test_no_file(tmp_path):
    """Where there is no scenario it is said how one is made."""
    with pytest.raises(UsageError, match="there is no scenario") as raised:
        read.read(tmp_path / "chat.toml")
    assert "dtws new" in raised.value.hint


def test_schema():
    """The published schema knows every table, and refuses what there is not."""
    schema = read.schema()
    assert json.loads(json.dumps(schema)) == schema
    found = schema["$defs"]["Scenario"]["properties"]
    assert {"members", "connections", "exchanges", "frames", "login", "server", "broker"} <= set(found)
    assert schema["$defs"]["ExchangeTable"]["additionalProperties"] is False
    assert "from" in schema["$defs"]["ExchangeTable"]["properties"]
