"""Drafts of issues: what somebody upstream reads, who has nothing of this project."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest
import samples
from shared import ROOT

from harness.probes.payloads import PAYLOADS
from harness.report import drafts as drafting
from harness.report.advice import Advisor
from harness.report.view import View, read_view
from harness.results.document import save_result
from harness.results.explained import Attempt, Cause, Cure, Turned
from harness.results.folder import Reports
from harness.results.questions import identifier
from harness.results.roots import Root
from harness.verdict import Verdict

CELL, OTHER, FAILING = "py310-django52-channels4", "py311-django52-channels4", "py313-django52"
#: What belongs to this project alone.
OURS = re.compile(
    r"\b(harness|cells?|exchanges?|fences?|tox|probes?|myapp|manage\.py|John|Mary|chatusers)\b|<(cell|home|project|build)>"
    r"|\(\d+ of \d+|/chat/",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def recorded() -> View:
    return read_view(Reports(ROOT / "reports"))


@pytest.fixture(scope="module")
def advisor(recorded) -> Advisor:
    return Advisor(recorded)


@pytest.fixture(scope="module")
def drafts(advisor) -> dict[str, tuple[Root, str]]:
    """The drafts of each recorded cause, by its name and a number."""
    return {
        f"{root.id} {number}": (root, text)
        for root in advisor.remedies.roots
        for number, text in enumerate(drafting.drafts(root, advisor), 1)
    }


def draft(root: Root, view: View) -> str:
    """Return the one draft about *root*."""
    (text,) = drafting.drafts(root, Advisor(view))
    return text


def made(folder) -> tuple[View, Root]:
    """Return two cells of one catch, one of which knows its cause and cure, and that cause."""
    reports = samples.write(folder, CELL, OTHER, FAILING)
    turned = [Turned(package="redis", good="7.4.1", bad="8.0.0", uploaded="2026-05-28")]
    cause = Cause(question="early", turned=turned, text="redis 8.0.0 did it", good=[], bad=[], found_on="2026-11-26")
    cure = Cure(
        question="early", kind="pin", change="redis<8", verdict=Verdict.WORKS, text="good", tried_on="2026-11-26"
    )
    result = msgspec.structs.replace(samples.of(CELL), causes=[cause], cures=[cure])
    save_result(result, reports.result(CELL))
    view = read_view(reports)
    return view, next(root for root in Advisor(view).remedies.roots if root.questions == {"early"})


def section(text: str, title: str) -> str:
    """Return what stands in *text* under the heading *title*; nothing where there is none."""
    return text.partition(f"## {title}\n\n")[2].partition("\n\n## ")[0]


def test_of_a_catch(tmp_path):
    """A draft has versions, commands, the project and the client, what is expected and seen, and what helps."""
    view, root = made(tmp_path)
    text = draft(root, view)
    assert "pip install Django==5.2" in text
    assert "early.py 'ws://127.0.0.1:8000/ws/'" in text
    assert "class Chat(AsyncWebsocketConsumer):" in text
    assert "Somebody else sends a message".lower() in section(text, "What shows it").lower()
    assert section(text, "What helps until then") == "It is as expected with `redis<8`.\n"


def test_guilty_release(tmp_path, monkeypatch):
    """Since when is said of what is installed in the cell that is described, and of nothing else."""
    view, root = made(tmp_path)
    row = next(row for row in view.rows if row.name == OTHER)
    for version, said in (("8.0.1", "redis 8.0.0 did it."), ("7.4.1", "")):
        versions = msgspec.structs.replace(row.result.versions, installed={"channels": "4.3.2", "redis": version})
        there = replace(row, result=msgspec.structs.replace(row.result, versions=versions))
        monkeypatch.setattr(view, "rows", [there])
        assert section(draft(root, view), "Since when").strip() == said, version


def test_what_came_along(tmp_path, monkeypatch):
    """What a guilty release brings is installed with it, where it is there."""
    view, root = made(tmp_path)
    for row in view.rows:
        for cause in row.result.causes:
            cause.turned[0] = msgspec.structs.replace(cause.turned[0], brings=["hiredis", "gone"])
    row = next(row for row in view.rows if row.name == OTHER)
    installed = {"channels": "4.3.2", "redis": "8.0.1", "hiredis": "3.9.0"}
    versions = msgspec.structs.replace(row.result.versions, installed=installed)
    monkeypatch.setattr(view, "rows", [replace(row, result=msgspec.structs.replace(row.result, versions=versions))])
    text = draft(root, view)
    assert "hiredis==3.9.0" in text
    assert "gone" not in text


def test_a_cure_that_is_spoken_against(tmp_path):
    """What was tried in vain in the cell that is described is no help, though it mends another one."""
    view, root = made(tmp_path)
    row = next(row for row in view.rows if row.name == OTHER)
    vain = Attempt(question="early", kind="pin", change="redis<8", text="can be lost", tried_on="2026-11-26")
    row.result.attempts.append(vain)
    assert not section(draft(root, view), "What helps until then")


def test_what_nobody_upstream_decides(tmp_path):
    """There is no draft about an answer that is decided by this project."""
    view, root = made(tmp_path)
    for row in view.rows:
        for probe in row.result.probes:
            probe.findings[:] = [msgspec.structs.replace(each, decided_by="project") for each in probe.findings]
    assert drafting.drafts(root, Advisor(view)) == []


def test_what_fails_in_django(drafts):
    """What Django itself raises is told of Django, and shown without the library."""
    _, text = drafts["importlib-util-find-spec-cannot-be 1"]
    assert text.startswith("# Django 1.9.13: importlib.util.find_spec cannot be imported")
    assert "python3.3 -m virtualenv venv\nvenv/bin/pip install Django==1.9.13\n" in text


def test_payloads():
    """The client knows each payload that is asked about."""
    client = (ROOT / "harness" / "report" / "clients" / "payload.py").read_text(encoding="utf-8")
    asked = {identifier(f"{what} by WebSocket") for what in [*PAYLOADS, "200 kB in fragments"]}
    known = set(re.findall(r'^    "([\w-]+)":', client, re.MULTILINE))
    assert {each.removeprefix("payload-").removesuffix("-websocket") for each in asked} <= known


def test_of_several_packages(drafts):
    """What is seen with several packages has a draft for each, with that package in its title.

    There is none for python-socketio, where it is this project's own code that decides.
    """
    texts = [text for name, (_, text) in drafts.items() if name.startswith("after-yes ")]
    assert {re.match(r"# ([\w-]+) \d", text)[1] for text in texts} == {"channels", "django-websocket-redis"}


def test_what_a_time_out_here_decides(drafts):
    """That a proxy with a short time-out closes what is idle is nobody's fault upstream."""
    assert not [name for name, (_, text) in drafts.items() if "with a time-out of 5 s" in text]


def test_an_old_python(drafts):
    """Python 2.7 has no module for environments of its own."""
    commands = "\n".join(section(text, "What shows it") for _, text in drafts.values())
    assert "python2.7 -m virtualenv venv" in commands
    assert "python2.7 -m venv" not in commands


def test_titles(drafts):
    """The title of every recorded one is what is seen, of an answer that is bad."""
    for name, (root, text) in drafts.items():
        title = text.partition("\n")[0].partition(": ")[2]
        if root.questions:
            assert section(text, "Seen").strip() == f"{title}.", name
            assert section(text, "Seen") != section(text, "Expected"), name
        else:
            assert title == root.what


def test_words(drafts):
    """No recorded one has a word of this project."""
    assert {name: found[0] for name, (_, text) in drafts.items() if (found := OURS.search(text))} == {}


def test_commands(drafts):
    """Each recorded one has commands that lead to it, and more than an installation where that succeeds."""
    for name, (_, text) in drafts.items():
        shell = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
        assert shell is not None, name
        assert len(shell[1].splitlines()) > 2 or "The installation shows it." in text, name


def test_programs(drafts):
    """The project and the client of each recorded one can be parsed, and the client is the one that is started."""
    for name, (_, text) in drafts.items():
        shown = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", text, re.DOTALL))
        for file, program in shown.items():
            compile(program, f"{name}/{file}", "exec")
            assert file == "app.py" or f"venv/bin/python {file} " in text, name
        assert set(re.findall(r"venv/bin/python (\w+\.py)", text)) <= set(shown), name


def test_of_a_failure(drafts):
    """A failure of an import is shown by that import, and the end of its traceback."""
    _, text = drafts["cgi-cannot-be-imported 1"]
    assert "settings.configure(); import channels.http" in text
    assert section(text, "Seen").splitlines()[1:-1] == [
        '  File "…/channels/http.py", line 1, in <module>',
        "    import cgi",
        "ModuleNotFoundError: No module named 'cgi'",
    ]


def test_of_a_failed_installation(drafts):
    """What cannot be installed is shown by its installation."""
    _, text = drafts["django-socketio-utils-py-cannot-be 1"]
    assert "The installation shows it." in section(text, "What shows it")
    assert "SyntaxError" in section(text, "Seen")
