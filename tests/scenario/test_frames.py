"""Frames: made from templates, and read by pointers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clients.transcript import Message
from harness.scenario.frames import Reader, filled, found_at, pointer


@given(st.text(min_size=1))
def test_what_is_said_comes_back(text):
    """Whatever is said in a frame of JSON is found in it again."""
    frame = filled('{"type": "chat", "data": {"message": "$TEXT", "to": "$TO"}}', {"TEXT": text, "TO": '"'})
    assert Reader([".data.message"]).messages(frame) == [Message(text)]
    assert json.loads(frame)["data"]["to"] == '"'


@given(st.text(min_size=1))
def test_in_an_event(text):
    """What stands before the JSON is left as it is."""
    frame = filled('42["chat",{"message": "$TEXT"}]', {"TEXT": text})
    assert Reader(["/1/message"], prefix="42").messages(frame) == [Message(text)]


@given(st.text())
def test_plain_text(text):
    """A frame that is a text alone is the message."""
    assert filled("$TEXT", {"TEXT": text}) == text


def test_words():
    """A word that is not known there is nothing; what only looks like one stays."""
    assert filled("$MEMBER/$TICKET/$PRICE/$TEXTS", {"MEMBER": "ann"}) == "ann//$PRICE/$TEXTS"


@pytest.mark.parametrize(
    ("where", "found"),
    [("", {"a/b": [1, {"~": "x"}]}), ("/a~1b/0", 1), ("/a~1b/1/~0", "x")],
)
def test_pointers(where, found):
    """Pointers are those of RFC 6901."""
    assert found_at({"a/b": [1, {"~": "x"}]}, where) == found


@pytest.mark.parametrize("where", ["/b", "/a~1b/2", "/a~1b/x", "/a~1b/0/y"])
def test_pointers_to_nothing(where):
    """What is not there is no message."""
    with pytest.raises(KeyError):
        found_at({"a/b": [1, {}]}, where)


def test_dots():
    """A path with dots is a pointer in other words."""
    assert pointer(".data.message") == "/data/message"
    assert pointer("/data.message") == "/data.message"


READER = Reader(["/message", "/text"], match=r"(?:\w+: )?(.*)", ignore=["ping|pong", {"/type": "welcome", ".to": None}])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ('{"message": "hi"}', "hi"),
        ('{"text": "hi"}', "hi"),
        ('{"message": "ann: hi"}', "hi"),
        ('{"message": {"a": 1}}', '{"a": 1}'),
        ('{"typing": true}', None),
        ('{"type": "heartbeat", "message": null}', None),
        ('{"type": "heartbeat", "message": ""}', None),
        ('{"message": null, "text": "hi"}', "hi"),
        ("pong", None),
        ("pong!", "pong!"),
        ('{"type": "welcome", "to": null, "message": "hi"}', None),
        ('{"type": "welcome", "message": "hi"}', "hi"),
        ("no JSON", "no JSON"),
    ],
)
def test_reading(frame, said):
    """The first pointer that finds something counts; the chat's own frames are no messages, what is no JSON is one."""
    assert [each.text for each in READER.messages(frame)] == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("where", "frame", "said"),
    [
        ("/*/text", '[{"text": "one"}, {"typing": true}, {"text": ""}, {"text": "two"}]', ["one", "two"]),
        ("/*", '["one", "two"]', ["one", "two"]),
        (".rooms.*.said.*", '{"rooms": [{"said": ["one"]}, {"said": ["two"]}]}', ["one", "two"]),
        ("/*/text", '{"text": "one"}', []),
        ("/*/text", "[]", []),
    ],
)
def test_several_in_a_frame(where, frame, said):
    """A star in a pointer stands for everything in a list: a frame may carry several messages."""
    assert [each.text for each in Reader([where]).messages(frame)] == said


def test_what_a_frame_says_of_a_message():
    """What stands beside a message is told with it, of each in a list what stands beside that one; or is empty."""
    reader = Reader(["/*/text", "/text"], says=["/*/by", "/room", "/seen"])
    frame = '[{"text": "one", "by": "ann"}, {"text": "two", "by": {"id": 1}}, {"text": "three"}]'
    found = [(each.text, dict(each.says)) for each in reader.messages(frame)]
    assert [text for text, _ in found] == ["one", "two", "three"]
    assert [says["/*/by"] for _, says in found] == ["ann", '{"id": 1}', ""]
    (single,) = reader.messages('{"text": "one", "room": "lobby", "seen": null}')
    assert single.says == {"/*/by": "", "/room": "lobby", "/seen": ""}
    assert reader.messages("no JSON")[0].says == {"/*/by": "", "/room": "", "/seen": ""}
