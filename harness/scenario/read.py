"""Read a scenario: what is wrong with it is told with its line, and with what to do about it."""

from __future__ import annotations

import difflib
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.scenario import frames
from harness.scenario.model import ConnectionTable, ExchangeTable, MemberTable, Scenario

#: Letters of the largest scenario.
_LIMIT = 200_000
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
#: What msgspec says: the fault, and the place, such as ``$.exchanges[1].from``.
_SAID = re.compile(r"(?P<fault>.*?)(?: - at `(?:key in )?\$(?P<place>[^`]*)`)?$", re.DOTALL)
_PLACE = re.compile(r"\.([\w-]+)|\[(\d+)\]|(\[\.\.\.\])")
#: The tables whose own tables have names that are chosen.
_NAMED = {"members": MemberTable, "connections": ConnectionTable}
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")

#: Where something stands: the names and numbers that lead there.
Place = Sequence[str | int]


class BadScenario(UsageError):
    """A scenario that cannot be used; the message names the file and the line."""


def read(path: Path) -> Scenario:
    """Return the scenario in the file *path*.

    Raises:
        UsageError: there is no such file.
        BadScenario: it is no scenario, or does not make sense.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"there is no scenario {path}", "`dtws new` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return parse(text, path.name)


def parse(text: str, name: str = "chat.toml") -> Scenario:
    """Return the scenario that *text* is; *name* is what its file is called.

    Raises:
        BadScenario: it is none, or does not make sense.
    """
    if len(text) > _LIMIT:
        raise BadScenario(f"{name} is too long for a scenario: {len(text)} letters")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"{name} is no TOML: {error}", "https://toml.io shows how it is written") from error
    try:
        scenario = msgspec.convert(values, Scenario)
    except msgspec.ValidationError as error:
        raise _not_valid(str(error), text, name, values) from error
    for place, fault, hint in _senseless(scenario):
        raise BadScenario(f"{name}, line {line_of(text, place)}: {fault}", hint)
    return scenario


def check(scenario: Scenario) -> None:
    """Make sure that a *scenario* makes sense that comes from no file.

    Raises:
        UsageError: it does not.
    """
    for _, fault, hint in _senseless(scenario):
        raise UsageError(fault, hint)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario (draft 2020-12)."""
    found = msgspec.json.schema(Scenario)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A scenario of dtws", **found}


def _not_valid(said: str, text: str, name: str, values: dict[str, Any]) -> BadScenario:
    """Return what msgspec *said* of *text*, whose *values* are those of TOML, with the line."""
    match = _SAID.fullmatch(said)
    assert match is not None
    fault = match["fault"]
    place = _place(match["place"] or "", values)
    hint = "`dtws schema` prints all that may stand in a scenario"
    if unknown := _UNKNOWN.fullmatch(fault):
        near = difflib.get_close_matches(unknown[1], _keys(place), 1)
        return BadScenario(
            f"{name}, line {line_of(text, [*place, unknown[1]])}: there is no key {unknown[1]!r} here",
            f"did you mean {near[0]}?" if near else hint,
        )
    named = (f"number {each + 1}" if isinstance(each, int) else str(each) for each in place)
    where = ", ".join(named) or "the whole file"
    return BadScenario(f"{name}, line {line_of(text, place)}: {where}: {fault[:1].lower()}{fault[1:]}", hint)


def _place(said: str, values: dict[str, Any]) -> list[str | int]:
    """Return the place that msgspec *said*, which leaves out the names of members and connections."""
    place: list[str | int] = []
    for key, number, name in _PLACE.findall(said):
        if not name:
            place.append(key or int(number))
        elif (kind := _NAMED.get(str(place[0]))) is not None:
            tables = values[str(place[0])]
            place.append(next((each for each in tables if not _valid(tables[each], kind)), ""))
    return place


def _valid(value: Any, kind: type) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _keys(place: Place) -> list[str]:
    """Return the keys that may stand in the table at *place*."""
    node: dict[str, Any] = {"$ref": "#/$defs/Scenario"}
    found = msgspec.json.schema(Scenario)
    for part in [*place, None]:
        node = _resolved(node, found["$defs"])
        if part is None:
            return list(node.get("properties", {}))
        node = node.get("items", {}) if isinstance(part, int) else _inside(node, part)
    return []


def _inside(node: dict[str, Any], part: str) -> dict[str, Any]:
    inside: dict[str, Any] = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    return inside


def _resolved(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Return what *node* refers to, or one of what it may be that has keys."""
    while True:
        if "$ref" in node:
            node = defs[node["$ref"].rpartition("/")[2]]
        elif options := [each for each in node.get("anyOf", ()) if each.get("type") != "null"]:
            node = options[0]
        else:
            return node


def line_of(text: str, place: Place) -> int:
    """Return the number of the line in the TOML *text* where *place* stands, or what is nearest above it."""
    best, depth = 1, 0
    for number, here in _places(text):
        same = 0
        for wanted, found in zip(place, here, strict=False):
            if wanted != found:
                break
            same += 1
        if same == len(here) and same > depth:
            best, depth = number, same
    return best


def _places(text: str) -> Iterator[tuple[int, list[str | int]]]:
    """Yield each line that begins a table or a key, with the place that it begins."""
    table: list[str | int] = []
    counts: dict[str, int] = {}
    until = ""
    for number, line in enumerate(text.splitlines(), 1):
        if until:  # in a text of several lines nothing begins
            until = "" if until in line else until
            continue
        if header := _HEADER.match(line):
            names = _names(header[2])
            if header[1] == "[[":
                key = ".".join(names)
                counts[key] = counts.get(key, -1) + 1
                table = [*names, counts[key]]
            else:
                table = list(names)
            yield number, table
        elif key_found := _KEY.match(line):
            yield number, [*table, *_names(key_found[1])]
            rest = line[key_found.end() :]
            until = next((each for each in ('"""', "'''") if rest.count(each) == 1), "")


def _names(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


#: What is wrong: where, in one sentence, and what to do about it.
_Fault = tuple[Place, str, str]


def _senseless(scenario: Scenario) -> Iterator[_Fault]:
    """Yield what a scenario says that cannot be."""
    members, connections = ", ".join(scenario.members), ", ".join(scenario.connections)
    for name, connection in scenario.connections.items():
        for member in connection.members or ():
            if member not in scenario.members:
                yield ["connections", name, "members"], f"there is no member {member!r}", f"the members are {members}"
        if connection.send and "TEXT" not in frames.words_in(connection.send):
            yield ["connections", name, "send"], "the frame has no $TEXT in it", _NO_TEXT
    yield from _wrong_frames(scenario)
    for number, exchange in enumerate(scenario.exchanges):
        yield from _wrong_exchange(scenario, number, exchange, members, connections)
    known = [each.name for each in scenario.exchanges if each.name]
    for each in scenario.fence or ():
        if each not in known:
            hint = f"exchanges have these names: {', '.join(known)}" if known else "give an exchange a name"
            yield ["fence"], f"there is no exchange called {each!r}", hint
    yield from _wrong_server(scenario)
    yield from _wrong_tickets(scenario)
    login = scenario.login
    if login and bool(login.form) == bool(login.python):
        yield ["login"], "members log in by a form or by Python, not by both", "leave one of them"


_WORDS = re.compile(r"\$[A-Z]+\b")
_ESCAPE = "escape what is to be taken as it is"
_POINTERS = {
    "read": "write it as /message or .message",
    "ignore": 'write it as { "/type" = "welcome" }',
    "says": 'write it as { "/user" = "$USER" }',
}
_NO_TEXT = 'put $TEXT where the message stands, as in \'{"message": "$TEXT"}\''


def _wrong_server(scenario: Scenario) -> Iterator[_Fault]:
    commands = [("serve", scenario.server.serve), ("test", scenario.server.test)]
    for key, command in [*(("prepare", each) for each in scenario.server.prepare), *commands]:
        try:
            if not shlex.split(command) and key == "prepare":
                raise ValueError("it is empty")
        except ValueError as error:
            yield ["server", key], f"{command!r} is no command: {error}", "quote it as a shell has it"
    serve = scenario.server.serve
    if serve and "{port}" not in serve:
        yield (
            ["server", "serve"],
            "the command does not say where {port} goes",
            "each run has a port of its own: add it",
        )


def _wrong_tickets(scenario: Scenario) -> Iterator[_Fault]:
    for name, connection in scenario.connections.items():
        place, ticket = ["connections", name, "ticket"], connection.ticket
        if "TICKET" in frames.words_in(connection.path) and ticket is None:
            fault = "the path has a $TICKET in it, and nothing says where it comes from"
            yield place, fault, "add a ticket"
        if ticket and not frames.points(ticket.read) and (fault := _no_pattern(ticket.read)):
            yield place, fault, _ESCAPE


def _no_pattern(pattern: str) -> str:
    """Return why *pattern* is no regular expression; empty where it is one."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return ""


def _wrong_frames(scenario: Scenario) -> Iterator[_Fault]:
    table = scenario.frames
    if "TEXT" not in frames.words_in(table.send):
        yield ["frames", "send"], "the frame has no $TEXT in it", _NO_TEXT
    read_at = [table.read] if isinstance(table.read, str) else table.read
    ignored_at = [key for each in table.ignore if not isinstance(each, str) for key in each]
    pointers: list[tuple[list[str | int], str]] = [(["frames", "read"], each) for each in read_at]
    pointers += [(["frames", "ignore"], each) for each in ignored_at]
    for place, says in _said_beside(scenario):
        pointers += [(place, each) for each in says]
        for word in filter(None, map(_no_words, says.values())):
            yield place, f"{word} stands for nothing", f"known are {', '.join(f'${each}' for each in frames.WORDS)}"
    for place, where in pointers:
        if place[-1] == "ignore" and frames.ALL in frames.pointer(where).split("/"):
            yield place, f"{where!r} has a part {frames.ALL}, which stands for several", "name one, by its number"
        if not frames.points(where):
            yield place, f"{where!r} is no JSON pointer", _POINTERS[str(place[-1])]
    patterns = [("ignore", each) for each in table.ignore if isinstance(each, str)]
    for key, pattern in [*patterns, *([("match", table.match)] if table.match else [])]:
        if fault := _no_pattern(pattern):
            yield ["frames", key], fault, _ESCAPE
        elif key == "match" and (groups := re.compile(pattern).groups) != 1:
            yield ["frames", key], f"{pattern!r} has {groups} groups", "put parentheses around the message alone"


def _no_words(template: str) -> str:
    """Return the first word of *template* that stands for nothing; empty where all do."""
    return next((each for each in _WORDS.findall(template) if each[1:] not in frames.WORDS), "")


def _said_beside(scenario: Scenario) -> Iterator[tuple[list[str | int], Mapping[str, str]]]:
    """Yield each table of what frames have to say beside the message, with its place."""
    yield ["frames", "says"], scenario.frames.says
    for name, connection in scenario.connections.items():
        yield ["connections", name, "says"], connection.says
    for number, exchange in enumerate(scenario.exchanges):
        yield ["exchanges", number, "says"], exchange.says


def _wrong_exchange(
    scenario: Scenario, number: int, exchange: ExchangeTable, members: str, connections: str
) -> Iterator[_Fault]:
    place: list[str | int] = ["exchanges", number]
    hears = [] if isinstance(exchange.hears, str) else exchange.hears
    if isinstance(exchange.hears, str) and exchange.hears != "all":
        yield [*place, "hears"], f"{exchange.hears!r} is no list of members", 'write ["ann", "bob"], or "all"'
    for key, name in [("from", exchange.sender), *(("hears", each) for each in hears)]:
        if name not in scenario.members:
            yield [*place, key], f"there is no member {name!r}", f"the members are {members}"
    named = [*([("on", exchange.on)] if exchange.on else []), *(("hears_on", each) for each in exchange.hears_on or ())]
    for key, name in named:
        if name not in scenario.connections:
            yield [*place, key], f"there is no connection {name!r}", f"the connections are {connections}"
            return
    said_on = scenario.said_on(exchange)
    if exchange.post and exchange.on:
        yield [*place, "on"], "it is posted, so it is said on no connection", "leave out on, or post"
    if said_on and exchange.sender not in scenario.holders(said_on):
        hint = f"those who do are {', '.join(scenario.holders(said_on))}"
        yield [*place, "from"], f"{exchange.sender} does not hold the connection {said_on}", hint
    holding = {member for each in scenario.heard_on(exchange) for member in scenario.holders(each)}
    for name in hears:
        if name not in holding:
            on = ", ".join(scenario.heard_on(exchange))
            yield (
                [*place, "hears"],
                f"{name} holds no connection on which it is heard ({on})",
                "name another with hears_on",
            )
    words = [exchange.body, *exchange.form.values()] if exchange.post else [exchange.send or "$TEXT"]
    if not any("TEXT" in frames.words_in(each) for each in words):
        yield [*place, "post" if exchange.post else "send"], "what is sent has no $TEXT in it", _NO_TEXT
    if exchange.form and exchange.body:
        yield [*place, "body"], "a form has no body of its own", "leave out one of them"
