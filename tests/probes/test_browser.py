"""The chat in a real browser, of libraries that misbehave on purpose."""

from __future__ import annotations

import needs
import pytest
from shared import run_fake

from harness.clients import chromium as browsers

FIFTEEN = "The fifteen exchanges, typed and clicked in three browsers"
CONSOLE = "Errors on the browsers' consoles"
real = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors"), needs.chromium]


def browsed(fake, tmp_path, **env):
    """Return the run of a fake, and what the browsers found, by its question."""
    ran = run_fake(fake, tmp_path, "--probe", "browser", **env)
    return ran, {finding.question: finding for finding in ran.result.probes[0].findings}


class TestRealBrowser:
    pytestmark = real

    def test_all_is_seen(self, tmp_path):
        """A chat that works is seen to work, before and after its server was away, with a picture for each member."""
        ran, found = browsed("behaves", tmp_path)
        assert [finding.good for finding in found.values()] == [True] * 6, found
        assert ran.result.varying.tools["browser"].startswith("Chromium 1")
        for member in ("admin", "John", "Mary"):
            assert (ran.evidence / f"browser-{member}.png").read_bytes().startswith(b"\x89PNG")
        frames = (ran.evidence / "frames-browser.jsonl").read_text()
        assert frames.count("this is John with message 2") == 1 + 9  # sent by one page, received by all

    def test_missing(self, tmp_path):
        """A message that no page shows is missed on the page where it had to be."""
        _, found = browsed("drops", tmp_path)
        assert found[FIFTEEN].good is False
        assert found[FIFTEEN].seen == (
            "14 of 15 are seen; first: user from admin to John is missing on John's user page"
        )

    def test_no_script(self, tmp_path):
        """Pages whose own script is not loaded say nothing of the library."""
        _, found = browsed("loses-its-script", tmp_path)
        assert found[FIFTEEN].good is None
        assert found[FIFTEEN].seen.startswith("not proved: the pages' own script is not loaded")

    def test_no_connection(self, tmp_path):
        """Pages that never connect are waited for once, and what the browser says of it on its console is shown."""
        _, found = browsed("refuses-403", tmp_path)
        assert found[FIFTEEN].good is False
        assert found[FIFTEEN].seen == "no page connects within 10 s; they say: connection lost, trying again"
        assert "WebSocket connection to" in found[CONSOLE].seen


@pytest.mark.cell
def test_no_browser(tmp_path):
    """Without a browser nothing is said of the library but that it was not tested, and what to install."""
    ran, found = browsed("behaves", tmp_path, HARNESS_CHROMIUM="no-such-browser")
    assert ran.exit_code == 0
    assert found[FIFTEEN].good is None
    assert found[FIFTEEN].seen.startswith("not tested: there is no no-such-browser; install Debian's packages chromium")


def test_programs_are_named(monkeypatch, tmp_path):
    """The programs that the environment names come before those on PATH."""
    for name, variable in (("mine", browsers.CHROMIUM), ("my-driver", browsers.CHROMEDRIVER)):
        program = tmp_path / name
        program.touch(mode=0o755)
        monkeypatch.setenv(variable, str(program))
    assert browsers.find() == browsers.Programs(str(tmp_path / "mine"), str(tmp_path / "my-driver"))


@pytest.mark.parametrize(
    ("method", "told", "frame"),
    [
        ("FrameSent", {"response": {"opcode": 1, "payloadData": "hello"}}, ("out", "text", "hello")),
        ("FrameReceived", {"response": {"opcode": 2, "payloadData": "aGk="}}, ("in", "binary", "aGk=")),
        ("HandshakeResponseReceived", {"response": {"status": 101}}, ("in", "open", "101")),
        ("Closed", {}, ("in", "closed", "closed")),
        ("Created", {"url": "ws://127.0.0.1/"}, ("", "", "")),
    ],
)
def test_log_of_the_browser(method, told, frame):
    """What the browser logs of a WebSocket is a frame like any other."""
    assert browsers._frame(f"Network.webSocket{method}", told) == frame
