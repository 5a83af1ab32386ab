"""``dtws check``: a server that runs already, in which nothing is installed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
from rich.text import Text

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.commands.terminal import console, signed
from harness.dtws.option import option, several
from harness.errors import UsageError
from harness.results.result import Finding
from harness.scenario import address, frames, read
from harness.scenario.checked import Checked, Row, checked, junit
from harness.scenario.client import ScenarioClient
from harness.scenario.model import (
    ConnectionTable,
    ExchangeTable,
    FramesTable,
    LoginTable,
    MemberTable,
    Scenario,
)
from harness.scenario.opening import is_secret, lets_in
from harness.scenario.talk import talk
from harness.system.files import write_atomically
from harness.verdict import sign

#: What members are called who do not log in.
_NAMES = ("ann", "bob", "eve", "dan", "joe", "kim", "lea", "max")
#: How many faults of an exchange are shown.
_FAULTS = 5
#: The most members: load is not asked for here.
_MOST = 50
_ON = "chat"
#: A parameter of an address, and its value.
_PARAMETER = re.compile(r"[?&]([^=&]+)=([^&]*)")
_FILE = click.Path(dir_okay=False, path_type=Path)
_FORMATS = click.Choice(["table", "json", "junit"])


@dataclass(frozen=True)
class Described:
    """The chat as options describe it, where no scenario does; what is None or empty was not given."""

    members: int | None
    send: str | None
    read: tuple[str, ...]
    pause: float | None
    says: tuple[str, ...]
    ignore: tuple[str, ...]
    hears: Literal["all", "others"] | None
    login: str | None
    user: tuple[str, ...]
    cookie: tuple[str, ...]
    header: tuple[str, ...]
    subprotocol: tuple[str, ...]


@click.command()
@click.argument("url")
@option("--scenario", "FILE", "Go through this scenario; URL says where its server is.", type=_FILE)
@option("--members", "NUMBER", "How many connect; 3 unless --user says.", type=click.IntRange(1, _MOST))
@option("--send", "TEMPLATE", "The frame that says something; $TEXT, which stands for it, unless given.")
@several("--read", "POINTER", "Where the message stands in a frame, such as .message")
@option("--pause", "SECONDS", "So much passes between two things that one says.", type=click.FloatRange(0, 60))
@several("--says", "POINTER=VALUE", "What else stands there, such as .user='$USER'")
@several("--ignore", "REGEX", "Frames that are no messages")
@click.option("--hears", type=click.Choice(["all", "others"]), help="Whether who speaks hears it as well, as all do.")
@option("--login", "PATH", "The page with the form by which members log in.")
@several("--user", "NAME:PASSWORD", "Who logs in: once for each member")
@several("--cookie", "NAME=VALUE", "What lets a member in: once for all, or once for each")
@several("--header", "'NAME: VALUE'", "A header of every handshake")
@several("--subprotocol", "NAME", "What is offered in every handshake")
@option("--ca", "FILE", "The certificate that a wss server is trusted by.", type=_FILE)
@option("--i-own-this-host", "NAME", "Speak to this host, which is not this machine, and is yours.")
@click.option("--format", "form", type=_FORMATS, default="table", show_default=True, help="How it is shown.")
@option("--output", "FILE", "Write it there, in the form of --format.", type=_FILE)
def check(
    url: str,
    scenario: Path | None,
    ca: Path | None,
    i_own_this_host: str | None,
    form: str,
    output: Path | None,
    **described: Any,
) -> int:
    """Check the chat at URL, such as ws://127.0.0.1:8000/ws/chat/lobby/, while its server runs.

    Members connect, each speaks in turn, and everybody is to hear it once; then strangers try. Nothing is recorded.
    """
    place, options = address.parse(url), Described(**described)
    address.check_own(place, i_own_this_host)
    wanted = _of_file(scenario, options) if scenario else _of_options(place.path or "/", options)
    if ca and not ca.exists():
        raise UsageError(f"there is no certificate {ca}", "name the file of it, in PEM")
    address.check_there(place)
    client = ScenarioClient(wanted)
    server = RunningServer(
        port=place.port, form=client.form, host=place.host, secure=place.secure, certificates=str(ca or "")
    )
    began, chat = time.monotonic(), Chat(client, server)
    found = checked(url, chat, client, talk(chat, client), time.monotonic() - began, bool(scenario))
    text = {"json": _json, "junit": junit, "table": _table}[form](found)
    if output:
        write_atomically(output, text.encode())
    if form == "table" or output:
        _show(found)
    else:
        click.echo(text, nl=False)
    return found.verdict.exit_code


def _json(found: Checked) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def _of_file(path: Path, options: Described) -> Scenario:
    """Return the scenario in the file *path*.

    Raises:
        UsageError: there is none, or *options* say something as well.
    """
    for each in fields(options):
        if getattr(options, each.name):
            raise UsageError(f"the scenario says what --{each.name} says", f"leave it out, or change {path.name}")
    found = read.read(path)
    if found.login and found.login.python:
        raise UsageError(
            f"by {path.name} members log in by Python, which nothing runs for a server that is up already",
            "use `dtws run`, or a scenario in which they log in by a form, or have a cookie",
        )
    return found


def _of_options(path: str, options: Described) -> Scenario:
    """Return the scenario that *options* describe: one connection, on which everybody speaks in turn.

    Raises:
        UsageError: they do not go together.
    """
    people = _people(options)
    headers = dict(map(_header, options.header))
    own = {name: value for name, value in headers.items() if lets_in(name)}
    # Who logs in has another password than what stands in the address.
    path, secrets = _apart(path, ["TOKEN"] if options.login else ["TOKEN", "PASSWORD"])
    given = {"headers": own, **{word.lower(): value for word, value in secrets.items()}}
    people = {name: msgspec.structs.replace(each, **given) for name, each in people.items()}
    connection = ConnectionTable(
        path=path,
        subprotocols=list(options.subprotocol),
        headers={name: value for name, value in headers.items() if name not in own},
    )
    scenario = Scenario(
        pause=options.pause or 0.0,
        login=LoginTable(form=options.login) if options.login else None,
        members=people,
        connections={_ON: connection},
        frames=FramesTable(
            send=options.send or "$TEXT", read=list(options.read), says=_says(options), ignore=list(options.ignore)
        ),
        exchanges=[
            ExchangeTable(sender=name, hears=[each for each in people if options.hears != "others" or each != name])
            for name in people
        ],
    )
    read.check(scenario)
    return scenario


def _people(options: Described) -> dict[str, MemberTable]:
    """Return the members: their names → how they are let in.

    Raises:
        UsageError: there are not as many of one thing as of another.
    """
    users, cookies = options.user, options.cookie
    if bool(users) != bool(options.login):
        raise UsageError("--login and --user belong together", "give the path of the login page, and NAME:PASSWORD")
    if users and options.members not in (None, len(users)):
        raise UsageError(f"{len(users)} log in, and --members is {options.members}", "give --user once for each")
    _whole("--user", users, ":", "password", "ann:secret")
    _whole("--cookie", cookies, "=", "value", "sessionid=abc")
    number = len(users) or options.members or max(3, len(cookies))
    if len(cookies) not in (0, 1, number):
        raise UsageError(f"there are {len(cookies)} cookies for {number} members", "give one for all, or one for each")
    names = [*_NAMES, *(f"member{each}" for each in range(len(_NAMES) + 1, _MOST + 1))][:number]
    found: dict[str, MemberTable] = {}
    for place, name in enumerate(names):
        user, _, password = users[place].partition(":") if users else ("", "", "")
        cookie = cookies[place if len(cookies) > 1 else 0] if cookies else ""
        found[user or name] = MemberTable(user=user, password=password, cookie=cookie)
    if len(found) != number:
        raise UsageError("two members have the same name", "give --user once for each member")
    return found


def _whole(option: str, given: Sequence[str], mark: str, behind: str, example: str) -> None:
    """Make sure that each of what is *given* for *option* has its second half, which is *behind* a *mark*.

    Raises:
        UsageError: one has not.
    """
    for each in given:
        if mark not in each:
            raise UsageError(f"{option} {each} has no {behind}", f"write it like {example}")


def _says(options: Described) -> dict[str, str]:
    """Return what has to stand in the frame of each message: pointers → templates.

    Raises:
        UsageError: one is no pointer, or there twice.
    """
    example = ".user='$USER'"
    _whole("--says", options.says, "=", "value", example)
    found: dict[str, str] = {}
    for where, _, value in (each.partition("=") for each in options.says):
        if not frames.points(where) or where in found:
            why = "is no JSON pointer" if where not in found else "is given twice"
            raise UsageError(f"--says {where}={value}: {where!r} {why}", f"write it like {example}")
        found[where] = value
    return found


def _apart(path: str, words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return *path* with *words* of templates for its secrets, such as ``abc`` of ``?token=abc``; and what they are."""
    found = [each for each in _PARAMETER.finditer(path) if is_secret(each[1]) and each[2]][: len(words)]
    for word, each in reversed(list(zip(words, found, strict=False))):
        path = f"{path[: each.start(2)]}${word}{path[each.end(2) :]}"
    return path, {word: each[2] for word, each in zip(words, found, strict=False)}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"{text!r} is no header", "write it like 'Authorization: Token abc'")
    return name.strip(), value.strip()


def _lines(found: Checked) -> list[tuple[bool | None, str]]:
    """Return what is shown of what was *found*: each line with whether it is good; None for neither."""
    lines: list[tuple[bool | None, str]] = []
    for row in found.exchanges:
        silent = f", not by {', '.join(row.hears_not)}" if row.hears_not else ""
        heard = f"heard by {', '.join(row.hears) or 'nobody'}{silent}"
        if row.good:
            took = f" within {row.latency_ms:.0f} ms" if row.latency_ms is not None else ""
            lines.append((True, f"{row.sender} on {row.on}: {heard}{took}; {_how_sure(row)}"))
        else:
            lines.append((False, f"{row.sender} on {row.on}: to be {heard}"))
            lines += [(False, f"  {fault}") for fault in row.faults[:_FAULTS]]
            if (more := len(row.faults) - _FAULTS) > 0:
                lines.append((False, f"  and {more} more; --format json has all"))
    return [*lines, *((each.good, _answer(each)) for each in found.findings)]


def _answer(finding: Finding) -> str:
    why = f" (expected: {finding.expected})" if finding.good is None else ""
    return f"{finding.question} {finding.seen}{why}"


def _how_sure(row: Row) -> str:
    proved = "proved" if row.proved else ""
    if not row.waited:
        return proved
    waited = f"only waited for, {row.waited_seconds:g} s, on {', '.join(row.waited)}"
    return f"{proved} for {', '.join(row.proved)}, {waited}" if row.proved else waited


def _last(found: Checked) -> str:
    return f"{found.label}: {found.text} ({found.seconds:.1f} s)"


def _table(found: Checked) -> str:
    """Return what was *found* as lines."""
    lines = [f"{sign(good)} {text}" for good, text in _lines(found)]
    return "\n".join([*lines, _last(found), *([f"  {found.hint}"] if found.hint else [])]) + "\n"


def _show(found: Checked) -> None:
    """Print what was *found*, with its colours."""
    out = console()
    for good, text in _lines(found):
        out.print(signed(good), Text(f" {text}"), sep="")
    out.print(Text(_last(found)))
    if found.hint:
        out.print(Text(f"  {found.hint}"))
