"""``dtws new``: a scenario with comments, that works for the Channels tutorial's chat at once."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harness.dtws.new import new
from harness.errors import UsageError
from harness.scenario import read


def made(folder, *options: str, answers: str = "") -> str:
    """Run the command for the project in *folder*, and return what is written."""
    ran = CliRunner().invoke(new, [str(folder), *options], input=answers, standalone_mode=False)
    if ran.exception:
        raise ran.exception
    return (folder / "chat.toml").read_text()


@pytest.fixture
def project(tmp_path):
    """A project called ``My site 2`` below the folder, as Django makes one, with its requirements."""
    folder = tmp_path / "My site 2"
    (folder / "src" / "mysite").mkdir(parents=True)
    (folder / "src" / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n')
    (folder / "src" / "mysite" / "asgi.py").write_text("application = x\n")
    (folder / "requirements.txt").write_text("channels\n")
    return folder


def test_the_tutorial(tmp_path):
    """Without answers it is the chat of the tutorial: two rooms, in which all hear what is said there."""
    scenario = read.parse(made(tmp_path, "--yes"))
    assert [each.path for each in scenario.connections.values()] == ["/ws/chat/lobby/", "/ws/chat/other/"]
    assert [scenario.hearers(each) for each in scenario.exchanges] == [["ann", "bob"], ["ann", "bob"], ["eve"]]
    assert (scenario.frames.send, scenario.frames.read) == ('{"message": "$TEXT"}', ".message")


def test_what_is_found(project):
    """Names, folders, the application and the requirements are those of the project."""
    scenario = read.parse(made(project, "--yes"))
    assert scenario.name == "mysite2"
    assert (scenario.server.folder, scenario.server.install) == ("src", ["-r requirements.txt"])
    assert scenario.server.application == "mysite.asgi:application"
    assert scenario.server.serve == "daphne -p {port} mysite.asgi:application"


def test_four_questions(tmp_path):
    """Each of the four has an answer that stands for it, and may be given otherwise."""
    text = made(tmp_path, answers='ws/talk/\n{"text": "$TEXT"}\n/text\npython\n')
    scenario = read.parse(text)
    assert scenario.connections["lobby"].path == "/ws/talk/"
    assert (scenario.frames.send, scenario.frames.read) == ('{"text": "$TEXT"}', "/text")
    assert scenario.login is not None
    assert "force_login" in scenario.login.python


def test_a_wrong_answer_is_asked_again(tmp_path):
    """What makes no sense is asked once more when it is typed, and what was answered before stays."""
    text = made(tmp_path, answers='/ws/\nhello\n{"say": "$TEXT"}\nsay\n-\nnever\nform\n')
    scenario = read.parse(text)
    assert (scenario.frames.send, scenario.frames.read) == ('{"say": "$TEXT"}', [])
    assert (next(iter(scenario.connections.values())).path, scenario.login is not None) == ("/ws/", True)


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("/ws/", ["/ws/"]),
        ("/ws/chat/", ["/ws/chat/"]),
        ("/chat/lobby/", ["/chat/lobby/", "/chat/other/"]),
        ("/ws/chat/seven/", ["/ws/chat/seven/", "/ws/chat/other/"]),
        ("/ws/chat/lobby", ["/ws/chat/lobby"]),
    ],
)
def test_another_room(tmp_path, path, paths):
    """Another room is tried where the path ends with one; where it may be no room there is one connection for all."""
    text = made(tmp_path, "--yes", "--path", path)
    assert [each.path for each in read.parse(text).connections.values()] == paths
    assert ("eve is in another" in text) == (len(paths) > 1)


def test_nobody_answers(tmp_path):
    """Where nobody is there to answer it is said how that is done."""
    with pytest.raises(UsageError, match="nobody answers") as raised:
        made(tmp_path)
    assert "--yes" in raised.value.hint


def test_a_form(tmp_path):
    """Members that log in by a form have names and passwords."""
    scenario = read.parse(made(tmp_path, "--yes", "--login", "form", "--read", ""))
    assert scenario.members["ann"].user == "ann"
    # Nobody has an account in the database of a run.
    assert "create_user" in scenario.server.prepare[1]
    assert scenario.login is not None
    assert scenario.login.form == "/accounts/login/"
    assert scenario.frames.read == []


def test_what_is_there_stays(tmp_path):
    """A scenario is written over only where that is asked for."""
    made(tmp_path, "--yes")
    with pytest.raises(UsageError, match="is there already"):
        made(tmp_path, "--yes", "--login", "form")
    assert "force_login" in made(tmp_path, "--yes", "--login", "python", "--force")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--send", "hi"], "--send: 'hi' has no $TEXT"),
        (["--read", "x"], "no JSON pointer"),
        (["--path", "a b"], "no path"),
    ],
)
def test_answers_that_make_no_sense(tmp_path, options, said):
    """What makes no sense is said, and nothing is written."""
    with pytest.raises(UsageError) as raised:
        made(tmp_path, "--yes", *options)
    assert said in str(raised.value)
    assert not (tmp_path / "chat.toml").exists()
