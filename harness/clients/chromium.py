"""Real browsers: headless Chromium through ChromeDriver, a profile of its own for each member.

Everything is typed and clicked, and read off the page as it is shown, as a person would. ChromeDriver is
a child like any other, so that it ends with all it started.

Sources: https://www.w3.org/TR/webdriver2/, and the logs of https://developer.chrome.com/docs/chromedriver/logging.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, TimeoutException, WebDriverException
from selenium.webdriver.chrome.remote_connection import ChromeRemoteConnection
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.support.ui import Select, WebDriverWait

from harness.clients.connection import Endpoint, SendFailed
from harness.clients.http import LoginForm
from harness.clients.transcript import Frame
from harness.errors import CellFailure
from harness.system import processes
from harness.system.waiting import wait_until
from harness.verdict import Reason

#: The variables that name the programs, where they are not to be those on PATH.
CHROMIUM, CHROMEDRIVER = "HARNESS_CHROMIUM", "HARNESS_CHROMEDRIVER"

#: Seconds for ChromeDriver to listen, for one page to load, and for one command of any kind.
_START_DEADLINE = 20.0
_PAGE_DEADLINE = 20.0
_COMMAND_DEADLINE = 60.0
#: Seconds until a form that was sent has to be empty again.
_SENT_DEADLINE = 5.0

_ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Of several windows only one is in front; a person's others show what arrives all the same.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Nothing but the cell is ever asked for anything.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=900,700",
)

#: Answers what now() says once ready(), or else when the time is up; *watched* is the element that changes.
_WAIT = """
    const wait = (watched, ready, now, milliseconds, done) => {
        if (ready()) { done(now()); return; }
        const observer = new MutationObserver(() => { if (ready()) { observer.disconnect(); done(now()); } });
        observer.observe(watched, {childList: true, characterData: true, subtree: true});
        setTimeout(() => { observer.disconnect(); done(now()); }, milliseconds);
    };
"""
#: Waits until the page shows one of some texts.
_WAIT_SHOWN = (
    _WAIT
    + """
    const [texts, milliseconds, done] = arguments;
    const list = document.getElementById("messages");
    const shown = () => [...list.children].some(item => texts.includes(item.innerText) && item.checkVisibility());
    wait(list, shown, shown, milliseconds, done);
"""
)
#: Waits until the page's status is one of some, and returns the status.
_WAIT_STATE = (
    _WAIT
    + """
    const [wanted, milliseconds, done] = arguments;
    const state = document.getElementById("state");
    const now = () => state.innerText.trim();
    wait(state, () => wanted.includes(now()), now, milliseconds, done);
"""
)
#: Waits until the form is empty, as it is once the message has gone; returns what the page says otherwise.
_WAIT_SENT = (
    _WAIT
    + """
    const [milliseconds, done] = arguments;
    const state = document.getElementById("state"), input = document.getElementById("message");
    const sent = () => input.value === "", failed = () => state.innerText.startsWith("not sent");
    const answer = () => sent() ? "" : state.innerText.trim() || "the form is not emptied";
    wait(state, () => sent() || failed(), answer, milliseconds, done);
"""
)
_SHOWN = """
    return [...document.querySelectorAll("#messages > li")]
        .filter(item => item.checkVisibility()).map(item => item.innerText).reverse();
"""
#: Characters that are typed; whoever sends more has copied it from somewhere.
_TYPED = 1000
_PASTE = "arguments[0].value = arguments[1];"
#: Has the form speak to everyone, or to whom its page is for again; what it sends goes the same way.
_ADDRESS = """
    const form = document.getElementById("chat");
    if (arguments[0]) {
        form.dataset.own = form.dataset.own || form.dataset.channel;
        form.dataset.channel = "broadcast";
        form.action = "/chat/broadcast/";
    } else if (form.dataset.own) {
        form.dataset.channel = form.dataset.own;
        form.removeAttribute("action");
    }
"""


T = TypeVar("T")


class NoBrowser(Exception):
    """There is no browser to be driven here; the message says what to install."""


@dataclass(frozen=True)
class Programs:
    """Where the browser and its driver are."""

    chromium: str
    chromedriver: str


def find() -> Programs:
    """Return the programs that the environment names, or else those on PATH.

    Raises:
        NoBrowser: one of them is not there.
    """
    found = []
    for name, variable in (("chromium", CHROMIUM), ("chromedriver", CHROMEDRIVER)):
        wanted = os.environ.get(variable) or name
        path = shutil.which(wanted)
        if path is None:
            raise NoBrowser(
                f"there is no {Path(wanted).name}; install Debian's packages chromium and chromium-driver, "
                f"or name the programs in {CHROMIUM} and {CHROMEDRIVER}"
            )
        found.append(path)
    return Programs(*found)


@dataclass
class Person:
    """A member at a browser: pages in windows of their own, each with a name."""

    name: str
    driver: webdriver.Remote
    #: How members log in to the site.
    form: LoginForm
    #: The address of the site, such as ``http://127.0.0.1:8000``.
    base: str = ""
    windows: dict[str, str] = field(default_factory=dict)
    #: The names of windows by their handle, also of those that are closed.
    names: dict[str, str] = field(default_factory=dict)
    #: The name of the window that commands go to.
    _front: str = ""

    def go(self, page: str, path: str) -> None:
        """Open *path* in the window *page*; a new one where there is none of that name.

        Raises:
            CellFailure: it does not load.
        """
        if page in self.windows:
            self._look(page)
        else:
            if self.windows:
                self._look(next(iter(self.windows)))
                self.driver.switch_to.new_window("window")
            self.windows[page] = self.driver.current_window_handle
            self.names[self.windows[page]] = self._front = page
        try:
            self.driver.get(self.base + path)
        except TimeoutException as error:
            text = f"{path} is not loaded within {_PAGE_DEADLINE:.0f} s"
            raise CellFailure(Reason.PAGE_FAILED, text) from error
        except WebDriverException as error:
            if "ERR_" not in (error.msg or ""):
                raise
            code = re.search(r"ERR_\w+", error.msg or "")
            text = f"{path} cannot be loaded ({code[0] if code else 'no answer'})"
            raise CellFailure(Reason.PAGE_FAILED, text) from error

    def leave(self, page: str) -> None:
        """Close the window *page*."""
        self._look(page)
        self.driver.close()
        del self.windows[page]
        self._front = ""

    def log_in(self) -> None:
        """Log in as a person does, from the page that asks for it.

        Raises:
            CellFailure: there is no such form, or it does not let the member in.
        """
        try:
            for field_name, value in self.form.fields(self.name).items():
                for typed in self.driver.find_elements("css selector", f"[name={field_name}]:not([type=hidden])"):
                    typed.send_keys(value)
            self.driver.find_element("css selector", "main button").click()
            WebDriverWait(self.driver, _PAGE_DEADLINE, 0.02).until(_greets(self.name))
        except (NoSuchElementException, TimeoutException) as error:
            text = f"{self.name} cannot log in with a browser: no page greets the member"
            raise CellFailure(Reason.PAGE_FAILED, text) from error

    def at_login(self) -> bool:
        """Tell whether the window in front shows the login form, and not the chat's."""
        forms = [self.driver.find_elements("css selector", each) for each in ("[name=password]", "#chat")]
        return self.form.path in self.driver.current_url and bool(forms[0]) and not forms[1]

    def runs_script(self, page: str) -> bool:
        """Tell whether the script of *page* runs: without it the page is nothing that a library could be judged by."""
        self._look(page)
        return bool(self.driver.execute_script("return document.getElementById('chat')?.dataset.script === 'runs'"))

    def wait_state(self, page: str, wanted: Sequence[str], seconds: float) -> str:
        """Wait until the status of *page* is one of *wanted*; return what it is then."""
        self._look(page)
        return str(self._waiting(_WAIT_STATE, list(wanted), int(seconds * 1000)))

    def write(self, page: str, audience: str, text: str, everyone: bool = False) -> None:
        """Type *text*, or paste a long one, into the form of *page*; send it to *audience* or so to *everyone*.

        Raises:
            SendFailed: the page says that it was not sent.
        """
        self._look(page)
        self.driver.execute_script(_ADDRESS, everyone)
        for choice in self.driver.find_elements("id", "audience") if audience else ():
            Select(choice).select_by_visible_text(audience)
        typed = self.driver.find_element("id", "message")
        typed.clear()
        if len(text) > _TYPED:
            self.driver.execute_script(_PASTE, typed, text)
        else:
            typed.send_keys(text)
        self.driver.find_element("css selector", "#chat button").click()
        refused = self._waiting(_WAIT_SENT, int(_SENT_DEADLINE * 1000))
        if refused:
            raise SendFailed(f"{self.name}'s {page} page says: {refused}")

    def wait(self, page: str, texts: Sequence[str], seconds: float) -> bool:
        """Wait until *page* shows one of *texts*; tell whether it does."""
        self._look(page)
        return bool(self._waiting(_WAIT_SHOWN, list(texts), int(seconds * 1000)))

    def shown(self, page: str) -> list[str]:
        """Return the messages that *page* shows, the first that came first."""
        self._look(page)
        found: list[str] = self.driver.execute_script(_SHOWN)
        return found

    def complaints(self) -> list[str]:
        """Return the errors that the browser has logged on its console since this was asked last."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] == "SEVERE"]

    def frames(self) -> Iterator[Frame]:
        """Yield what the browser saw go over its WebSockets since this was asked last; its clock is the machine's."""
        for entry in self._log("performance"):
            event = json.loads(entry["message"])
            kind, told = event["message"]["method"], event["message"]["params"]
            direction, what, data = _frame(kind, told)
            if direction:
                endpoint = Endpoint(self.name, self.names.get(event.get("webview", ""), "page"))
                yield Frame(float(told["timestamp"]), endpoint, direction, what, data)

    def photograph(self, page: str, path: Path) -> None:
        """Write what *page* looks like to *path*, as PNG."""
        self._look(page)
        path.write_bytes(self.driver.get_screenshot_as_png())

    def _look(self, page: str) -> None:
        if self._front != page:
            self.driver.switch_to.window(self.windows[page])
            self._front = page

    def _waiting(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_async_script(script, *arguments)

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.execute("getLog", {"type": kind})["value"]
        return found


def _greets(member: str) -> Callable[[webdriver.Remote], bool]:
    return lambda driver: [each.text for each in driver.find_elements("id", "me")] == [member]


def _frame(method: str, told: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return direction, kind and data of an event of the browser's log; no direction where it is none of a WebSocket.

    Source: https://chromedevtools.github.io/devtools-protocol/tot/Network/.
    """
    if method in ("Network.webSocketFrameSent", "Network.webSocketFrameReceived"):
        response = told["response"]
        kind = {1: "text", 2: "binary"}.get(int(response["opcode"]), "control")
        return ("out" if method.endswith("Sent") else "in"), kind, str(response["payloadData"])
    if method == "Network.webSocketHandshakeResponseReceived":
        return "in", "open", str(told["response"]["status"])
    if method == "Network.webSocketFrameError":
        return "in", "error", str(told["errorMessage"])
    return ("in", "closed", "closed") if method == "Network.webSocketClosed" else ("", "", "")


@dataclass
class Browsers:
    """The members at their browsers, who can do something all at once."""

    people: dict[str, Person]
    pool: ThreadPoolExecutor

    def __getitem__(self, member: str) -> Person:
        return self.people[member]

    def each(self, do: Callable[[Person], T]) -> list[T]:
        """Have each member do something, side by side; return what came of it."""
        return [done.result() for done in [self.pool.submit(do, person) for person in self.people.values()]]


@contextmanager
def opened(programs: Programs, names: Sequence[str], env: Mapping[str, str], form: LoginForm) -> Iterator[Browsers]:
    """Start a browser for each of *names*; nothing of them runs or lies anywhere any more when the block is left.

    Raises:
        NoBrowser: they do not start.
    """
    command = [programs.chromedriver, "--port=0"]
    with ExitStack() as stack:
        # Its path is short, for Chromium has a socket in it.
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="browsers-", ignore_cleanup_errors=True))
        # Nothing of the user's settings plays a part.
        own = {**env, "HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
        # Whoever still waits for an answer of the driver waits no more once that is ended.
        pool = stack.enter_context(ThreadPoolExecutor(len(names)))
        log = Path(home, "chromedriver.log")
        driver = stack.enter_context(processes.started(command, own, Path(home), log))
        address = f"http://127.0.0.1:{_port(driver)}"
        started = pool.map(lambda name: _start(address, programs.chromium, Path(home, name)), names)
        browsers = Browsers({name: Person(name, each, form) for name, each in zip(names, started, strict=True)}, pool)
        yield browsers
        with suppress(WebDriverException, OSError):  # it is ended with its driver in any case
            browsers.each(lambda person: person.driver.quit())


def _port(driver: processes.Child) -> int:
    """Return the port on which ChromeDriver says that it listens."""

    def said() -> re.Match[bytes] | None:
        return re.search(rb"started successfully on port (\d+)", driver.log.read_bytes())

    wait_until(lambda: said() or driver.exit_status is not None, _START_DEADLINE)
    if port := said():
        return int(port[1])
    raise NoBrowser("ChromeDriver does not start; does it belong to the browser that is installed?")


def _start(address: str, chromium: str, profile: Path) -> webdriver.Remote:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to have one as root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    config = ClientConfig(remote_server_addr=address, timeout=int(_COMMAND_DEADLINE))
    try:
        driver = webdriver.Remote(ChromeRemoteConnection(address, client_config=config), options=options)
        driver.set_page_load_timeout(_PAGE_DEADLINE)
        driver.set_script_timeout(_COMMAND_DEADLINE / 2)
    except (WebDriverException, OSError) as error:
        raise NoBrowser(f"Chromium does not start: {str(error).partition(chr(10))[0]}") from error
    return driver


def version(programs: Programs, person: Person) -> str:
    """Return the name and the release of the browser that *person* sits at."""
    return f"{Path(programs.chromium).name.capitalize()} {person.driver.capabilities.get('browserVersion', '')}".strip()
