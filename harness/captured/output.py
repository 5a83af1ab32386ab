"""Read captured output: its cause of failure, the lines that show it, and its warnings.

Outputs can be of any size; only their two ends are ever read into memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: How much of each end of an output is looked at, in bytes.
_WINDOW = 256 * 1024
#: How long an excerpt may be.
EXCERPT_LINES = 40
EXCERPT_CHARS = 4000
_LINE = 300

#: The cause in a traceback whose last line has not been printed, or not yet.
UNFINISHED = "it ended with a traceback"
_TRACEBACK = "Traceback (most recent call last):"
#: The last line of a traceback: ``package.Error: text``, or the bare name.
_EXCEPTION = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_TWISTED = re.compile(r"Failure instance: Traceback.*?: <(?:class|type) '(?P<name>[\w.]+)'>: (?P<text>.*)$")
_FRAME = re.compile(r'^\s+File "(?P<file>[^"]+)", line (?P<line>\d+)')
#: What is before it are the dots of a test runner.
_WARNING = re.compile(
    r"^(?:[.EFsx]+(?=[/<]))?(?P<where>\S.*?:\d+): "
    r"(?P<what>\w*(?:Deprecation|RemovedIn|PendingDeprecation)\w*Warning: .*)$"
)
#: What installers print when they could not reach anything; each is a connection's own failure.
_NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|nodename nor servname|"
    r"failed to lookup address information|error resolving DNS|dns error|Network is unreachable|"
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|No route to host|tcp connect error|"
    r"error sending request for url|client error \(Connect\)|ProxyError|Connection refused|Connection reset|"
    r"network was disabled|operation timed out|network timeout|Read timed out|"
    r"invalid peer certificate|CERTIFICATE_VERIFY_FAILED|"
    r"HTTP status server error|HTTP status client error \((?:401|403|407|429)|too many 5\d\d error responses|"
    r"HTTP error (?:401|403|407|429|5\d\d)",
    re.IGNORECASE,
)
#: A package that is asked for by its address instead of from the index.
_BY_ADDRESS = re.compile(r"[\w.\]-]+\s+@\s+(?:\w+\+)?\w+://(?:[^/\s`@]+@)?(?P<host>[^/\s`]+)")
#: Where what a package's own build printed begins: that is the package's, not the installer's.
_BUILD = re.compile(
    r"Failed to build|build backend returned an error|Building wheel for|"
    r"Getting requirements to build|error: subprocess-exited-with-error"
)
#: What a full disk makes programs print: the C library, SQLite, and quotas.
_NO_ROOM = re.compile(r"No space left on device|database or disk is full|Disk quota exceeded")
#: What builds print where the machine lacks what they are made with: a compiler, headers, a library to link.
#: A header of Python's own other than these two has gone from a newer Python, which is not the machine's fault.
_NOT_THERE = re.compile(
    r"unable to execute '?(?P<a>\S*(?:cc|gcc|clang|\+\+)\S*?)'?:|"
    r"command '(?P<b>\S*(?:cc|gcc|clang|\+\+)\S*)' failed: No such file|"
    r"no (?:usable|acceptable) (?P<c>C compiler)|"
    r"(?P<d>cc|gcc|clang|rustc|cargo|cmake|pkg-config): (?:command )?not found|"
    r"can't find (?P<e>Rust compiler)|(?P<f>[Cc]argo), the Rust package manager, is not installed|"
    r"error: '?(?P<g>(?:\w+/)*(?:Python|pyconfig|ffi|zlib|sqlite3|ssl|evp|uuid|yaml|xmlversion|libpq-fe|pcre2?)\.h)'?"
    r"(?:: No such file| file not found)|"
    r"cannot find (?P<h>-l\w+)",
    re.IGNORECASE,
)


#: What the interpreter itself prints when it crashes, the innermost frame first:
#: https://docs.python.org/3/library/faulthandler.html
_CRASH = re.compile(
    r'^Fatal Python error: .*?most recent call first\):\s+File "(?P<file>[^"]+)"', re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Failure:
    """Why a program failed: the first exception of the chain, and the lines that show it."""

    cause: str
    excerpt: str

    def behind(self, seen: str) -> str:
        """Return *seen*, what a client saw of a server, with what the server printed."""
        return f"{seen.rstrip('.')}; the server printed: {self.cause}"


def read(log: Path, since: int = 0) -> str:
    """Return the text of *log* behind its first *since* bytes; of a large one, its two ends with a note between."""
    try:
        size = log.stat().st_size - since
        with log.open("rb") as file:
            file.seek(since)
            if size <= 2 * _WINDOW:
                return file.read().decode("utf-8", "replace")
            head = file.read(_WINDOW)
            file.seek(since + size - _WINDOW)
            tail = file.read()
    except OSError:
        return ""
    left_out = size - len(head) - len(tail)
    middle = f"\n… {left_out:,} bytes left out …\n"
    return head.decode("utf-8", "replace") + middle + tail.decode("utf-8", "replace")


def failure(text: str) -> Failure:
    """Find in *text* the last traceback with its chain, or else the last lines."""
    found = traceback(text)
    if found is None:
        tail = [line for line in text.splitlines() if line.strip()][-EXCERPT_LINES:]
        found = Failure(_plain_cause(tail), shorten("\n".join(tail)))
    return found


def last_line(text: str) -> str:
    """Return the last line of *text* that says something; empty where none does."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def last_words(log: Path) -> str:
    """Return the last line of *log* that says something, or that it says nothing."""
    return last_line(read(log)) or "it says nothing"


def traceback(text: str) -> Failure | None:
    """Find in *text* the last traceback with its chain; None without one."""
    lines = _outdented(text.splitlines())
    starts = [number for number, line in enumerate(lines) if line.strip() == _TRACEBACK]
    if not starts:
        return _of_twisted(lines)
    last = lines[starts[-1] :]
    chain = [_exception_of(lines, start) for start in _chain(lines, starts)]
    ends = next((number for number, line in enumerate(last[1:], 1) if _EXCEPTION.match(line)), len(last) - 1)
    excerpt = lines[_chain(lines, starts)[0] : starts[-1] + ends + 1]
    # A later exception often only says that something could not be loaded; the first says why.
    named = [name for name in chain if name]
    return Failure(_sentence(named), shorten("\n".join(excerpt)))


def _outdented(lines: list[str]) -> list[str]:
    """Return *lines* with each traceback at the left edge: installers indent what a build printed."""
    found, margin = [], ""
    for line in lines:
        if line.strip() in (_TRACEBACK, f"ERROR: {_TRACEBACK}"):  # pip 19 puts the word before the first line
            margin = line[: -len(line.lstrip())] if line[0].isspace() else ""
            line = margin + _TRACEBACK
        if not line.startswith(margin):
            margin = ""
        found.append(line.removeprefix(margin))
    return found


def _of_twisted(lines: list[str]) -> Failure | None:
    """Find the last failure as Twisted prints it, daphne's framework: the exception first, then its frames."""
    starts = [(number, match) for number, line in enumerate(lines) if (match := _TWISTED.search(line))]
    if not starts:
        return None
    number, match = starts[-1]
    end = next((index for index, line in enumerate(lines[number:], number) if line.strip() == "]"), len(lines))
    name = match["name"].rpartition(".")[2]
    return Failure(_cut(f"{name}: {match['text']}"), shorten("\n".join(lines[number : end + 1])))


def _chain(lines: list[str], starts: list[int]) -> list[int]:
    """Return the starts of the tracebacks that lead to the last one, first cause first."""
    linked = [starts[-1]]
    for earlier, later in zip(reversed(starts[:-1]), reversed(starts[1:]), strict=True):
        between = "\n".join(lines[earlier:later])
        if "direct cause of the following" not in between and "another exception occurred" not in between:
            break
        linked.insert(0, earlier)
    return linked


def _exception_of(lines: list[str], start: int) -> str:
    for line in lines[start + 1 :]:
        if line and not line[0].isspace():
            match = _EXCEPTION.match(line)
            return line.strip() if match else ""
    return ""


def _sentence(exceptions: list[str]) -> str:
    if not exceptions:
        return UNFINISHED
    first, last = exceptions[0], exceptions[-1]
    if len(exceptions) == 1 or first == last:
        return _cut(first)
    return _cut(f"{first}, which ended as {last}")


def _plain_cause(lines: list[str]) -> str:
    for line, after in zip(lines, [*lines[1:], ""], strict=False):
        if re.match(r"\s*(\w*Error|error|ERROR|CommandError|×)\b", line):
            # uv says on the line behind it why nothing fits together.
            why = after.strip().removeprefix("cause: ")
            return _cut(line.strip() + (f": {why}" if why != after.strip() else ""))
    return _cut(lines[-1].strip()) if lines else "it printed nothing"


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def shorten(text: str) -> str:
    """Return *text* within the limits of an excerpt; what is left out is said."""
    lines = [_cut(line) for line in text.splitlines()]
    if len(lines) > EXCERPT_LINES:
        half = EXCERPT_LINES // 2
        left_out = len(lines) - 2 * half
        lines = [*lines[:half], f"… {left_out} lines left out …", *lines[-half:]]
    text = "\n".join(lines)
    if len(text) > EXCERPT_CHARS:
        half = EXCERPT_CHARS // 2
        text = f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
    return text


def warnings(text: str) -> list[str]:
    """Return the deprecation warnings in *text*, each once, in order."""
    found = (_WARNING.match(line) for line in text.splitlines())
    return list(dict.fromkeys(f"{_cut(match['where'])}: {_cut(match['what'])}" for match in found if match))


def crashed_in(text: str) -> str | None:
    """Return the file whose code ran when the interpreter crashed, as its fault handler printed it; else None."""
    found = _CRASH.search(text)
    return found["file"] if found else None


def was_installed(file: str) -> bool:
    """Tell whether *file* came with a package: only what is installed can bring machine code that crashes."""
    return "/site-packages/" in file


def no_room(text: str) -> bool:
    """Tell whether an output complains of a full disk, or of what bears the same name."""
    return bool(_NO_ROOM.search(text))


def not_there(text: str) -> str:
    """Return the compiler, header or library for which a build looked in vain; empty where it lacks none.

    That is the machine's lack, not the library's.
    """
    found = _NOT_THERE.search(text)
    return next(each for each in found.groups() if each) if found else ""


def no_network(text: str) -> bool:
    """Tell whether an installer's output says that it could not reach anything."""
    return bool(_NO_NETWORK.search(_BUILD.split(text, maxsplit=1)[0]))


def was_built(text: str) -> bool:
    """Tell whether an installer's output ends with the build of a package: all that it asked for had come by then."""
    return bool(_BUILD.search(text))


def addresses(text: str) -> list[str]:
    """Return the hosts of the packages that are asked for by an address of their own, as an installer prints them.

    Source: https://packaging.python.org/en/latest/specifications/dependency-specifiers/
    """
    return sorted({match["host"] for match in _BY_ADDRESS.finditer(_BUILD.split(text, maxsplit=1)[0])})
