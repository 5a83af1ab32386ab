"""Lists that lead to everything: packages with what their releases broke, and all there is to search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.report.advice import Advisor
from harness.report.view import View
from harness.results.explained import Turned
from harness.site.beside import Section

#: What people call something that is called otherwise here: what its text has in it, in small letters → further words.
_ALSO = {
    re.compile(pattern): words
    for pattern, words in {
        r"foreign|origin": "csrf cswsh hijacking cross-site security",
        r"cookie|login|session|logout|password": "authentication auth sign-in security",
        r"comes back|came back|vanish|reset|idle": "reconnect disconnect drop lost timeout",
        r"ping|idle": "heartbeat keepalive keep-alive timeout",
        r"broker|redis": "valkey layer restart",
        r"burst|not read|unread|slow": "backpressure flood queue",
        r"sockets|load|crowd": "performance scale concurrency connections",
        r"closes|closed|close": "disconnect code 1006 1011",
        r"binary|largest|bytes|emoji|text": "payload size limit unicode frame",
        r"proxy|nginx|haproxy": "deploy production reverse load-balancer",
        r"sigterm|stop": "shutdown deploy graceful restart",
        r"twice|missing|lost|order": "delivery duplicate dropped at-most-once",
        r"worker|process": "gunicorn scale multiprocess",
        r"channels": "consumer asgi daphne in-memory pub/sub pubsub layer rooms groups",
        r"^redis\b": "redis-py redispy",
        r"\broom\b": "rooms groups isolation",
        r"reaches|unknown|made-up|listen|private": "isolation leak security authorization",
        r"websocket-redis": "ws4redis uwsgi",
        r"socketio|socket\.io": "socket.io engine.io polling",
    }.items()
}


def also(text: str) -> str:
    """Return what people call what *text* is about, beside the words that stand in it."""
    lower = text.lower()
    return " ".join(words for pattern, words in _ALSO.items() if pattern.search(lower))


@dataclass(frozen=True)
class GuiltyRelease:
    """A release that turned an answer, and the cause it belongs to."""

    turned: Turned
    #: What it turned, the cells in which that is so, their libraries, and the page that says more.
    what: str
    cells: int
    libraries: list[str]
    target: str

    @property
    def bad(self) -> str:
        """The first release with which the answer is not good."""
        return self.turned.bad or f"without {self.turned.package}"

    @property
    def uploaded(self) -> str:
        """The day on which it was uploaded; empty where that is not known."""
        return self.turned.uploaded

    @property
    def pin(self) -> str:
        """The requirement that keeps it away; empty where none can."""
        return self.turned.pin


@dataclass
class Package:
    """A package that was installed in cells."""

    name: str
    versions: list[str] = field(default_factory=list)
    cells: int = 0
    turned: list[GuiltyRelease] = field(default_factory=list)

    @property
    def id(self) -> str:
        """What addresses call it."""
        return str(canonicalize_name(self.name))


def packages(view: View, advisor: Advisor) -> list[Package]:
    """Return every package that was installed in a cell, by its name, with the releases of it that turned an answer."""
    found: dict[str, Package] = {}
    for row in view.rows:
        for name, version in row.result.versions.installed.items() if row.result.versions else ():
            package = found.setdefault(canonicalize_name(name), Package(name))
            package.cells += 1
            if version not in package.versions:
                package.versions.append(version)
    for guilty in _guilty(view, advisor):
        package = found.setdefault(canonicalize_name(guilty.turned.package), Package(guilty.turned.package))
        package.turned.append(guilty)
    for package in found.values():
        package.versions.sort(key=_order)
    return [found[name] for name in sorted(found)]


def _guilty(view: View, advisor: Advisor) -> Iterator[GuiltyRelease]:
    """Yield every release that turned an answer: those of catches and failures by their causes, then the others."""
    told: set[tuple[str, str, str, str]] = set()
    for root in advisor.remedies.roots:
        for turned in {(each.package, each.bad): each for _, cause in root.causes for each in cause.turned}.values():
            mine = [each for each in root.results.values() if each.versions and turned.met(each.versions.installed)]
            libraries = sorted({each.library for each in mine})
            yield GuiltyRelease(turned, root.told, len(mine), libraries, f"causes.html#cause-{root.id}")
        told |= {(name, cause.question, each.package, each.bad) for name, cause in root.causes for each in cause.turned}
    for row in view.rows:
        for cause in row.result.causes:
            for each in cause.turned:
                if (row.name, cause.question, each.package, each.bad) not in told:
                    yield GuiltyRelease(each, cause.text, 1, [row.result.library], f"cells/{row.name}.html#causes")


def _order(version: str) -> tuple[bool, Version | str]:
    try:
        return True, Version(version)
    except InvalidVersion:
        return False, version


def entries(
    view: View, advisor: Advisor, sections: list[Section], of_packages: list[Package]
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, text and address of all that can be looked for."""
    for library in view.libraries:
        yield "library", library.title, f"library/{library.name}.html"
    for row in view.rows:
        pair = f"Python {row.cell.python}, Django {row.cell.django}"
        said = f"{row.name}: {pair}, {row.result.library} under {row.served}, {advisor.label(row)}"
        yield "cell", said, f"cells/{row.name}.html"
    for root in advisor.remedies.roots:
        yield "cause", f"{root.told}: {root.explained or 'not known yet'}", f"causes.html#cause-{root.id}"
    for section in sections:
        for line in section.lines:
            if line.question:
                yield "question", line.name, f"libraries.html#{line.id}"
    for package in of_packages:
        said = "; ".join(f"{each.bad} turned: {each.what}" for each in package.turned)
        place = f"package-{package.id}" if package.turned else f"installed-{package.id}"
        yield "package", package.name + (f" ({said})" if said else ""), f"packages.html#{place}"
