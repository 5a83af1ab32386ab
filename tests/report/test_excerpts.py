"""What a report shows of the demo chat is the code that runs."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.report import excerpts
from harness.report.excerpts import of_code


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(excerpts, "ROOT", tmp_path)
    return tmp_path


def test_of_the_demo():
    """Classes and functions are found in Python, and functions in JavaScript."""
    assert "publish_message" in of_code("chatserver/views.py", "ChatView")
    assert of_code("chatserver/static/chatserver/chat.js", "connect").startswith("function connect()")


def test_assigned(checkout):
    """All that is assigned to a name, or done by its methods, with the comments above; nested in an if as well."""
    (checkout / "a.py").write_text("""import os

# Who is here.
APPS = ["a"]
APPS += ["b"]
OTHER = 1
APPS[0]["x"] = 2
APPS.append("c")
if os.name:
    # Where it is needed.
    APPS = APPS + ["d"]
    OTHER = 2
""")
    assert of_code("a.py", "APPS").splitlines() == [
        *("# Who is here.", 'APPS = ["a"]', 'APPS += ["b"]', 'APPS[0]["x"] = 2', 'APPS.append("c")'),
        *("if os.name:", "    # Where it is needed.", '    APPS = APPS + ["d"]', "    OTHER = 2"),
    ]


def test_decorated(checkout):
    """A function comes with its decorators."""
    (checkout / "a.py").write_text("@server.on('chat')\nasync def said():\n    pass\n\n\nX = 1\n")
    assert of_code("a.py", "said") == "@server.on('chat')\nasync def said():\n    pass"


def test_of_a_template(checkout):
    """Of a template it is the line with what is indented below, and the line that ends the element."""
    (checkout / "a.html").write_text("<p>\n  <form id=x\n        y>\n    <b></b>\n  </form>\n  <i>\n</p>\n")
    assert of_code("a.html", "<form") == "<form id=x\n      y>\n  <b></b>\n</form>"


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("chatserver/nothing.py", "ChatView", "chatserver/nothing.py cannot be read: No such file or directory"),
        ("chatserver", "ChatView", "chatserver cannot be read: Is a directory"),
        ("chatserver/views.py", "Nothing", "chatserver/views.py has no Nothing"),
        ("chatserver/static/chatserver/chat.js", "nothing", "chatserver/static/chatserver/chat.js has no nothing"),
    ],
)
def test_what_is_not_there(file, name, said):
    """Where the code is gone that a prose shows, or its file, it is said what is missing, and where to mend it."""
    with pytest.raises(HarnessError) as raised:
        of_code(file, name)
    assert (str(raised.value), raised.value.hint) == (
        *(said, "the prose of a library names it; bring that up to date"),
    )
