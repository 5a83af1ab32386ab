"""Results of cells, made here and recorded nowhere, each as rich as what a run records.

A sample is asked for by the name of its cell. What came of it stands in :data:`CELLS`; one that is not there works.
The benchmarks read this as well, and have no pytest for what tests share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from msgspec import structs

from harness.cells import Cell
from harness.chat.members import MEMBERS, channel_table
from harness.results.document import encode_result
from harness.results.folder import Reports
from harness.results.installed import Claims, Installation, Pin, Versions
from harness.results.result import (
    SCHEMA,
    Cost,
    Exchange,
    Fault,
    Finding,
    Judgement,
    Measured,
    Probe,
    Result,
    Step,
    UnitTests,
    VariantResult,
    Verdicts,
    as_expected,
)
from harness.verdict import Reason, Verdict
from tests.made import alike

#: Samples by what came of them; of some kinds there are several, of other libraries, servers and profiles.
CELLS = {
    Reason.WORKS: (
        *("py27-django18", "py27-django19", "py36-django22", "py39-django22", "py38-django30-channels2"),
        *("py311-django52-channels4", "py311-django52-channels4-uvicorn", "py311-django52-channels4-pins"),
        *("py313-django61-channels4", "py311-django52-pysocketio", "py311-django52-asgi", "py313-django60-asgi"),
    ),
    Reason.INSTALLATION_FAILED: ("py36-django111-socketio",),
    Reason.MIGRATION_FAILED: ("py313-django51-channels3",),
    Reason.SERVER_DID_NOT_START: ("py39-django30", "py313-django52"),
    Reason.PAGE_FAILED: ("py312-django60-uwsgi",),
    Reason.HANDSHAKE_REFUSED: ("py27-django18-socketio", "py27-django18-socketio-pins"),
    Reason.EXCHANGE_WRONG: ("py36-django32-pysocketio",),
    Reason.INTERPRETER_MISSING: ("py33-django18", "py33-django19", "py34-django18"),
    Reason.ENVIRONMENT_FAILED: ("py35-django19",),
}
#: All of them.
NAMES = tuple(name for names in CELLS.values() for name in names)
#: When each of them was measured.
STARTED = "2026-11-21T15:27:35+00:00"
_DAY = STARTED[:10]


@dataclass(frozen=True)
class _Library:
    """What is said of a library in each of its samples."""

    name: str
    version: str
    #: What the installer is asked for, and what comes.
    requirements: tuple[str, ...]
    added: dict[str, str]
    server: str = "runserver"
    #: The versions that its classifiers name.
    pythons: tuple[str, ...] = ()
    djangos: tuple[str, ...] = ()
    #: Whether Django's development server is another one than the one that carries the chat.
    apart: bool = False
    #: The best known pin, with its reason, and what comes in place of something newer where it holds.
    pin: Pin | None = None
    held: tuple[str, str] = ("", "")
    #: Its other ways to carry the chat.
    variants: tuple[str, ...] = ()
    #: Whether strangers are turned away; they are not by the library of which that is known.
    closed: bool = True


def _packages(*frozen: str) -> dict[str, str]:
    """Return the versions by the names of what is called ``name==version``."""
    return dict(each.split("==") for line in frozen for each in line.split())


_REDIS = _packages("redis==8.1.0 six==1.17.0")
_DAPHNE = _packages(
    "Automat==25.4.16 Incremental==24.11.0 Twisted==26.10.0 attrs==26.1.0 autobahn==26.10.2 cffi==2.1.1",
    "constantly==23.10.4 cryptography==50.0.2 daphne==4.2.3 hyperlink==21.0.0 idna==3.20 msgpack==1.2.4",
    "pyOpenSSL==26.4.0 service-identity==26.1.0 txaio==26.6.1",
)
_UVICORN = _packages(
    "PyYAML==6.0.3 anyio==4.16.0 click==8.5.1 h11==0.16.0 httptools==0.9.0 idna==3.20",
    "uvicorn==0.54.0 uvloop==0.23.0 watchfiles==1.3.0 websockets==17.4",
)
_GEVENT = _packages("gevent==22.10.2 greenlet==2.0.2 zope.event==4.6 zope.interface==5.4.0")


def _channels(generation: int, version: str, *djangos: str) -> _Library:
    """Return a generation of Django Channels."""
    return _Library(
        name=f"channels{generation}",
        version=version,
        requirements=(f"channels>={generation},<{generation + 1}", "channels_redis"),
        added={"channels": version, "channels_redis": "4.3.0", **_DAPHNE, **_REDIS},
        pythons=("3", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14") if djangos else (),
        djangos=djangos,
        pin=Pin(requirement="redis<8", reason="with redis-py 8 the core layer's idle sockets die every five seconds"),
        held=("redis", "7.4.1"),
        variants=tuple(
            f"{consumer} consumer, {layer} layer"
            for layer in ("Redis", "Redis Pub/Sub", "in-memory")
            for consumer in ("sync", "async")
            if (consumer, layer) != ("async", "Redis")
        ),
    )


#: The libraries by the suffix of their cells.
_LIBRARIES = {
    "": _Library(
        name="django-websocket-redis",
        version="0.6.0",
        requirements=("django-websocket-redis==0.6.0",),
        added={"django-websocket-redis": "0.6.0", **_GEVENT, **_REDIS},
        pythons=("2.7", "3.3", "3.4", "3.5", "3.6"),
        djangos=("1.5", "1.6", "1.7", "1.8"),
        closed=False,
    ),
    "socketio": _Library(
        name="django-socketio",
        version="0.3.9",
        requirements=("django-socketio==0.3.9",),
        added={"django-socketio": "0.3.9", "gevent-socketio": "0.2.1", "gevent-websocket": "0.10.1", **_GEVENT},
        server="runserver_socketio",
        apart=True,
        pin=Pin(requirement="gevent-websocket==0.2.3", reason="the last that gevent-socketio 0.2.1 can call"),
        held=("gevent-websocket", "0.2.3"),
        variants=("WebSocket of the draft hixie-76, which no browser speaks any more", "xhr-polling"),
    ),
    "channels2": _channels(2, "2.4.0"),
    "channels3": _channels(3, "3.0.5"),
    "channels4": _channels(4, "4.3.2", "4.2", "5.1", "5.2", "6.0"),
    "pysocketio": _Library(
        name="python-socketio",
        version="5.18.1",
        requirements=("python-socketio", "redis", "uvicorn[standard]"),
        added={"bidict": "0.24.1", "python-engineio": "4.15.1", "python-socketio": "5.18.1", **_UVICORN, **_REDIS},
        server="uvicorn",
        pythons=("3",),
    ),
    "asgi": _Library(
        name="plain-asgi",
        version="",
        requirements=("uvicorn[standard]",),
        added=_UVICORN,
        server="uvicorn",
    ),
}
#: What the command of a server looks like.
_SERVE = {
    "runserver": "manage.py runserver 127.0.0.1:<port> --noreload",
    "runserver_socketio": "manage.py runserver_socketio",
    "uvicorn": "-m uvicorn myapp.asgi:application --host 127.0.0.1 --port <port> --lifespan off",
}
_IDENTIFY = (
    '<cell>/bin/python -c \nimport json, platform, sys\nimport django\nprint(json.dumps({\n    "version": '
    'platform.python_version(),\n    "implementation": platform.python_implementation(),\n    "prefix": sys.prefix,\n'
    '    "site_packages": [path for path in sys.path if path.endswith("site-packages")],\n'
    '    "django": django.get_version(),\n}))\n'
)
#: The step that fails for each reason, with its cause, which names the exception that is found in the output.
_FAILURES = {
    Reason.INSTALLATION_FAILED: ("install", "SyntaxError: invalid syntax"),
    Reason.MIGRATION_FAILED: ("migrate", "ModuleNotFoundError: No module named 'cgi'"),
    Reason.SERVER_DID_NOT_START: (
        "{server}",
        (
            "the server ended with exit status 1 before it answered: ModuleNotFoundError: No module named"
            " 'django.utils.six', which ended as django.core.exceptions.ImproperlyConfigured: WSGI application"
            " 'ws4redis.django_runserver.application' could not be loaded; Error importing module."
        ),
    ),
    Reason.PAGE_FAILED: (
        "pages",
        "/chat/broadcast/ answers with status 500; the server printed: TypeError: view() missing 1 argument: 'request'",
    ),
    Reason.HANDSHAKE_REFUSED: (
        "handshakes",
        (
            "the handshake of admin's chat connection failed: WebSocketConnectionClosedException: Connection to remote"
            " host was lost.; the server printed: TypeError: handle_one_response() got an unexpected keyword argument"
        ),
    ),
    Reason.EXCHANGE_WRONG: (
        "exchanges",
        "3 of 15 exchanges are wrong; first: user from admin to John is missing on John's user connection",
    ),
}
#: What is wrong with the exchanges of a sample in which some are.
_FAULTS = {
    5: [Fault(kind="missing", member="John", connection="user")],
    6: [
        Fault(kind="extra", member="admin", connection="user", text="Hello (…) Mary, this is admin with message 6"),
        Fault(kind="altered", member="Mary", connection="user", text="Hello (…) M?ry, this is admin with message 6"),
    ],
    13: [Fault(kind="out of order", member="Mary", connection="group")],
}
_FRAMES = (
    ("<cell>/lib/python3.9/site-packages/django/core/management/__init__.py", 401, "execute_from_command_line"),
    ("<cell>/lib/python3.9/site-packages/django/core/management/base.py", 328, "run_from_argv"),
    ("<cell>/lib/python3.9/site-packages/django/core/management/base.py", 369, "execute"),
    ("<cell>/lib/python3.9/site-packages/django/core/management/commands/runserver.py", 137, "inner_run"),
    ("<python>/lib/python3.9/importlib/__init__.py", 127, "import_module"),
    ("<frozen importlib._bootstrap>", 1030, "_gcd_import"),
    ("<frozen importlib._bootstrap_external>", 850, "exec_module"),
)


def write(folder: Path, *cells: str) -> Reports:
    """Write the samples of *cells* into the reports folder *folder*, or all of them; return it."""
    reports = Reports(folder)
    reports.results.mkdir(parents=True, exist_ok=True)
    for cell in cells or NAMES:
        reports.result(cell).write_bytes(encode_result(of(cell)))
    return reports


@cache
def of(name: str) -> Result:
    """Return the sample of the cell called *name*."""
    cell = Cell.parse(name)
    reason = next((reason for reason, names in CELLS.items() if name in names), Reason.WORKS)
    known = {suffix for suffix in cell.suffixes if suffix in _LIBRARIES}
    library = _LIBRARIES[known.pop() if known else ""]
    pinned = cell.suffixes[-1:] == ("pins",)
    servers = [suffix for suffix in cell.suffixes if suffix not in {*_LIBRARIES, "pins"}]
    library = replace(library, server=servers[0] if servers else library.server)
    if reason.verdict is Verdict.NOT_TESTED:
        return _not_tested(cell, library, pinned, reason)
    return _Tested(cell, library, pinned, reason).result()


def _not_tested(cell: Cell, library: _Library, pinned: bool, reason: Reason) -> Result:
    text = f"no Python {cell.python} found" if reason is Reason.INTERPRETER_MISSING else "tox could not make it"
    excerpt = "" if reason is Reason.INTERPRETER_MISSING else "error: no space left\n  while unpacking pip\n"
    judgement = Judgement.of(reason, text)
    return Result(
        schema=SCHEMA,
        cell=cell.name,
        library=library.name,
        server=library.server,
        profile="pins" if pinned else "today",
        broker="",
        verdicts=alike(judgement),
        versions=None,
        installation=None,
        steps=[Step(name="environment", outcome="failed", cause=text, excerpt=excerpt)] if excerpt else [],
        unit_tests=None,
        warnings=[],
        exchanges=[],
        isolation=[],
        probes=[],
        varying=Measured(started=STARTED, seconds={}),
        complete=True,
    )


@dataclass(frozen=True)
class _Tested:
    """A cell that could be tried, and how far it came."""

    cell: Cell
    library: _Library
    pinned: bool
    reason: Reason

    @property
    def works(self) -> bool:
        return self.reason is Reason.WORKS

    @property
    def failing(self) -> tuple[str, str]:
        """The step that fails, with its cause; neither where it works."""
        step, cause = _FAILURES.get(self.reason, ("", ""))
        return step.format(server=self.library.server), cause

    def came_to(self, step: str) -> bool:
        """Tell whether the cell came so far as to take *step*."""
        return step in (each.name for each in self.steps)

    def result(self) -> Result:
        connected = self.works or self.reason is Reason.EXCHANGE_WRONG
        return Result(
            schema=SCHEMA,
            cell=self.cell.name,
            library=self.library.name,
            server=self.library.server,
            profile="pins" if self.pinned else "today",
            broker="embedded",
            verdicts=self.verdicts,
            versions=self.versions,
            installation=self.installation,
            steps=self.steps,
            unit_tests=self.unit_tests if self.came_to("test") else None,
            warnings=self.warnings if self.came_to("check") else [],
            exchanges=self.exchanges if connected else [],
            isolation=self.isolation if self.works else [],
            sets=self.sets if self.works and self.library.variants else [],
            variants=self.variants if self.came_to("handshakes") else [],
            probes=self.probes if self.came_to("handshakes") else [],
            varying=self.varying,
            complete=True,
        )

    @property
    def verdicts(self) -> Verdicts:
        good, failed = Judgement.of(Reason.WORKS), Judgement.of(self.reason, self.text)
        apart = good if self.library.apart and self.came_to("runserver") else None
        if self.works:
            right = Judgement.of(Reason.WORKS, "15 of 15 exchanges right")
            return Verdicts(django_server=apart, web_server=good, channels=right, overall=right)
        later = Judgement.of(Reason.EARLIER_STEP_FAILED, str(self.reason))
        if self.reason in (Reason.INSTALLATION_FAILED, Reason.MIGRATION_FAILED):
            return Verdicts(django_server=apart, web_server=later, channels=later, overall=failed)
        if self.reason in (Reason.SERVER_DID_NOT_START, Reason.PAGE_FAILED):
            return Verdicts(django_server=apart, web_server=failed, channels=later, overall=failed)
        return Verdicts(django_server=apart, web_server=good, channels=failed, overall=failed)

    @property
    def text(self) -> str:
        step, cause = self.failing
        return f"migrate failed: {cause}" if step == "migrate" else cause

    @property
    def added(self) -> dict[str, str]:
        return {**self.library.added, **dict([self.library.held] if self.pinned else [])}

    @property
    def installed(self) -> bool:
        return self.reason is not Reason.INSTALLATION_FAILED

    @property
    def versions(self) -> Versions:
        known = {"Django": f"{self.cell.django}.19", "coverage": "7.17.3", "pip": "26.2.1", "sqlparse": "0.6.1"}
        return Versions(
            python=f"{self.cell.python}.7",
            implementation="CPython",
            django=known["Django"],
            library=(self.library.version or known["Django"]) if self.installed else "",
            broker="Valkey 9.1.2" if self.installed else "",
            harness="0.1.0",
            installer="uv 0.13.8" if self.installed else "",
            installed={**known, **(self.added if self.installed else {})},
        )

    @property
    def installation(self) -> Installation | None:
        if not self.installed:
            return None
        pins = [self.library.pin] if self.pinned and self.library.pin else []
        return Installation(
            requirements=[*self.library.requirements, *(pin.requirement for pin in pins)],
            pins=pins,
            added=[f"{name}=={version}" for name, version in self.added.items()],
            added_bytes=1_620_000 * len(self.added) + 4321,
            claims=Claims(
                version=self.library.version or self.versions.django,
                requires_python=">=3.8" if "3" in self.library.pythons else "",
                pythons=list(self.library.pythons),
                djangos=list(self.library.djangos),
            ),
        )

    @property
    def steps(self) -> list[Step]:
        """The steps up to the one that fails, and what is done all the same; whatever was started is stopped."""
        steps = []
        for step in self.planned:
            fails = step.name == self.failing[0]
            steps.append(self.failed(step) if fails else step)
            if fails:
                break
        names = {step.name for step in steps if step.outcome == "ok" or step.name == "handshakes"}
        if "handshakes" in names:
            steps += self.further
        if self.library.server in names:
            steps.append(_step(f"stop {self.library.server}", "by SIGINT, 9 sockets open"))
        return steps

    @property
    def planned(self) -> list[Step]:
        """The steps up to the verdict, as they are where all is well."""
        python, django = "<cell>/bin/python", f"{self.cell.django}.19"
        asked = " ".join((*self.library.requirements, f"Django=={django}"))
        checked = _step("check", "", f"{python} -Wd manage.py check")
        if self.library.name == "python-socketio":
            # What fails here decides nothing.
            checked = structs.replace(checked, outcome="failed", exit_status=1, cause="SystemCheckError: 1 issue")
        apart = [
            _step("runserver", "answers", f"{python} -Wd {_SERVE['runserver']}", None),
            _step("stop runserver", "by SIGINT, 0 sockets open"),
        ]
        return [
            _step("identify", f"Python {self.cell.python}.7, Django {django}", _IDENTIFY),
            _step("install", "", f"<harness>/bin/uv pip install --no-progress --python {python} {asked}"),
            _step("migrate", "", f"{python} manage.py migrate --noinput"),
            _step("loaddata", "", f"{python} manage.py loaddata data.json"),
            checked,
            _step("test", "11 run, 0 failed, 1 skipped", f"{python} -m coverage run --source=. manage.py test"),
            *(apart if self.library.apart else []),
            _step(self.library.server, "answers", self.serve, None),
            _step("log in", "admin, John, Mary"),
            _step("pages", "/ 200, /chat/broadcast/ 200, /chat/user/ 200, /chat/group/ 200"),
            _step("handshakes", "9 connections stand"),
            _step("exchanges", "15 of 15 right"),
            _step("isolation", as_expected(self.isolation)),
        ]

    @property
    def further(self) -> list[Step]:
        """The steps that decide nothing: the other ways, and what was asked for."""
        tried = [
            _step(f"variant {number}", each.name)
            if each.judgement.reason is Reason.WORKS
            else Step(name=f"variant {number}", outcome="failed", text=each.name, cause=each.judgement.text)
            for number, each in enumerate(self.variants, 1)
        ]
        names = [f"{self.library.server} for browsers", f"{self.library.server} for browsers again"]
        again = [_step(name, "answers", self.serve, None) for name in names]
        return [*tried, *again, *(_step(f"probe {each.name}", as_expected(each.findings)) for each in self.probes)]

    @property
    def serve(self) -> str:
        """The command of the server."""
        server = self.library.server
        return f"<cell>/bin/python -Wd {_SERVE.get(server, f'-m {server} myapp.asgi:application --port <port>')}"

    def failed(self, step: Step) -> Step:
        """Return the step that decides the verdict, with the lines of its output that show why."""
        cause = self.failing[1]
        first, _, then = cause.partition(", which ended as ")
        error = re.search(r"\w+Error: .*", first)
        # Nothing is printed of messages that do not come.
        excerpt = _traceback(error[0], then) if error else ""
        exit_status = None if step.exit_status is None else 1
        return structs.replace(step, outcome="failed", text="", exit_status=exit_status, cause=cause, excerpt=excerpt)

    @property
    def unit_tests(self) -> UnitTests:
        names = ("compat", "pages", "runner", "settings", "testing", "urls", "wsgi", "tests", "views", "asgi")
        files = [f"{folder}/{name}.py" for folder in ("DjangoTestWebsockets", "chatserver") for name in names]
        lines = [f"{name:<34}{10 + 7 * place:>6}{place:>7}{100 - place:>6}%" for place, name in enumerate(files)]
        rule = "-" * len(lines[0])
        table = "\n".join(
            (f"{'Name':<34} Stmts   Miss  Cover", rule, *lines, rule, f"{'TOTAL':<34}   217     26    88%")
        )
        return UnitTests(ran=11, failed=0, skipped=1, coverage_percent=88.0, table=table)

    @property
    def warnings(self) -> list[str]:
        """What Django had to say of the old library of which that is known."""
        if not self.library.apart:
            return []
        place = f"<cell>/lib/python{self.cell.python}/site-packages/django_socketio/urls.py"
        return [
            f"{place}:4: RemovedInDjango19Warning: django.utils.importlib will be removed in Django 1.9.",
            f"{place}:17: RemovedInDjango110Warning: django.conf.urls.patterns() is deprecated.",
        ]

    @property
    def exchanges(self) -> list[Exchange]:
        wrong = {} if self.works else _FAULTS
        return [
            Exchange(
                number=row.number,
                channel=row.channel,
                sender=row.sender,
                audience=row.audience,
                recipients=list(row.recipients),
                transport="WebSocket" if row.channel == "broadcast" else "POST",
                good=row.number not in wrong,
                faults=wrong.get(row.number, []),
            )
            for row in channel_table()
        ]

    @property
    def isolation(self) -> list[Finding]:
        private, closed = "nothing meant for others", self.library.closed
        refused = "refused: status 403"
        heard, received = "the private messages to John, chatusers", "received by John, Mary, admin"
        return [
            _finding("What reaches an unknown client that subscribes to user messages?", private, "nothing private"),
            _finding("What reaches an unknown client that subscribes to group messages?", private, "nothing private"),
            _finding("What reaches Mary, who asks for John's channel?", private, "nothing private"),
            _finding(
                "What reaches a page of a foreign Origin, with John's cookie?",
                "the connection is refused",
                refused if closed else heard,
                closed,
            ),
            _finding(
                "Can an unknown client broadcast through a WebSocket?",
                "no member receives it",
                refused if closed else received,
                closed,
            ),
            _finding("Can an unknown client post a message to a page?", "it is sent to the login page"),
        ]

    @property
    def sets(self) -> list[Probe]:
        ways = ("async consumer, Redis layer", *self.library.variants)
        asked = {
            "An echo": "comes back",
            "A message in a room": "is seen once by all who are in it",
            "The same message in another room": "is not seen",
        }
        found = [_finding(f"{what} ({way})", expected) for way in ways for what, expected in asked.items()]
        return [Probe(name="rooms", findings=found)]

    @property
    def variants(self) -> list[VariantResult]:
        """The other ways; where the cell works the last of them has something wrong, or else all are refused."""
        right = Judgement.of(Reason.WORKS, "15 of 15 exchanges right")
        wrong = Judgement.of(Reason.EXCHANGE_WRONG, _FAILURES[Reason.EXCHANGE_WRONG][1])
        refused = Judgement.of(Reason.HANDSHAKE_REFUSED, "the handshake of admin's chat connection failed: no answer")
        rows = replace(self, reason=Reason.EXCHANGE_WRONG).exchanges
        found = [VariantResult(name=name, judgement=right if self.works else refused) for name in self.library.variants]
        if self.works and found:
            found[-1] = VariantResult(name=self.library.variants[-1], judgement=wrong, exchanges=rows)
        return found

    @property
    def probes(self) -> list[Probe]:
        """The probes: all of them where the chat works, and what browsers see where it does not."""
        seen = "15 of 15 are seen" if self.works else "no page connects within 10 s; they say: connecting"
        browser = [
            _finding("An anonymous visitor", "sees the login form, and no chat"),
            _finding(
                "The fifteen exchanges, typed and clicked in three browsers", "15 of 15 are seen", seen, self.works
            ),
            _finding("Errors on the browsers' consoles", "none"),
            _finding("A page whose server is away", "says that the connection is lost"),
            _finding("The same page once the server is back", "shows what is said then, without a reload"),
        ]
        if not self.works:
            return [Probe(name="browser", findings=browser[:3])]
        found = [Probe(name="payloads", findings=_payloads()), Probe(name="delivery", findings=_delivery())]
        found.append(Probe(name="browser", findings=browser))
        if self.library.name == "plain-asgi":
            quiet = [_finding(f"Messages of a quiet chat by {each}", "all are received") for each in _costs()]
            found.append(Probe(name="transports", findings=quiet))
        return found

    @property
    def varying(self) -> Measured:
        steps = [step.name for step in self.steps]
        asked = [name.removeprefix("probe ") for name in steps if name.startswith("probe ")]
        connected = self.works or self.reason is Reason.EXCHANGE_WRONG
        stopped = "SIGINT, exit status 0, after 0.2 s; open sockets: 9 closed by the server with 1012"
        return Measured(
            started=STARTED,
            seconds={name: round(0.4 + 0.317 * place, 3) for place, name in enumerate(steps)},
            install_seconds=3.017 if self.installed else None,
            installed_on=_DAY if self.installed else None,
            latency_ms=_latencies() if connected else {},
            late=[9] if connected else [],
            fences_sent=24 if connected else 0,
            exchanges_seconds=0.34 if connected else None,
            stopped={name.removeprefix("stop "): stopped for name in steps if name.startswith("stop ")},
            repeated=[f"{self.library.server}: the port was taken, another one was tried"] if self.pinned else [],
            probed_on=dict.fromkeys(asked, _DAY),
            counted=_COUNTED if "delivery" in asked else {},
            tools={"browser": "Chromium 156.0.8078.79"} if "browser" in asked else {},
            costs=_costs() if "transports" in asked else {},
            startup_output=_STARTUP.format(django=self.cell.django) if self.came_to("log in") else "",
        )


_STARTUP = (
    "Performing system checks...\n\nSystem check identified no issues (0 silenced).\nNovember 21, 2026 - 15:27:49\n"
    "Django version {django}.19, using settings 'chatserver.settings'\n"
    "Starting development server at http://127.0.0.1:<port>/\nQuit the server with CONTROL-C."
)
_COUNTED = {
    "A message sent right after somebody's handshake": "10 of 100 lost",
    "A burst of 50 messages": "of 500 in 10 bursts 1 kept back, 0 of them lost",
}


def _step(name: str, text: str = "", command: str = "", exit_status: int | None = 0) -> Step:
    """Return a step that went well; one without a command of its own has no exit status."""
    return Step(name=name, outcome="ok", text=text, command=command, exit_status=exit_status if command else None)


def _traceback(error: str, then: str) -> str:
    """Return the lines that end with an exception; where there is another one behind it, both."""
    frames = [f'  File "{file}", line {number}, in {what}\n    {what}(*args)' for file, number, what in _FRAMES]
    shown = ["Traceback (most recent call last):", *frames, error]
    if then:
        cross = "\nThe above exception was the direct cause of the following exception:\n"
        shown += [cross, shown[0], "… 5 lines left out …", *frames[3:], then]
    return "\n".join(shown)


def _finding(
    question: str, expected: str, seen: str = "", good: bool | None = True, *, chance: bool = False
) -> Finding:
    """Return what was found; what was seen is what was expected, unless something else is named."""
    return Finding(question=question, expected=expected, seen=seen or expected, good=good, chance=chance)


def _payloads() -> list[Finding]:
    found = []
    for what in ("non-ASCII text", "emoji", "quotes", "markup", "a line", "40 kB", "200 kB"):
        for way in ("WebSocket", "POST"):
            found.append(_finding(f"{what} by {way}", "arrives unaltered"))
    found[-1] = _finding("200 kB by POST", "arrives unaltered", "refused: POST /chat/user/ answers with 500", False)
    found.append(_finding("empty text by POST", "arrives, or is ignored", "nothing arrives", None))
    return found


def _delivery() -> list[Finding]:
    lost = "can be lost: it is not subscribed yet"
    return [
        _finding("A message sent right after somebody's handshake", "is received", lost, False, chance=True),
        _finding("A burst of 50 messages", "all are received at once", chance=True),
        _finding("The order of a burst", "kept"),
        _finding("A connection that is idle for 12 s", "stays open, and receives what comes then"),
        _finding("A message sent while somebody was away, with keeping off", "is not received on return"),
        _finding("A message sent while somebody was away, with keeping on", "the last one is received on return"),
    ]


def _costs() -> dict[str, Cost]:
    return {
        "WebSocket": Cost(requests=0.0, bytes=93, latency_ms=1.3),
        "polling each 1 s": Cost(requests=1.57, bytes=615, latency_ms=608.3),
        "long polling": Cost(requests=1.0, bytes=456, latency_ms=1.9),
    }


def _latencies() -> dict[str, dict[str, float]]:
    return {
        str(row.number): {
            member: round(1 + row.number * 0.37 + MEMBERS.index(member) * 0.11, 2) for member in row.recipients
        }
        for row in channel_table()
    }
