"""``dtws check``: what is said of a chat that runs, and of everything that can be in its way."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from chats import OwnChat
from click.testing import CliRunner, Result

from harness.dtws.check import check
from harness.errors import HarnessError

pytestmark = pytest.mark.usefixtures("impatient")
JSON = ("--send", '{"message": "$TEXT"}', "--read", ".message")


def dtws(*arguments: object) -> Result:
    """Run the command in this process; errors of dtws are raised."""
    return CliRunner().invoke(check, [str(each) for each in arguments], standalone_mode=False)


def said(*arguments: object) -> tuple[int, str]:
    """Return the exit code, and what is said."""
    ran = dtws(*arguments)
    if isinstance(ran.exception, HarnessError):
        return ran.exception.exit_code, f"{ran.exception}\n{ran.exception.hint}"
    if ran.exception is not None:
        raise ran.exception
    return ran.return_value, ran.output


def test_a_chat():
    """Who heard what stands in a line for each who spoke, with what was proved; the verdict comes last."""
    with OwnChat().running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON)
    assert code == 0
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["✓ ann on chat", "✓ bob on chat", "✓ eve on chat"]
    assert "heard by ann, bob, eve within" in lines[0]
    assert lines[0].endswith("; proved")
    assert lines[-1].startswith("✓ Yes: 3 of 3 exchanges right in 2 rounds (")


def test_one_that_leaks_nothing_to_oneself():
    """A chat in which nobody hears themselves is right where that is said, and wrong where it is not."""
    with OwnChat("not to oneself").running() as own:
        assert said(f"{own.url}/lobby/", *JSON, "--hears", "others", "--members", 4)[0] == 0
        code, text = said(f"{own.url}/lobby/", *JSON, "--members", 2)
    assert code == 1
    assert "--hears others" in text


def test_who_spoke():
    """What a frame says of who spoke is held against that; what is no pointer, or has no value, is refused."""
    who = ("--cookie", "who=ann", "--cookie", "who=bob", "--cookie", "who=eve")
    with OwnChat(naming=True).running() as own:
        assert said(f"{own.url}/lobby/", *JSON, *who, "--says", ".by=$MEMBER")[0] == 0
        code, text = said(f"{own.url}/lobby/", *JSON, *who, "--says", ".by=ann")
        assert said(own.url, *JSON, "--says", ".by")[0] == said(own.url, *JSON, "--says", "by=ann")[0] == 2
    assert (code, "its /by is bob, and has to be ann" in text) == (1, True)


def test_all_is_ignored():
    """Where all that arrives is left out by what is ignored, that is what is said."""
    with OwnChat().running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON, "--ignore", ".*")
    assert code == 1
    assert "all that arrives on it is ignored; the first frame is" in text
    assert "--ignore leaves out messages as well" in text


def test_a_catch():
    """What is wrong beside the exchanges makes no failure of it, and no plain yes."""
    with OwnChat("ASCII").running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON)
    assert (code, text.splitlines()[-1].partition(":")[0]) == (0, "✓ Yes, but")


def test_forms(tmp_path):
    """The same as JSON and as JUnit, on the terminal or in a file."""
    with OwnChat("twice").running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON, "--format", "json")
        found = json.loads(text)
        assert (code, found["verdict"], found["reason"]) == (1, "does not work", "exchange wrong")
        assert found["exchanges"][0]["hears"] == ["ann", "bob", "eve"]
        file = tmp_path / "chat.xml"
        assert said(f"{own.url}/lobby/", *JSON, "--format", "junit", "--output", file)[0] == 1
    suite = ElementTree.fromstring(file.read_text())
    assert (suite.get("tests"), suite.get("failures")) == ("3", "3")


def test_catches_in_other_forms():
    """That a yes has a catch stands in JSON as well, and in JUnit what is not as expected is skipped."""
    with OwnChat(login=True).running() as own:
        where = (f"{own.url}/lobby/", *JSON, "--cookie", "who=ann")
        assert json.loads(said(*where, "--format", "json")[1])["label"] == "✓ Yes, but"
        suite = ElementTree.fromstring(said(*where, "--format", "junit")[1])
    skipped = [each.get("message") for each in suite.iter("skipped")]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", str(len(skipped)))
    assert "✗ the private messages to all (expected: the connection is refused)" in skipped


def test_cookies_and_subprotocols():
    """Members are let in by what is given, and offer what is asked for."""
    with OwnChat(login=True, subprotocol="chat.v1").running() as own:
        where = (f"{own.url}/lobby/", *JSON)
        assert said(*where, "--cookie", "who=ann", "--subprotocol", "chat.v1")[0] == 0
        code, text = said(*where, "--cookie", "who=ann")
        assert code == 1
        code, text = said(*where, "--subprotocol", "chat.v1")
        assert (code, "status 403" in text, "--cookie" in text) == (1, True, True)


def test_what_lets_in_is_not_a_strangers():
    """A header by which members are let in is theirs: a stranger has to come without it."""
    with OwnChat(login=True, own_origin=True).running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON, "--header", "Cookie: who=ann", "--format", "json")
    findings = {each["question"]: each for each in json.loads(text)["findings"]}
    assert (code, findings["What reaches an unknown client?"]["good"]) == (0, True)
    # The cookie of a header is one that a page of another site has.
    foreign = findings["What reaches a page of a foreign Origin, with a member's cookie?"]
    assert foreign["expected"] == "the connection is refused"


def test_a_token_in_the_address():
    """What lets members in by the address is theirs: a stranger has to come without it."""
    with OwnChat(token="token=s3cret", own_origin=True).running() as own:
        code, text = said(f"{own.url}/lobby/?token=s3cret", *JSON)
    assert (code, "✓ What reaches an unknown client? refused: status 403" in text) == (0, True), text


def test_two_parameters():
    """Who somebody says they are is no secret, and a stranger says so as well; a token beside it is one, and a key."""
    with OwnChat(token="user=ann&token=s3cret&api_key=k3y").running() as own:
        code, text = said(f"{own.url}/lobby/?user=ann&token=s3cret&api_key=k3y", *JSON)
    assert (code, "✓ What reaches an unknown client? refused: status 403" in text) == (0, True), text
    assert "✓ What reaches a client with a made-up cookie or token? refused: status 403" in text
    with OwnChat(token="username=ann").running() as own:
        text = said(f"{own.url}/lobby/?username=ann", *JSON)[1]
    assert "─ What reaches an unknown client? the private messages to all (expected: either" in text


def test_a_pause():
    """Where a chat limits how often somebody may speak that looks like losses; with a pause there are none."""
    with OwnChat("hurries nobody").running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON)
        assert (code, "--pause 1" in text) == (1, True)
        code, text = said(f"{own.url}/lobby/", *JSON, "--members", 1, "--pause", "0.3")
    assert code == 0, text


def test_an_origin_of_its_own():
    """A chat that lets in only pages of another address is asked from there; a foreign page stays one."""
    with OwnChat(header=("Origin", "https://chat.example")).running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON, "--header", "Origin: https://chat.example")
    assert (code, "✓ What reaches a page of a foreign Origin" in text) == (0, True), text


def test_why_it_is_neither():
    """Where an answer is neither good nor bad it is said what was expected."""
    with OwnChat().running() as own:
        text = said(f"{own.url}/lobby/", *JSON)[1]
    assert "(expected: either, for there is no login: a stranger has the address and the headers of members)" in text


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--cookie", "who"), "--cookie who has no value"),
        (("--login", "/login/", "--user", "ann"), "--user ann has no password"),
    ],
)
def test_half_of_it(options, why):
    """A cookie without a value, or a user without a password, is told before anybody is asked."""
    code, text = said("ws://127.0.0.1:1/", *options)
    assert (code, why in text) == (2, True), text


def test_a_login_that_nothing_runs(tmp_path):
    """A scenario in which members log in by Python is none for a server that runs already, and it says what is."""
    scenario = tmp_path / "chat.toml"
    scenario.write_text(
        '[login]\npython = "leave = {}"\n[members]\nann = {}\n[connections.a]\npath = "/a"\n'
        "[frames]\nsend = '$TEXT'\n[[exchanges]]\nfrom = \"ann\"\n"
    )
    code, text = said("ws://127.0.0.1:1/", "--scenario", scenario)
    assert (code, "dtws run" in text) == (2, True), text


def test_a_scenario(tmp_path):
    """A scenario says who is in which room; the address says where the server is."""
    scenario = tmp_path / "chat.toml"
    scenario.write_text(
        '[members]\nann = {}\nbob = {}\n[connections.a]\npath = "/a"\nmembers = ["ann"]\n[connections.b]\npath = "/b"\n'
        'members = ["bob"]\n[frames]\nsend = \'{"message": "$TEXT"}\'\nread = "/message"\n'
        '[[exchanges]]\nfrom = "ann"\non = "a"\n[[exchanges]]\nfrom = "bob"\non = "b"\n'
    )
    with OwnChat().running() as own:
        code, text = said(own.url, "--scenario", scenario)
        assert code == 0, text
        assert "heard by ann (a), not by bob (b)" in text
        assert said(own.url, "--scenario", scenario, *JSON)[0] == 2
    with OwnChat("leaks").running() as own:
        code, text = said(own.url, "--scenario", scenario)
    assert (code, "is extra on bob's b connection" in text) == (1, True)


@pytest.mark.parametrize(
    ("status", "hint"),
    [(404, "no route has this path"), (403, "it lets nobody in like that"), (200, "a page answers"), (302, "login")],
)
def test_refused(status, hint):
    """What a server answers instead of opening a connection is said, with what to look at."""
    with OwnChat(status=status).running() as own:
        code, text = said(f"{own.url}/lobby/", *JSON)
    assert code == 1
    assert f"status {status}" in text
    assert hint in text


WRONG = [
    (("ws://127.0.0.1:1/x",), "nothing answers at 127.0.0.1:1", "start the server"),
    (("http://127.0.0.1:1/x",), "the address of a page", "did you mean ws://127.0.0.1:1/x?"),
    (("127.0.0.1:1",), "is no address of a WebSocket", "ws://"),
    (("ws://ann:secret@127.0.0.1/",), "nobody logs in by the address", "--login"),
    (("ws://127.0.0.1:99999/",), "is no address", "ws://"),
    (("ws://192.0.2.1/",), "192.0.2.1 is not this machine", "--i-own-this-host 192.0.2.1"),
    (("ws://192.0.2.1/", "--i-own-this-host", "chat.example"), "is not this machine", "names chat.example"),
    (("ws://127.0.0.1:1/", "--send", "x"), "no $TEXT", "put $TEXT"),
    (("ws://127.0.0.1:1/", "--read", "x"), "no JSON pointer", "/message"),
    (("ws://127.0.0.1:1/", "--login", "/in/"), "belong together", "NAME:PASSWORD"),
    (("ws://127.0.0.1:1/", "--user", "a:b"), "belong together", "NAME:PASSWORD"),
    (("ws://127.0.0.1:1/", "--login", "/", "--user", "a:b", "--members", "2"), "1 log in", "once for each"),
    (("ws://127.0.0.1:1/", "--cookie", "a=1", "--cookie", "a=2"), "2 cookies for 3 members", "one for all"),
    (("ws://127.0.0.1:1/", "--header", "x"), "is no header", "Authorization"),
    (("ws://127.0.0.1:1/", "--scenario", "nowhere.toml"), "there is no scenario", "dtws new"),
    (("wss://127.0.0.1:1/", "--ca", "nowhere.pem"), "there is no certificate", "PEM"),
]


@pytest.mark.parametrize(("arguments", "text", "hint"), WRONG, ids=[" ".join(each[0])[:50] for each in WRONG])
def test_usage(arguments, text, hint):
    """What cannot be asked for is said in one sentence, with what to do; nothing is spoken to."""
    code, found = said(*arguments)
    assert code == 2
    assert text in found
    assert hint in found


def test_no_websockets():
    """A server that answers nothing that is HTTP is told from one that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-c", _RUDE, str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as rude:
            code, text = said(f"ws://127.0.0.1:{port}/", *JSON)
            rude.kill()
    assert code == 1
    assert "handshake of ann's chat connection failed" in text


_RUDE = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    line, _ = listener.accept()
    line.recv(1000)
    line.sendall(b"220 mail.example ESMTP\\r\\n")
    line.close()
"""


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A certificate of one's own for 127.0.0.1, with its key."""
    file = tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(tmp_path / "key"),
        "-out",
        str(tmp_path / "crt"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text((tmp_path / "crt").read_text() + (tmp_path / "key").read_text())
    return file


def test_tls(certificate):
    """A certificate of one's own is trusted where it is given; where it is not, that is what is said."""
    with OwnChat().running(certificate) as own:
        where = own.url.replace("ws://", "wss://") + "/lobby/"
        assert said(where, *JSON, "--ca", certificate)[0] == 0
        code, text = said(where, *JSON)
    assert (code, "--ca FILE" in text) == (1, True)


@pytest.mark.cell
def test_interrupted():
    """Ctrl-C ends it with its code, one line, and nothing left running."""
    with OwnChat(wrong="never").running() as own:
        command = [sys.executable, "-m", "harness.dtws", "check", f"{own.url}/lobby/", *JSON]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
            while not own.rooms:
                pass
            running.send_signal(2)
            _, errors = running.communicate(timeout=20)
    assert running.returncode == 130
    assert errors.startswith("error: interrupted")
    assert len(errors.splitlines()) == 1
