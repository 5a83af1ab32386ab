"""A person at a browser, with a stand-in for what drives it: windows, forms, logs, and what goes wrong with them."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from selenium.common.exceptions import NoSuchElementException, TimeoutException, WebDriverException
from talkers import FORM, LOGIN

from harness.clients import chromium
from harness.clients.chromium import Browsers, NoBrowser, Person, Programs
from harness.clients.connection import Endpoint, SendFailed
from harness.clients.transcript import Frame
from harness.errors import CellFailure
from harness.verdict import Reason


class Field:
    """Something on a page that can be clicked and typed into."""

    def __init__(self, text: str = "") -> None:
        self.text, self.typed, self.clicks = text, "", 0

    def send_keys(self, text: str) -> None:
        self.typed += text

    def clear(self) -> None:
        self.typed = ""

    def click(self) -> None:
        self.clicks += 1


class Driver:
    """Drives no browser: it has windows, and elements by how they are looked for."""

    def __init__(self) -> None:
        self.handles, self.current_window_handle = ["w1"], "w1"
        self.current_url = "http://127.0.0.1:8000/"
        self.elements: dict[str, list[Field]] = {}
        self.loading: Exception | None = None
        self.done: list[tuple[object, ...]] = []
        #: What scripts answer, one after the other.
        self.answers: list[object] = []
        self.logs: dict[str, list[dict[str, object]]] = {}
        self.capabilities = {"browserVersion": "156.0.1"}
        self.switch_to = self

    def new_window(self, kind: str) -> None:
        self.handles.append(f"w{len(self.handles) + 1}")
        self.current_window_handle = self.handles[-1]
        self.done.append(("new", kind))

    def window(self, handle: str) -> None:
        assert handle in self.handles
        self.current_window_handle = handle
        self.done.append(("look", handle))

    def close(self) -> None:
        self.handles.remove(self.current_window_handle)
        self.done.append(("close", self.current_window_handle))

    def get(self, address: str) -> None:
        self.done.append(("get", address))
        if self.loading:
            raise self.loading

    def find_elements(self, how: str, what: str) -> list[Field]:
        return self.elements.get(what, [])

    def find_element(self, how: str, what: str) -> Field:
        found = self.find_elements(how, what)
        if not found:
            raise NoSuchElementException(what)
        return found[0]

    def execute_script(self, script: str, *arguments: object) -> object:
        self.done.append(("script", *arguments))
        return self.answers.pop(0) if self.answers else None

    def execute_async_script(self, script: str, *arguments: object) -> object:
        self.done.append(("wait", *arguments))
        return self.answers.pop(0) if self.answers else None

    def execute(self, command: str, told: dict[str, str]) -> dict[str, object]:
        assert command == "getLog"
        return {"value": self.logs.pop(told["type"], [])}

    def get_screenshot_as_png(self) -> bytes:
        return b"\x89PNG"

    def quit(self) -> None:
        self.done.append(("quit",))


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def john(driver) -> Person:
    return Person("John", driver, FORM, base="http://127.0.0.1:8000")


# Windows


def test_windows(john, driver):
    """Each page has a window of its own: the first is there, others are opened, and one that is open is used again."""
    john.go("user", "/chat/user/")
    john.go("group", "/chat/group/")
    john.go("user", "/")
    assert driver.done == [
        ("get", "http://127.0.0.1:8000/chat/user/"),
        ("new", "window"),
        ("get", "http://127.0.0.1:8000/chat/group/"),
        ("look", "w1"),
        ("get", "http://127.0.0.1:8000/"),
    ]
    assert john.windows == {"user": "w1", "group": "w2"}
    assert john.names == {"w1": "user", "w2": "group"}
    assert driver.current_window_handle == "w1"


def test_the_window_in_front(john, driver):
    """A window that is in front already is not switched to."""
    john.go("user", "/")
    john.shown("user")
    john.shown("user")
    assert [each for each in driver.done if each[0] == "look"] == []
    john.go("group", "/")
    john.shown("user")
    assert [each for each in driver.done if each[0] == "look"] == [("look", "w1")]


def test_a_window_that_is_left(john, driver):
    """A window that is closed is known by its name to the log, and to nobody who looks for pages."""
    john.go("user", "/")
    john.go("kitchen", "/")
    john.leave("kitchen")
    assert (john.windows, john.names) == ({"user": "w1"}, {"w1": "user", "w2": "kitchen"})
    assert driver.handles == ["w1"]
    john.shown("user")
    assert driver.done[-2:] == [("look", "w1"), ("script",)]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutException("no"), "/chat/user/ is not loaded within 20 s"),
        (
            WebDriverException("unknown error: net::ERR_CONNECTION_REFUSED\n  (Session info)"),
            "/chat/user/ cannot be loaded (ERR_CONNECTION_REFUSED)",
        ),
        (WebDriverException("ERR_"), "/chat/user/ cannot be loaded (no answer)"),
    ],
)
def test_a_page_that_is_not_loaded(john, driver, error, text):
    """A page that does not load is the cell's failure, with the browser's own name for it."""
    driver.loading = error
    with pytest.raises(CellFailure) as raised:
        john.go("user", "/chat/user/")
    assert (raised.value.reason, raised.value.text) == (Reason.PAGE_FAILED, text)


def test_a_browser_that_breaks(john, driver):
    """What is the browser's own trouble is no failure of the cell."""
    driver.loading = WebDriverException("tab crashed")
    with pytest.raises(WebDriverException, match="tab crashed"):
        john.go("user", "/")


# Logging in


@pytest.fixture
def form(driver) -> dict[str, Field]:
    """A login form, behind which the member is greeted."""
    fields = {"name": Field(), "button": Field()}
    driver.elements = {
        "[name=name]:not([type=hidden])": [fields["name"]],
        "main button": [fields["button"]],
        "me": [Field("John")],
    }
    return fields


def test_logging_in(john, driver, form):
    """Who logs in types what the form asks for, clicks, and is greeted."""
    john.log_in()
    assert (form["name"].typed, form["button"].clicks) == ("John", 1)


def test_no_form(john, driver):
    """Without a form nobody can log in."""
    with pytest.raises(CellFailure) as raised:
        john.log_in()
    assert (raised.value.reason, raised.value.text) == (
        Reason.PAGE_FAILED,
        "John cannot log in with a browser: no page greets the member",
    )


def test_not_greeted(john, driver, form, monkeypatch):
    """Who is not greeted by the own name is not logged in."""
    monkeypatch.setattr(chromium, "_PAGE_DEADLINE", 0.0)
    driver.elements["me"] = [Field("Mary")]
    with pytest.raises(CellFailure, match=r"^John cannot log in with a browser"):
        john.log_in()


@pytest.mark.parametrize(
    ("address", "elements", "there"),
    [
        (LOGIN, ["[name=password]"], True),
        (LOGIN, [], False),
        (LOGIN, ["[name=password]", "#chat"], False),
        ("/chat/", ["[name=password]"], False),
    ],
)
def test_at_login(john, driver, address, elements, there):
    """The login form is at its address, asks for a password, and has no chat beside it."""
    driver.current_url = f"http://127.0.0.1:8000{address}?next=/"
    driver.elements = {each: [Field()] for each in elements}
    assert john.at_login() is there


# Pages of the chat


def test_waiting(john, driver):
    """What is waited for in a page is named with its time in milliseconds; the page's answer is what counts."""
    john.go("user", "/")
    driver.answers = [True, "connected", None, False]
    assert john.runs_script("user") is True
    assert john.wait_state("user", ("connected",), 2.5) == "connected"
    assert john.wait("user", ("one", "two"), 0.1) is False
    assert john.runs_script("user") is False
    assert driver.done[-4:] == [
        ("script",),
        ("wait", ["connected"], 2500),
        ("wait", ["one", "two"], 100),
        ("script",),
    ]


def test_shown(john, driver):
    """What a page shows is told as it answers."""
    john.go("user", "/")
    driver.answers = [["one", "two"]]
    assert john.shown("user") == ["one", "two"]


@pytest.fixture
def writing(driver) -> tuple[Field, Field]:
    """The form of a page: the field, with what was typed before, and the button."""
    field, button = Field(), Field()
    field.typed = "left over"
    driver.elements = {"message": [field], "#chat button": [button]}
    return field, button


def test_writing(john, driver, writing):
    """Who writes empties the field, types, sends, and waits until the form is empty again."""
    john.go("user", "/")
    driver.answers = [None, ""]
    john.write("user", "", "hello", everyone=True)
    assert (writing[0].typed, writing[1].clicks) == ("hello", 1)
    assert driver.done[-2:] == [("script", True), ("wait", 5000)]


@pytest.mark.parametrize(("size", "pasted"), [(1000, False), (1001, True)])
def test_pasting(john, driver, writing, size, pasted):
    """What nobody would type is pasted, in one step and as it is; what is short enough is typed."""
    john.go("user", "/")
    driver.answers = [None, None, ""] if pasted else [None, ""]
    john.write("user", "", "x" * size)
    assert (len(writing[0].typed), writing[1].clicks) == (0 if pasted else size, 1)
    assert (("script", writing[0], "x" * size) in driver.done) == pasted


def test_an_audience(john, driver, writing, monkeypatch):
    """To whom something is said is chosen where the page asks for it; who says it to everybody chooses nothing."""
    chosen = []
    monkeypatch.setattr(
        chromium, "Select", lambda element: SimpleNamespace(select_by_visible_text=lambda text: chosen.append(text))
    )
    driver.elements["audience"] = [Field()]
    john.go("user", "/")
    john.write("user", "Mary", "hello")
    john.write("user", "", "hello")
    assert chosen == ["Mary"]
    assert ("script", False) in driver.done


def test_not_sent(john, driver, writing):
    """What the page says that it could not send was not sent; whose page it is is said."""
    john.go("user", "/")
    driver.answers = [None, "not sent: status 500"]
    with pytest.raises(SendFailed, match=r"^John's user page says: not sent: status 500$"):
        john.write("user", "", "hello")


def test_a_photograph(john, driver, tmp_path):
    """A picture of a page is a file."""
    john.go("user", "/")
    john.photograph("user", tmp_path / "john.png")
    assert (tmp_path / "john.png").read_bytes() == b"\x89PNG"


# Logs


def test_complaints(john, driver):
    """Only errors are complaints, and each is told once."""
    driver.logs["browser"] = [
        {"level": "SEVERE", "message": "WebSocket connection failed"},
        {"level": "INFO", "message": "hello"},
    ]
    assert john.complaints() == ["WebSocket connection failed"]
    assert john.complaints() == []


def event(method: str, webview: str | None = "w1", **told: object) -> dict[str, object]:
    said: dict[str, object] = {"message": {"method": method, "params": {"timestamp": 12.5, **told}}}
    return {"message": json.dumps(said if webview is None else {**said, "webview": webview})}


def test_frames(john, driver):
    """What went over the WebSockets of each window is told by the name of its page; the rest of the log is left out."""
    john.go("user", "/")
    driver.logs["performance"] = [
        event("Network.requestWillBeSent", request={}),
        event("Network.webSocketFrameSent", response={"opcode": 1, "payloadData": "hi"}),
        event("Network.webSocketFrameReceived", "w9", response={"opcode": 2, "payloadData": "aGk="}),
        event("Network.webSocketFrameReceived", None, response={"opcode": 9, "payloadData": ""}),
        event("Network.webSocketFrameError", errorMessage="no"),
    ]
    user, page = Endpoint("John", "user"), Endpoint("John", "page")
    assert list(john.frames()) == [
        Frame(12.5, user, "out", "text", "hi"),
        Frame(12.5, page, "in", "binary", "aGk="),
        Frame(12.5, page, "in", "control", ""),
        Frame(12.5, user, "in", "error", "no"),
    ]


# Starting


@pytest.mark.parametrize("missing", ["chromium", "chromedriver"])
def test_a_program_that_is_not_there(monkeypatch, tmp_path, missing):
    """The program that is not there is named, with what to install."""
    for variable in (chromium.CHROMIUM, chromium.CHROMEDRIVER):
        monkeypatch.delenv(variable, raising=False)
    for name in {"chromium", "chromedriver"} - {missing}:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser) as raised:
        chromium.find()
    assert str(raised.value) == (
        f"there is no {missing}; install Debian's packages chromium and chromium-driver,"
        " or name the programs in HARNESS_CHROMIUM and HARNESS_CHROMEDRIVER"
    )
    (tmp_path / missing).touch(mode=0o755)
    assert chromium.find() == Programs(str(tmp_path / "chromium"), str(tmp_path / "chromedriver"))


def driver_process(folder: Path, said: bytes, exit_status: int | None) -> SimpleNamespace:
    log = folder / "chromedriver.log"
    log.write_bytes(said)
    return SimpleNamespace(log=log, exit_status=exit_status)


def test_its_port(tmp_path):
    """ChromeDriver says on which port it listens."""
    said = b"Starting ChromeDriver\nChromeDriver was started successfully on port 38021.\n"
    assert chromium._port(driver_process(tmp_path, said, None)) == 38021


def test_no_port(tmp_path, monkeypatch):
    """A driver that ends, or says nothing in time, does not start."""
    for said, status in ((b"bad option", 1), (b"", None)):
        monkeypatch.setattr(chromium, "_START_DEADLINE", 0.0)
        with pytest.raises(NoBrowser, match=r"^ChromeDriver does not start; does it belong to the browser"):
            chromium._port(driver_process(tmp_path, said, status))


class Remote(Driver):
    """A session with a browser; it notes how it was asked for."""

    made: list[tuple[str, list[str]]] = []
    error: Exception | None = None

    def __init__(self, connection: object, options: object) -> None:
        super().__init__()
        if self.error:
            raise self.error
        self.made.append((options.binary_location, options.arguments))
        self.limits: list[float] = []

    def set_page_load_timeout(self, seconds: float) -> None:
        self.limits.append(seconds)

    set_script_timeout = set_page_load_timeout


@pytest.fixture
def remote(monkeypatch, tmp_path):
    """ChromeDriver that is none, in the place of a real one; returns what was started with which variables."""
    started = []

    @contextmanager
    def stand_in(command, env, cwd, log):
        started.append((command, env, cwd))
        log.write_bytes(b"started successfully on port 4000")
        yield SimpleNamespace(log=log, exit_status=None)
        started.append("ended")

    Remote.made, Remote.error = [], None
    monkeypatch.setattr(chromium.processes, "started", stand_in)
    monkeypatch.setattr(chromium.webdriver, "Remote", Remote)
    monkeypatch.setattr(chromium, "ChromeRemoteConnection", lambda address, client_config: address)
    return started


PROGRAMS = Programs("/usr/bin/chromium", "/usr/bin/chromedriver")


def test_opened(remote):
    """Each member gets a browser with a profile of its own, away from the user's settings, and all of it goes again."""
    with chromium.opened(PROGRAMS, ["admin", "John"], {"HOME": "/home/mary", "PATH": "/bin"}, FORM) as browsers:
        command, env, home = remote[0]
        assert command == ["/usr/bin/chromedriver", "--port=0"]
        assert env == {
            "PATH": "/bin",
            **dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home)),
        }
        assert list(browsers.people) == ["admin", "John"]
        assert browsers["John"].name == "John"
        assert browsers.each(lambda person: person.name) == ["admin", "John"]
        drivers = [person.driver for person in browsers.people.values()]
        assert [driver.limits for driver in drivers] == [[20.0, 30.0]] * 2
        profiles = {argument for _, arguments in Remote.made for argument in arguments if "user-data-dir" in argument}
        assert profiles == {f"--user-data-dir={home}/{name}" for name in ("admin", "John")}
        assert {binary for binary, _ in Remote.made} == {"/usr/bin/chromium"}
        assert chromium.version(PROGRAMS, browsers["John"]) == "Chromium 156.0.1"
    assert [driver.done for driver in drivers] == [[("quit",)]] * 2
    assert remote[1:] == ["ended"]
    assert not home.exists()


@pytest.mark.parametrize(("user", "sandboxed"), [(0, False), (1000, True)])
def test_sandbox(remote, monkeypatch, user, sandboxed):
    """Only root, for whom Chromium refuses to have one, goes without a sandbox."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with chromium.opened(PROGRAMS, ["John"], {}, FORM):
        assert ("--no-sandbox" not in Remote.made[0][1]) is sandboxed


def test_not_opened(remote):
    """A browser that does not start is none, with the first line of why."""
    Remote.error = WebDriverException("session not created\nand much more")
    with (
        pytest.raises(NoBrowser, match=r"^Chromium does not start: Message: session not created$"),
        chromium.opened(PROGRAMS, ["John"], {}, FORM),
    ):
        pytest.fail("there is no browser")


def test_side_by_side():
    """What all do they do at once: none waits for another to be done."""
    together = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        people = {name: Person(name, Driver(), FORM) for name in ("admin", "John", "Mary")}
        browsers = Browsers(people, pool)
        assert sorted(browsers.each(lambda person: together.wait(5))) == [0, 1, 2]
