"""Run one cell from its name to its result."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from filelock import FileLock, Timeout

from harness import ROOT, __version__, broker, install, output, processes, serve, verdicts
from harness.cells import Cell
from harness.errors import AlreadyRunning, CellFailure, HarnessError
from harness.install import Identity, Installed
from harness.libraries import Subject
from harness.libraries.base import Library
from harness.load.model import LADDER
from harness.result import (
    SCHEMA,
    Judgement,
    Measured,
    Reason,
    Result,
    Step,
    UnitTests,
    Verdicts,
    Versions,
)
from harness.scrub import Scrubber
from harness.serve import Served, Site
from harness.steps import Recorder, Watcher

#: Seconds for each of Django's commands.
DEADLINES = {"migrate": 120.0, "loaddata": 60.0, "check": 60.0, "test": 300.0}

#: Variables of the host that mean something else to an installer.
_FOREIGN = ("PYTHON", "DJANGO_", "VIRTUAL_ENV", "COVERAGE_", "TOX_", "_TOX", "HARNESS_", "CHAT_")
#: The variables of the host that a cell's own programs get: none of them is a secret.
_KNOWN = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
_KNOWN_PREFIXES = ("LC_", "STARTED_BY_")
#: How long a text of a result may be that is no excerpt.
_TEXT = 600
_FAULT_TEXT = 100
#: How many deprecation warnings a result lists.
_WARNINGS = 60


@dataclass(frozen=True)
class Request:
    """What is asked for: a cell, its interpreter, and how to go about it."""

    cell: Cell
    subject: Subject
    python: Path
    reports: Path
    probes: list[str]
    redis_url: str | None = None
    #: The exact versions to install, instead of what is resolved today.
    frozen: list[str] | None = None
    #: The most sockets of a load run.
    sockets: int = LADDER[-1]

    @property
    def library(self) -> Library:
        """The library under test."""
        return self.subject.library


def run(request: Request, watcher: Watcher) -> Result:
    """Run the cell and return its result; the evidence is in place, the result is not yet saved.

    Whoever calls this holds the cell with :func:`locked`, until the result is saved.

    Raises:
        HarnessError: the harness or the machine is at fault; there is no result.
    """
    with processes.owning(ROOT), _folders(request) as (work, evidence):
        return _Run(request, watcher, work, evidence).run()


@contextmanager
def locked(reports: Path, cell: str) -> Iterator[None]:
    """Hold *cell*: nobody else runs it, nor replaces its result, until the block is left.

    Raises:
        AlreadyRunning: another process holds it.
        HarnessError: the reports folder cannot be written to.
    """
    folder = reports / "evidence"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{cell}.lock", blocking=False)
        lock.acquire()
    except Timeout as error:
        raise AlreadyRunning(f"{cell} is being run by another process", "wait until that has ended") from error
    except OSError as error:
        raise HarnessError(
            f"reports cannot be written: {error.strerror}", "make room, or make the reports folder writable"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _folders(request: Request) -> Iterator[tuple[Path, Path]]:
    """Yield a working folder and one for evidence, which takes its place when all went well."""
    final = request.reports / "evidence" / request.cell.name
    partial, work = final.with_name(f".{final.name}.partial"), final.with_name(f".{final.name}.work")
    try:
        for folder in (partial, work):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        try:
            yield work, partial
        finally:
            shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
    except OSError as error:
        raise HarnessError(f"evidence cannot be written: {error.strerror}", "make room on the disk") from error


class _Run:
    def __init__(self, request: Request, watcher: Watcher, work: Path, evidence: Path) -> None:
        self.request = request
        self.started = datetime.now(UTC)
        self.work, self.evidence = work, evidence
        env_dir = request.python.parent.parent
        self.project = request.library.project(ROOT)
        places = {env_dir: "<cell>", self.project: "<project>", ROOT: "<project>", work: "<work>"}
        self.scrub = Scrubber({**places, Path(sys.prefix): "<harness>"})
        self.recorder = Recorder(work, evidence, self.scrub, watcher)
        self.env = environment()
        self.warnings: list[str] = []
        self.unit_tests: UnitTests | None = None
        self.identity: Identity | None = None
        self.installed: Installed | None = None
        self.broker_version = ""

    def run(self) -> Result:
        request = self.request
        self.recorder.check_room()
        self.identity = install.identify(request.cell, request.python, self.recorder, self.env)
        try:
            self.installed = install.install(
                *(request.cell, request.subject, self.identity, self.recorder, environment(installer=True)),
                frozen=request.frozen,
            )
            with self._broker() as running:
                served = self._serve(running)
        except CellFailure as failure:
            return self._result(verdicts.of_nothing(failure), Served())
        self.warnings += output.warnings(self.scrub(output.read(self.work / f"{request.subject.server.name}.log")))
        return self._result(verdicts.of_served(served), served)

    def _serve(self, running: broker.Broker) -> Served:
        """Go through all that needs the broker; it has to be there until the end, or nothing counts."""
        request = self.request
        self.broker_version = running.version
        prefix = f"{request.cell.name}-{secrets.token_hex(4)}"
        self.env |= request.library.environment(running.url, prefix, self.work / "chat.sqlite3")
        site = Site(
            *(request.cell, request.subject, request.python, self.project, self.env, running, prefix),
            *(self.recorder, request.reports, self._packages(), request.sockets),
        )
        try:
            served = self._migrated(site)
        except CellFailure:
            running.check()
            raise
        running.check()
        if not running.embedded:
            running.forget(prefix)
        return served

    def _packages(self) -> dict[str, str]:
        assert self.identity is not None
        assert self.installed is not None
        return {"Python": self.identity.version, **self.installed.packages}

    @contextmanager
    def _broker(self) -> Iterator[broker.Broker]:
        if self.request.redis_url:
            self.scrub.hide(urlsplit(self.request.redis_url).password)
            yield broker.connect(self.request.redis_url)
            return
        with broker.embedded(self.env, self.work) as running:
            yield running

    def _migrated(self, site: Site) -> Served:
        """Serve the cell after Django's own commands.

        Where Django's server and that of the sockets are two, both are started even without a database.
        """
        self.env["DJANGO_SETTINGS_MODULE"] = self.request.library.settings
        try:
            self._django(str(self.request.python))
        except CellFailure as failure:
            if not site.library.django_server:
                raise
            self._check(str(self.request.python))
            return serve.start_alone(site, failure)
        return serve.serve(site, self.request.probes)

    def _django(self, python: str) -> None:
        """Go through Django's own commands; only the database has to succeed for what follows."""
        self._manage("migrate", [python, "manage.py", "migrate", "--noinput"], Reason.MIGRATION_FAILED)
        self._manage("loaddata", [python, "manage.py", "loaddata", "data.json"], Reason.MIGRATION_FAILED)
        self._check(python)
        self._unit_tests(python)

    def _check(self, python: str) -> None:
        self._manage("check", [python, "-Wd", "manage.py", "check"])

    def _manage(self, name: str, command: list[str], reason: Reason | None = None) -> str:
        said = _tests_said if name == "test" else None
        step, text = self.recorder.command(name, command, self.env, self.project, DEADLINES[name], said)
        self.warnings += output.warnings(text)
        if step.outcome != "ok" and reason is not None:
            raise CellFailure(reason, f"{name} failed: {step.cause}")
        return text

    def _unit_tests(self, python: str) -> None:
        coverage = [python, "-m", "coverage"]
        # coverage may take "<this name>.anything" for data of its own, combine it, and delete it.
        self.env["COVERAGE_FILE"] = str(self.work / ".coverage")
        text = self._manage("test", [*coverage, "run", *self._covered(), "manage.py", "test"])
        table = self.work / "coverage.log"
        # Both together are the coverage test, and the cell's own work; errors are coroutines on Python 2.7.
        reported = processes.run([*coverage, "report", "--ignore-errors"], self.env, self.project, table, 60)
        self.recorder.seconds["test"] = round(self.recorder.seconds["test"] + reported.seconds, 3)
        self.recorder.keep("coverage", table)
        self.unit_tests = _counted(text, self.scrub(output.read(table)))

    def _covered(self) -> list[str]:
        """Return the options for coverage that leave out the chats of other libraries."""
        top, _, own = self.request.library.settings.rpartition(".")[0].partition(".")
        packages = [path.parent.name for path in sorted((self.project / top).glob("*/__init__.py"))]
        others = [f"{top}/{name}/*" for name in packages if name != own]
        return [f"--source=DjangoTestWebsockets,{top}", *([f"--omit={','.join(others)}"] if others else [])]

    def _result(self, judged: Verdicts, served: Served) -> Result:
        request, identity, installed = self.request, self.identity, self.installed
        assert identity is not None
        versions = Versions(
            python=identity.version,
            implementation=identity.implementation,
            django=identity.django,
            library=(installed.packages.get(request.library.distribution, "") if installed else ""),
            broker=self.broker_version,
            harness=__version__,
            installer=installed.installer if installed else "",
            installed=installed.packages if installed else install.packages(identity),
        )
        exchanged = served.exchanged
        varying = Measured(
            started=self.started.isoformat(timespec="seconds"),
            seconds=self.recorder.seconds,
            install_seconds=installed.seconds if installed else None,
            installed_on=installed.date if installed else None,
            latency_ms=exchanged.latency_ms if exchanged else {},
            late=exchanged.late if exchanged else [],
            exchanges_seconds=round(exchanged.seconds, 3) if exchanged else None,
            fences_sent=served.fences,
            fences_sent_again=served.fences_again,
            stopped=served.stopped,
            repeated=served.repeated,
            probed_on={probe.name: self.started.date().isoformat() for probe in served.probes},
            counted=served.counted,
            tools=served.tools,
            costs=served.costs,
            startup_output=served.startup_output,
        )
        result = Result(
            schema=SCHEMA,
            cell=request.cell.name,
            library=request.library.name,
            server=request.subject.server.name,
            profile=request.subject.profile,
            broker="embedded" if not request.redis_url else "named by --redis-url",
            verdicts=judged,
            versions=versions,
            installation=installed.installation if installed else None,
            steps=self.recorder.steps,
            unit_tests=self.unit_tests,
            warnings=_few(sorted(set(self.warnings)), _WARNINGS),
            exchanges=exchanged.exchanges if exchanged else [],
            isolation=served.isolation,
            sets=served.sets,
            variants=served.variants,
            probes=served.probes,
            varying=varying,
            complete=True,
        )
        return _cleaned(result, self.scrub)


def _few(texts: list[str], most: int) -> list[str]:
    return texts if len(texts) <= most else [*texts[:most], f"… and {len(texts) - most} more"]


def _cleaned(result: Result, scrub: Scrubber) -> Result:
    """Return *result* with every text scrubbed, and cut where anybody may have written it."""
    long = {"excerpt", "table", "startup_output"}

    def clean(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: clean(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [clean(each, key) for each in value]
        if not isinstance(value, str):
            return value
        text = scrub(value)
        return text if key in long or len(text) <= _TEXT else text[: _TEXT - 1] + "…"

    document = clean(msgspec.to_builtins(result))
    for exchange in document["exchanges"]:
        for number, fault in enumerate(exchange["faults"]):
            # One message that is wrong everywhere is wrong in the same way; three texts show it.
            fault["text"] = fault["text"][:_FAULT_TEXT] if number < 3 else ""
    return msgspec.convert(document, Result)


def environment(installer: bool = False) -> dict[str, str]:
    """Return the environment that children begin with; an installer also needs the host's settings of indexes."""
    host = os.environ.items()
    if installer:
        env = {name: value for name, value in host if not name.startswith(_FOREIGN)}
        env["COLUMNS"] = "10000"  # uv breaks what a build printed at the width of a terminal
    else:
        env = {name: value for name, value in host if name in _KNOWN or name.startswith(_KNOWN_PREFIXES)}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    env[processes.OWNER] = processes.owner_mark(ROOT)
    return env


def _tests_said(text: str) -> str:
    counted = _counted(text, "")
    return f"{counted.ran} run, {counted.failed} failed, {counted.skipped} skipped" if counted else ""


def _counted(text: str, table: str) -> UnitTests | None:
    """Read the counts out of what Django's test runner and coverage print."""
    ran = re.search(r"^Ran (\d+) tests? in", text, re.MULTILINE)
    if ran is None:
        return None
    counts = {name: int(number) for name, number in re.findall(r"(failures|errors|skipped)=(\d+)", text)}
    total = re.search(r"^TOTAL\s.*?(\d+)%\s*$", table, re.MULTILINE)
    return UnitTests(
        ran=int(ran[1]),
        failed=counts.get("failures", 0) + counts.get("errors", 0),
        skipped=counts.get("skipped", 0),
        coverage_percent=float(total[1]) if total else None,
        table=output.shorten(table),
    )


def not_tested(cell: Cell, subject: Subject, reason: Reason, text: str, excerpt: str = "") -> Result:
    """Return the result of a cell that could not be tried."""
    judgement = Judgement.of(reason, text)
    step = [Step(name="environment", outcome="failed", cause=text, excerpt=excerpt)] if excerpt else []
    return Result(
        schema=SCHEMA,
        cell=cell.name,
        library=subject.library.name,
        server=subject.server.name,
        profile=subject.profile,
        broker="",
        verdicts=Verdicts(web_server=judgement, channels=judgement, overall=judgement),
        versions=None,
        installation=None,
        steps=step,
        unit_tests=None,
        warnings=[],
        exchanges=[],
        isolation=[],
        probes=[],
        varying=Measured(started=datetime.now(UTC).isoformat(timespec="seconds"), seconds={}),
        complete=True,
    )
