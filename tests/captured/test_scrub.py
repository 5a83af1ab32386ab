"""Nothing of this machine stays in what is published."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.captured.scrub import _FORMS, _HOME, Scrubber, printable


@pytest.fixture
def scrub(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "marys-machine")
    return Scrubber({tmp_path / "env": "<cell>", tmp_path: "<project>"})


def test_paths(scrub, tmp_path):
    """A path is called by the innermost folder that is known."""
    assert scrub(f"{tmp_path}/env/lib/x.py and {tmp_path}/manage.py") == "<cell>/lib/x.py and <project>/manage.py"
    assert str(Path.home()) not in scrub(f"File {Path.home()}/secret")


def test_names_ports_dates_and_secrets(scrub):
    """Host name, ports, dates, addresses and cookies become placeholders."""
    said = scrub("at 127.0.0.1:54321 [21/Nov/2026 04:29:51] <x at 0x7f0011223344> sessionid=abcdef0123")
    assert said == "at 127.0.0.1:<port> [<date>] <x at 0x…> sessionid=<secret>"
    assert scrub("on marys-machine now") == "on <name> now"
    assert scrub("in /home/marys-machine/x") == "in <home>/x"


PARTS = (
    *("/home/", "/root", "/Users/", "bob", " at ", "0x", "0011223344", "[21/Nov/2026 04:29:51]", "[21/Nov/", " ", "\n"),
    *("/builds-v0/.tmpAbC", "/sdists-v9/", "a" * 20, "/", "sessionid=", "csrftoken=", "csrfmiddlewaretoken=", "csrf"),
    *("127.0.0.1:54321", "localhost', 4321", "localhost"),
)


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_nothing_is_overlooked(text):
    """That a text is looked for before its form spares time, and nothing else."""
    scrub = Scrubber({})
    scrub._paths = []
    shown = _HOME.sub("<home>", text)
    for _, form, label in (scrub._names, *_FORMS):
        shown = form.sub(label, shown)
    assert scrub(text) == shown


@given(st.text())
def test_printable(text):
    """What is left has no control characters, and cannot turn the direction of text."""
    shown = printable(text)
    assert not any(ord(char) < 32 and char not in "\n\t" for char in shown)
    assert not set(shown) & set("\x7f\x85\u2028\u202e\ufeff")
    assert printable(shown) == shown


def test_learned_folder(scrub):
    """A folder that is learned later is called by its name as well."""
    scrub.learn(Path("/opt/python9.9"), "<python>")
    assert scrub("/opt/python9.9/lib/os.py") == "<python>/lib/os.py"


def test_where_uv_builds(scrub):
    """The names of uv's folders for a build are others each time, and two runs have to say the same."""
    said = [
        scrub(f"/c/uv/builds-v0/.tmp{name}/lib and /c/uv/sdists-v10/pypi/thing/0.3/{name * 3}/src")
        for name in ("6GuQdz", "m97pzU")
    ]
    assert said[0] == said[1] == "/c/uv/builds-v0/<build>/lib and /c/uv/sdists-v10/pypi/thing/0.3/<build>/src"
