"""Run one cell from its name to its result."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from harness import ROOT, __version__
from harness.captured import output
from harness.captured.scrub import Scrubber
from harness.cell import install
from harness.cell.beside import BesideLibrary
from harness.cell.identify import Identity, identify
from harness.cell.install import Installed
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.cell.steps import Recorder, Watcher
from harness.cell.variables import environment
from harness.errors import CellFailure
from harness.libraries.base import Command
from harness.results.installed import Versions
from harness.results.result import SCHEMA, Measured, Result, Round, UnitTests, Verdicts
from harness.run import clean, serve, unit_tests, verdicts
from harness.run import hold as holding
from harness.run.hold import Tell
from harness.run.request import Request
from harness.system import broker, origin, processes
from harness.system.files import unwritable
from harness.system.quiet import Quiet
from harness.system.vigil import Vigil
from harness.verdict import Reason, Verdict

#: Seconds for what is tried beside the server, and for the tests of the project.
_SHELL, _TESTS = 30.0, 300.0


def run(request: Request, watcher: Watcher) -> Result:
    """Run the cell and return its result; the evidence is in place, the result is not yet saved.

    Whoever calls this holds the cell with :func:`harness.run.record.locked`, until the result is saved.

    Raises:
        HarnessError: the harness or the machine is at fault; there is no result.
    """
    with processes.owning(ROOT), _folders(request) as (work, evidence):
        return _Run(request, watcher, work, evidence).run()


def hold(request: Request, watcher: Watcher, tell: Tell) -> None:
    """Serve the cell until somebody interrupts, and ask it nothing; nothing is recorded. *tell* shows a line.

    Raises:
        HarnessError: the harness or the machine is at fault.
        CellFailure: the cell does not come as far as that.
    """
    with processes.owning(ROOT), _folders(request, keep=False) as (work, evidence):
        _Run(request, watcher, work, evidence).hold(tell)


@contextmanager
def _folders(request: Request, keep: bool = True) -> Iterator[tuple[Path, Path]]:
    """Yield a working folder and one for evidence, which takes its place when all went well, if it is to be kept."""
    reports, name = request.reports, request.cell.name
    final, partial, work = reports.evidence(name), reports.unfinished(name, "partial"), reports.unfinished(name, "work")
    try:
        for folder in (partial, work):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        try:
            yield work, partial
        finally:
            shutil.rmtree(work, ignore_errors=True)
            if not keep:
                shutil.rmtree(partial, ignore_errors=True)
        if keep:
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)
    except (ConnectionError, TimeoutError):
        raise  # of a connection, not of a file
    except OSError as error:
        raise unwritable("evidence", error) from error


def _leaving_no_trace(request: Request) -> dict[str, str]:
    """Return what keeps compiled files out of somebody's own project: they go where the environment is.

    A Python that cannot put them elsewhere (PYTHONPYCACHEPREFIX, new in 3.8) writes none: Django is compiled each time.
    """
    if request.cell.python_version < (3, 8):
        return {"PYTHONDONTWRITEBYTECODE": "1"}
    return {"PYTHONPYCACHEPREFIX": str(request.python.parent.parent.absolute() / "pycache")}


class _Run:
    def __init__(self, request: Request, watcher: Watcher, work: Path, evidence: Path) -> None:
        self.request = request
        self.started, self.quiet = datetime.now(UTC), Quiet()
        self.work, self.evidence = work, evidence
        env_dir = request.python.parent.parent
        self.project = request.library.project(ROOT)
        places = {env_dir: "<cell>", self.project: "<project>", ROOT: "<project>", work: "<work>"}
        places |= {each.path: f"<{each.path.name}>" for each in request.setup.instead if each.path}
        self.scrub = Scrubber({**places, Path(sys.prefix): "<harness>"})
        for secret in (each for one in request.setup.instead for each in broker.secrets_of(one.requirement.url or "")):
            self.scrub.hide(secret)
        self.recorder = Recorder(work, evidence, self.scrub, watcher)
        self.env = environment()
        self.warnings: list[str] = []
        self.unit_tests: UnitTests | None = None
        self.identity: Identity | None = None
        self.installed: Installed | None = None
        self.broker_version = ""
        #: The distributions that the server imports.
        self.imported: list[str] = []

    def run(self) -> Result:
        request = self.request
        identity = self._identify()
        try:
            self._install(identity)
            with self._broker() as running, self._beside() as beside:
                observed = self._serve(running, beside)
            self._identify_again(identity)
        except CellFailure as failure:
            return self._result(verdicts.of_nothing(failure), Observations())
        self.warnings += output.warnings(self.scrub(output.read(self.work / f"{request.setup.server.name}.log")))
        return self._result(verdicts.of_observations(observed), observed)

    def hold(self, tell: Tell) -> None:
        """Install and serve the cell, and hold it; see :func:`hold`."""
        self._install(self._identify())
        with self._broker() as running, self._beside() as beside:
            server = self._server(running, beside)
            try:
                self._django(str(self.request.python))
                holding.hold(server, tell)
            finally:
                self._forget(running, server)

    def _identify(self) -> Identity:
        self.recorder.check_room()
        any_django = bool(self.request.candidate and self.request.candidate.django)
        self.identity = identify(self.request.cell, self.request.python, self.recorder, self.env, any_django)
        return self.identity

    def _install(self, identity: Identity) -> None:
        self.installed = install.install(
            cell=self.request.cell,
            setup=self.request.setup,
            identity=identity,
            recorder=self.recorder,
            env=environment(installer=True),
            frozen=self.request.frozen,
            options=(*self.request.options, *(["--no-deps"] if self.request.exact else [])),
            anew=self.request.anew,
        )

    def _beside(self) -> BesideLibrary:
        assert self.installed is not None
        python, installed = self.request.python, self.installed.packages
        return BesideLibrary(python, self.project, installed, self.recorder, self.request.options)

    def _server(self, running: broker.Broker, beside: BesideLibrary) -> CellServer:
        """Return the cell's server, which talks to the broker that is *running*."""
        request = self.request
        self.broker_version = running.version
        prefix = f"{request.cell.name}-{secrets.token_hex(4)}"
        database = self.work / "chat.sqlite3"
        self.env |= request.library.environment(running.url, prefix, database)
        self.env["DJANGO_SETTINGS_MODULE"] = request.library.settings
        if self.project != ROOT:
            self.env |= _leaving_no_trace(request)
        return CellServer(
            cell=request.cell,
            setup=request.setup,
            python=request.python,
            project=self.project,
            env=self.env,
            broker=running,
            database=database,
            prefix=prefix,
            recorder=self.recorder,
            reports=request.reports,
            packages=self._packages(),
            sockets=request.sockets,
            runs=request.runs,
            deployment=request.deployment,
            seed=request.seed,
            beside=beside,
            only=request.only,
        )

    def _serve(self, running: broker.Broker, beside: BesideLibrary) -> Observations:
        """Go through all that needs the broker; it has to be there until the end, or nothing counts."""
        server = self._server(running, beside)
        with Vigil(running.url) as vigil:
            try:
                observed = self._migrated(server)
            except CellFailure:
                running.check()
                vigil.check()
                raise
        running.check()
        if observed.web_server or observed.channels:  # what went well went well all the same
            vigil.check()
        self._forget(running, server)
        return observed

    @staticmethod
    def _forget(running: broker.Broker, server: CellServer) -> None:
        """Leave somebody else's broker as it was found."""
        if not running.embedded:
            running.forget(server.prefix)

    def _packages(self) -> dict[str, str]:
        assert self.identity is not None
        assert self.installed is not None
        return {"Python": self.identity.version, **self.installed.packages}

    @contextmanager
    def _broker(self) -> Iterator[broker.Broker]:
        if self.request.redis_url:
            for secret in reversed(broker.secrets_of(self.request.redis_url)):
                self.scrub.hide(secret)
            yield broker.connect(self.request.redis_url)
            return
        with broker.embedded(self.env, self.work) as running:
            yield running

    def _migrated(self, server: CellServer) -> Observations:
        """Serve the cell after Django's own commands.

        Where Django's server and that of the sockets are two, both are started even without a database.
        """
        try:
            self._django(str(self.request.python))
        except CellFailure as failure:
            if failure.reason.verdict is not Verdict.DOES_NOT_WORK:
                raise
            with suppress(CellFailure):  # what is known is not to be replaced by what else goes wrong
                if self.request.only is None:
                    self._check(str(self.request.python))
                    self._unit_tests(str(self.request.python))  # they make a database of their own
            if not server.library.django_server:
                raise
            return serve.start_alone(server, failure)
        return serve.serve(server, self.request.probes, self._meanwhile)

    def _meanwhile(self) -> None:
        """Do what has to be done anyway, and needs no server, while copies and leaks are waited for."""
        if self.request.only is not None:
            return
        assert self.identity is not None
        self._check(str(self.request.python))
        self._unit_tests(str(self.request.python))
        for check in self.request.library.shell_checks(self.request.cell):
            command = [str(self.request.python), "-m", check.module]
            env = {**self._apart("layer"), **check.environment}
            self.recorder.command(check.name, command, env, self.project, _SHELL, output.last_line)
        application = self.request.library.application
        modules = [application.asgi, application.wsgi, application.module, self.request.setup.server.name]
        named = [each.partition(":")[0] for each in modules if each]
        began = time.monotonic()
        self.imported = self.identity.imported(self.env, self.work, self.project, named)
        self.recorder.seconds["imports"] = round(time.monotonic() - began, 3)

    def _apart(self, suffix: str) -> dict[str, str]:
        """Return the environment of what is not to reach those who are connected to the server meanwhile."""
        return {**self.env, "CHAT_PREFIX": f"{self.env.get('CHAT_PREFIX', 'chat')}-{suffix}"}

    def _identify_again(self, identity: Identity) -> None:
        """Make sure that all of it was measured on the Django that the cell's name says."""
        began = time.monotonic()
        identity.check_django(self.env, self.work)
        self.recorder.seconds["identify again"] = round(time.monotonic() - began, 3)

    def _django(self, python: str) -> None:
        """Go through Django's own commands; only the database has to succeed for what follows."""
        for each in self.request.library.prepare(Path(python)):
            self._manage(each, Reason.MIGRATION_FAILED)

    def _check(self, python: str) -> None:
        for each in self.request.library.inspect(Path(python)):
            self._manage(each)

    def _manage(self, command: Command, reason: Reason | None = None, env: dict[str, str] | None = None) -> str:
        said = unit_tests.said if command.name == "test" and self.request.library.counts_tests else None
        step, text = self.recorder.command(
            command.name, command.arguments, env or self.env, self.project, command.deadline, said
        )
        self.warnings += output.warnings(text)
        if step.outcome != "ok" and reason is not None:
            raise CellFailure(reason, f"{command.name} failed: {step.cause}")
        return text

    def _unit_tests(self, python: str) -> None:
        if not self.request.library.counts_tests:
            return
        coverage = [python, "-m", "coverage"]
        # coverage may take "<this name>.anything" for data of its own, combine it, and delete it.
        env = {**self._apart("tests"), "COVERAGE_FILE": str(self.work / ".coverage")}
        env["COVERAGE_RCFILE"] = os.devnull  # what pyproject.toml says of coverage is for the harness
        options = unit_tests.covered(self.project, self.request.library.settings)
        command = Command("test", (*coverage, "run", *options, "manage.py", "test"), _TESTS)
        text = self._manage(command, env=env)
        table = self.work / "coverage.log"
        # Both together are the coverage test, and the cell's own work; errors are coroutines on Python 2.7.
        reported = processes.run([*coverage, "report", "--ignore-errors"], env, self.project, table, 60)
        self.recorder.seconds["test"] = round(self.recorder.seconds["test"] + reported.seconds, 3)
        self.recorder.keep("coverage", table)
        self.unit_tests = unit_tests.counted(text, self.scrub(output.read(table)))

    def _result(self, judged: Verdicts, observed: Observations) -> Result:
        request, installed = self.request, self.installed
        result = Result(
            schema=SCHEMA,
            cell=request.cell.name,
            library=request.library.name,
            server=request.setup.server.name,
            profile=request.setup.profile,
            candidate=request.candidate,
            broker="embedded" if not request.redis_url else "named by --redis-url",
            verdicts=judged,
            versions=self._versions(),
            installation=installed.installation if installed else None,
            steps=self.recorder.steps,
            unit_tests=self.unit_tests,
            warnings=clean.few_warnings(self.warnings),
            exchanges=observed.exchanges,
            starts=observed.starts,
            rounds=[
                Round(number=each.round.number, right=len(each.exchanges) - len(each.wrong), repeats=each.round.repeats)
                for each in observed.rounds
            ],
            isolation=observed.isolation,
            sets=observed.sets,
            variants=observed.variants,
            probes=observed.probes,
            varying=self._varying(observed),
            complete=True,
        )
        return clean.cleaned(result, self.scrub)

    def _versions(self) -> Versions:
        identity, installed = self.identity, self.installed
        assert identity is not None
        return Versions(
            python=identity.version,
            implementation=identity.implementation,
            django=identity.django,
            library=installed.packages.get(self.request.library.distribution, "") if installed else "",
            broker=self.broker_version if self.request.library.uses_broker else "",
            harness=__version__,
            installer=installed.installer if installed else "",
            installed=installed.packages if installed else install.packages(identity),
            imported=self.imported,
        )

    def _varying(self, observed: Observations) -> Measured:
        installed, rounds = self.installed, observed.rounds
        exchanged = rounds[0] if rounds else None
        return Measured(
            machine=origin.machine(),
            commit=origin.commit(ROOT),
            quiet=bool(self.quiet),
            started=self.started.isoformat(timespec="seconds"),
            seconds=self.recorder.seconds,
            install_seconds=installed.seconds if installed else None,
            installed_on=installed.date if installed else None,
            latency_ms=exchanged.latency_ms if exchanged else {},
            late=sorted({number for each in rounds for number in each.late}),
            orders=[each.round.order for each in rounds],
            seed=next((each.round.seed for each in rounds if each.round.seed is not None), None),
            exchanges_seconds=round(exchanged.seconds, 3) if exchanged else None,
            fences_sent=observed.fences,
            fences_sent_again=observed.fences_again,
            stopped=observed.stopped,
            repeated=observed.repeated,
            probed_on={probe.name: self.started.date().isoformat() for probe in observed.probes},
            counted=observed.counted,
            tools=observed.tools,
            costs=observed.costs,
            startup_output=observed.startup_output,
        )
