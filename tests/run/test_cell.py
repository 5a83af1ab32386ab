"""A cell from its name to its result, with stand-ins for all that it starts: what is put together, and cleaned."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cellservers import TalkingLibrary, Watching, failed, finding
from talkers import Switchboard

from harness import __version__
from harness.captured.scrub import Scrubber
from harness.cell.identify import Identity
from harness.cell.install import Installed
from harness.cell.outcome import Observations
from harness.cells import Cell
from harness.chat.exchanges import Exchanged
from harness.chat.rounds import first_round, second_round
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import ShellCheck
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.installed import Installation
from harness.results.result import Exchange, Fault, Judgement, Probe, Round, Step, VariantResult
from harness.run import cell, clean
from harness.run.request import Request
from harness.servers.catalogue import SERVERS
from harness.system import processes
from harness.verdict import Reason, Verdict

CELL = Cell.parse("py311-django52-talking")
INSTALLED = Installed(
    installation=Installation(requirements=["talking"], pins=[], added=["talking==1.0"], added_bytes=100),
    seconds=2.5,
    date="2026-11-20",
    packages={"Django": "5.2.19", "talking": "1.0"},
    installer="uv 0.13.8",
)


class Broker:
    """A broker that answers, unless it is told otherwise; it notes what it is asked for."""

    url = "redis://127.0.0.1:6379/0"
    version = "Valkey 9.1.2"

    def __init__(self, embedded: bool = True) -> None:
        self.embedded = embedded
        self.gone = False
        self.asked: list[str] = []

    def check(self) -> None:
        self.asked.append("check")
        if self.gone:
            raise HarnessError("the broker has gone away during the run", "run the cell again")

    def forget(self, prefix: str) -> None:
        self.asked.append(f"forget {prefix.rpartition('-')[0]}")


class Vigil:
    """Who watches a broker, and has nothing to say."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> Vigil:
        return self

    def __exit__(self, *_: object) -> None: ...

    def check(self) -> None: ...


class World:
    """All that a run would start, and what comes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker()
        self.observed = Observations()
        #: What is wrong with each of Django's commands, and what they print.
        self.broken: dict[str, str] = {}
        self.printed: dict[str, str] = {}
        self.installing: CellFailure | None = None
        self.serving: Exception | None = None
        #: What is wrong with Django in the end.
        self.altered: CellFailure | None = None
        #: What was done, in order.
        self.done: list[str] = []
        self.envs: dict[str, dict[str, str]] = {}
        self.library = TalkingLibrary(Switchboard())
        self.watching = Watching()
        self.request = Request(
            cell=CELL,
            setup=Setup(self.library, SERVERS["runserver"], "today"),
            python=folder / "env" / "bin" / "python",
            reports=Reports(folder / "reports"),
            probes=["payloads"],
        )

    def identify(self, cell, python, recorder, env, any_django=False):
        self.done.append("identify")
        return Identity(
            python=python,
            version="3.11.9",
            implementation="CPython",
            prefix=self.folder / "env",
            site_packages=(self.folder / "env",),
            django="5.2.19",
            django_folder=self.folder / "env" / "django",
            django_digest="",
        )

    def check_django(self, identity, env, work):
        self.done.append("identify again")
        if self.altered:
            raise self.altered

    def imported(self, identity, env, work, project, modules):
        self.done.append(f"imported by {' '.join(modules)}")
        return ["Django", "talking"]

    def install(self, *, cell, setup, identity, recorder, env, frozen, options, anew):
        self.done.append(f"install {frozen}")
        assert env["COLUMNS"] == "10000"  # that of an installer
        if self.installing:
            raise self.installing
        return INSTALLED

    def command(self, recorder, name, command, env, cwd, deadline, says=None):
        self.done.append(name)
        self.envs[name] = dict(env)
        text, cause = self.printed.get(name, ""), self.broken.get(name, "")
        (recorder.work / f"{name}.log").write_text(text)
        step = Step(
            name=name, outcome="failed" if cause else "ok", command=recorder.scrub(" ".join(command)), cause=cause
        )
        recorder.add(step, 1.0)
        return step, text

    def run(self, command, env, cwd, log, deadline):
        self.done.append("coverage report")
        log.write_text("TOTAL   71   7   90%\n")
        return processes.Ended(0, False, 0.25)

    @contextmanager
    def embedded(self, env, folder):
        self.done.append("broker")
        try:
            yield self.broker
        finally:
            self.done.append("broker ended")

    def connect(self, url):
        self.done.append(f"connect {url}")
        self.broker = Broker(embedded=False)
        return self.broker

    def serve(self, server, probes, meanwhile):
        self.done.append(f"serve {probes}")
        self.server = server
        (server.recorder.evidence / "frames.jsonl").write_text("{}\n")
        meanwhile()
        self.done.append("served")
        if self.serving:
            raise self.serving
        return self.observed

    def start_alone(self, server, failure):
        self.done.append("start alone")
        self.observed.migration = failure
        return self.observed

    def result(self, **changes):
        """Run the cell, asked for with *changes*."""
        return cell.run(replace(self.request, **changes), self.watching)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    made = World(tmp_path)
    rows = [row(number) for number in range(1, 16)]
    made.observed.rounds = [
        Exchanged(first_round("abc"), exchanges=rows, seconds=0.34567),
        Exchanged(second_round("abc", 7), exchanges=rows, seconds=0.5),
    ]
    made.observed.exchanges, made.observed.starts = rows, 2
    monkeypatch.setattr(cell, "identify", made.identify)
    monkeypatch.setattr(Identity, "check_django", lambda *arguments: made.check_django(*arguments))
    monkeypatch.setattr(Identity, "imported", lambda *arguments: made.imported(*arguments))
    monkeypatch.setattr(cell.install, "install", made.install)
    monkeypatch.setattr(cell.install, "packages", lambda identity: {"Django": identity.django})
    monkeypatch.setattr(cell.Recorder, "command", lambda *arguments, **more: made.command(*arguments, **more))
    monkeypatch.setattr(cell.processes, "run", made.run)
    monkeypatch.setattr(cell.processes, "owning", made_owning)
    monkeypatch.setattr(cell.broker, "embedded", made.embedded)
    monkeypatch.setattr(cell.broker, "connect", made.connect)
    monkeypatch.setattr(cell, "Vigil", Vigil)
    monkeypatch.setattr(cell.serve, "serve", made.serve)
    monkeypatch.setattr(cell.serve, "start_alone", made.start_alone)
    return made


@contextmanager
def made_owning(checkout):
    yield ""


def row(number: int, faults: list[Fault] | None = None) -> Exchange:
    return Exchange(
        number=number,
        channel="broadcast",
        sender="John",
        audience="all",
        recipients=["John"],
        transport="WebSocket",
        good=not faults,
        faults=faults or [],
    )


def test_order(world):
    """Identified, installed, with a broker, a database, then served, with all else meanwhile, and identified again."""
    world.result()
    assert world.done == [
        *("identify", "install None", "broker", "migrate", "loaddata", "serve ['payloads']"),
        *("check", "test", "coverage report", "imported by runserver", "served"),
        *("broker ended", "identify again"),
    ]
    assert world.broker.asked == ["check"]


def test_result(world):
    """The result says what ran on what, with all that was measured on the way."""
    world.observed.fences, world.observed.fences_again = 17, 2
    world.observed.stopped = {"runserver": "SIGINT"}
    world.observed.probes = [Probe(name="payloads", findings=[finding("emoji?")])]
    world.observed.rounds[0].latency_ms = {"1": {"John": 1.5}}
    world.observed.rounds[0].late, world.observed.rounds[1].late = [9, 3], [3, 4]
    result = world.result()
    assert (result.cell, result.library, result.server) == (CELL.name, "talking", "runserver")
    assert (result.profile, result.broker, result.complete) == ("today", "embedded", True)
    versions = result.versions
    assert (versions.python, versions.implementation, versions.django) == ("3.11.9", "CPython", "5.2.19")
    assert (versions.library, versions.broker, versions.harness) == ("1.0", "Valkey 9.1.2", __version__)
    assert (versions.installer, versions.installed) == ("uv 0.13.8", INSTALLED.packages)
    assert result.installation == INSTALLED.installation
    assert result.verdicts.overall.text == "15 of 15 exchanges right in 2 rounds"
    assert len(result.exchanges) == 15
    assert result.starts == 2
    assert result.rounds == [Round(number=1, right=15, repeats=0), Round(number=2, right=15, repeats=6)]
    assert versions.imported == ["Django", "talking"]
    varying = result.varying
    assert (varying.install_seconds, varying.installed_on, varying.exchanges_seconds) == (2.5, "2026-11-20", 0.346)
    assert (varying.latency_ms, varying.late) == ({"1": {"John": 1.5}}, [3, 4, 9])
    assert (varying.orders, varying.seed) == ([list(range(1, 16)), second_round("abc", 7).order], 7)
    assert (varying.fences_sent, varying.fences_sent_again, varying.stopped) == (17, 2, {"runserver": "SIGINT"})
    assert varying.probed_on == {"payloads": varying.started[:10]}
    commands = {name: seconds for name, seconds in varying.seconds.items() if name in world.envs}
    assert commands == {"migrate": 1.0, "loaddata": 1.0, "check": 1.0, "test": 1.25}
    assert set(varying.seconds) - set(commands) == {"imports", "identify again"}


def test_the_server_is_told(world):
    """The server gets the cell's settings, its broker, and a prefix that no other run has."""
    world.result()
    server = world.server
    assert server.env["DJANGO_SETTINGS_MODULE"] == "talking.settings"
    assert server.env["CHAT_REDIS_URL"] == "redis://127.0.0.1:6379/0"
    assert server.env["CHAT_PREFIX"] == server.prefix
    assert server.prefix.startswith(f"{CELL.name}-")
    assert server.packages == {"Python": "3.11.9", "Django": "5.2.19", "talking": "1.0"}
    first = server.prefix
    world.result()
    assert world.server.prefix != first


def test_tests_and_their_coverage(world):
    """What Django's tests and coverage print is counted, and the runner is told where to keep its data."""
    world.printed["test"] = "Ran 5 tests in 0.1s\n\nOK\n"
    result = world.result()
    assert (result.unit_tests.ran, result.unit_tests.coverage_percent) == (5, 90.0)
    assert world.envs["test"]["COVERAGE_FILE"].endswith("work/.coverage")
    assert "coverage run --source=DjangoTestWebsockets,talking manage.py test" in result.steps[-1].command
    assert (world.folder / "reports" / "evidence" / CELL.name / "coverage.log").exists()


def test_what_the_tests_publish(world):
    """What Django's tests publish meanwhile is not for those who are connected, and the server knows nothing of it."""
    world.result()
    assert world.envs["test"]["CHAT_PREFIX"] == f"{world.server.prefix}-tests"
    assert world.server.env["CHAT_PREFIX"] == world.server.prefix
    assert "COVERAGE_FILE" not in world.server.env


def test_a_round_that_was_not_come_to(world):
    """Where the server was started once there is one round, in the order of the table."""
    del world.observed.rounds[1]
    world.observed.starts = 1
    result = world.result()
    assert (result.starts, [each.number for each in result.rounds]) == (1, [1])
    assert (result.varying.orders, result.varying.seed) == ([list(range(1, 16))], None)


def test_django_is_another_in_the_end(world):
    """What was found on another Django than the one that was there at first counts for nothing."""
    world.altered = failed("it altered files of Django 5.2.19", Reason.INSTALLATION_FAILED)
    result = world.result()
    assert (result.verdicts.overall.reason, result.verdicts.overall.text) == (
        Reason.INSTALLATION_FAILED,
        "it altered files of Django 5.2.19",
    )
    assert (result.exchanges, result.rounds, result.starts) == ([], [], 0)


@pytest.mark.parametrize("name", ["check", "test"])
def test_what_decides_nothing(world, name):
    """A failed check or test is recorded, and the cell is served all the same."""
    world.broken[name] = "SystemCheckError"
    result = world.result()
    assert result.verdicts.overall.reason is Reason.WORKS
    assert [(step.name, step.cause) for step in result.steps if step.outcome == "failed"] == [
        (name, "SystemCheckError")
    ]


def test_shell_checks(world):
    """What the documentation has one try in a shell is tried, apart from the chat, and decides nothing."""
    world.library.shell_checks = lambda cell: [ShellCheck("layer memory", "talking.layer", {"CHAT_LAYER": "memory"})]
    world.broken["layer memory"] = "nothing came"
    result = world.result()
    (step,) = [each for each in result.steps if each.name == "layer memory"]
    assert (step.outcome, step.command) == ("failed", "<cell>/bin/python -m talking.layer")
    env = world.envs["layer memory"]
    assert (env["CHAT_LAYER"], env["CHAT_PREFIX"]) == ("memory", f"{world.server.prefix}-layer")
    assert result.verdicts.overall.reason is Reason.WORKS


@pytest.mark.parametrize("name", ["migrate", "loaddata"])
def test_no_database(world, name):
    """Without a database nothing is served: that is the verdict; only the check and the coverage test are made."""
    world.broken[name] = "OperationalError: no such table"
    result = world.result()
    assert result.verdicts.overall.reason is Reason.MIGRATION_FAILED
    assert result.verdicts.overall.text == f"{name} failed: OperationalError: no such table"
    assert result.verdicts.web_server.text == "migration failed"
    assert world.done[-5:] == [name, "check", "test", "coverage report", "broker ended"]
    assert (result.exchanges, result.unit_tests) == ([], None)
    assert result.versions.broker == "Valkey 9.1.2"


def test_no_broker(world, monkeypatch):
    """A result names no broker where the library talks to none, although one was there."""
    monkeypatch.setattr(world.library, "uses_broker", False, raising=False)
    assert world.result().versions.broker == ""


def test_no_database_for_two_servers(world):
    """Where Django's server is another one both are started without a database, after check and coverage test."""
    world.library.django_server = True
    world.broken["migrate"] = "no"
    world.observed = Observations()
    result = world.result()
    assert world.done[-7:] == [
        *("migrate", "check", "test", "coverage report", "start alone", "broker ended", "identify again"),
    ]
    assert result.verdicts.overall.text == "migrate failed: no"
    assert result.verdicts.web_server.reason is Reason.WORKS


def test_not_installed(world):
    """A library that cannot be installed has a result without a broker, a server or an installation."""
    world.installing = failed("no such package", Reason.INSTALLATION_FAILED)
    result = world.result()
    assert world.done == ["identify", "install None"]
    assert result.verdicts.overall.reason is Reason.INSTALLATION_FAILED
    assert result.installation is None
    assert (result.versions.library, result.versions.broker, result.versions.installer) == ("", "", "")
    assert result.versions.installed == {"Django": "5.2.19"}
    assert (result.varying.install_seconds, result.varying.installed_on) == (None, None)


def test_frozen(world):
    """The versions of the past are handed to the installer."""
    world.result(frozen=["talking==0.9"])
    assert "install ['talking==0.9']" in world.done


def test_a_redis_that_is_named(world):
    """A Redis that is named is used instead, is told of as such, and is left as it was found."""
    result = world.result(redis_url="redis://:hunter2@127.0.0.1:6379/0")
    assert "connect redis://:hunter2@127.0.0.1:6379/0" in world.done
    assert world.broker.asked == ["check", f"forget {CELL.name}"]
    assert result.broker == "named by --redis-url"


@pytest.mark.parametrize("address", ["redis://:hunter2@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0?password=hunter2"])
def test_its_password_is_hidden(world, address):
    """The password of a Redis that is named stands in no text of the result."""
    world.printed["check"] = "a.py:1: DeprecationWarning: connected with hunter2\n"
    world.broken["check"] = "Error: hunter2"
    result = world.result(redis_url=address)
    assert result.warnings == ["a.py:1: DeprecationWarning: connected with <secret>"]
    assert "hunter2" not in str(result)


def test_the_broker_goes_away(world):
    """Whatever a server did without its broker is no verdict, good or bad."""
    world.broker.gone = True
    with pytest.raises(HarnessError, match="the broker has gone away"):
        world.result()
    world.serving = failed("it ended")
    with pytest.raises(HarnessError, match="the broker has gone away"):
        world.result()


def test_the_broker_was_away(world, monkeypatch):
    """What went wrong while the broker was away for a while is no verdict; what went well went well all the same."""
    monkeypatch.setattr(Vigil, "check", lambda self: pytest.fail("nobody asks of what went well"))
    assert world.result().verdicts.overall.verdict is Verdict.WORKS

    def check(self) -> None:
        raise HarnessError("the broker was away for a while during the run", "run the cell again")

    monkeypatch.setattr(Vigil, "check", check)
    world.observed.channels = failed("a message is missing")
    with pytest.raises(HarnessError, match="the broker was away for a while"):
        world.result()
    world.observed.channels, world.serving = None, failed("it ended")
    with pytest.raises(HarnessError, match="the broker was away for a while"):
        world.result()


def test_warnings(world):
    """Deprecation warnings are collected from the commands and from the server, each once, in order of the alphabet."""
    world.printed["migrate"] = "b.py:1: DeprecationWarning: two\n"
    world.printed["check"] = "a.py:1: DeprecationWarning: one\nb.py:1: DeprecationWarning: two\n"
    assert world.result().warnings == [
        "a.py:1: DeprecationWarning: one",
        "b.py:1: DeprecationWarning: two",
    ]


def test_many_warnings(world):
    """Of very many warnings the first are listed, and the rest is counted."""
    world.printed["check"] = "".join(f"a.py:{n}: DeprecationWarning: {n}\n" for n in range(100, 200))
    warnings = world.result().warnings
    assert len(warnings) == 61
    assert warnings[-1] == "… and 40 more"


def test_evidence(world):
    """The evidence of a run takes the place of that of the run before, and nothing else of it stays."""
    evidence = world.request.reports.evidence(CELL.name)
    evidence.mkdir(parents=True)
    (evidence / "old").touch()
    world.result()
    assert sorted(path.name for path in evidence.iterdir()) == ["coverage.log", "frames.jsonl"]
    assert [path.name for path in evidence.parent.iterdir()] == [CELL.name]


def test_evidence_of_a_run_that_breaks(world):
    """A run that comes to no verdict leaves the evidence of the run before, and no working folder."""
    evidence = world.request.reports.evidence(CELL.name)
    evidence.mkdir(parents=True)
    (evidence / "old").touch()
    world.serving = HarnessError("no")
    with pytest.raises(HarnessError):
        world.result()
    assert [path.name for path in evidence.iterdir()] == ["old"]
    assert sorted(path.name for path in evidence.parent.iterdir()) == sorted([CELL.name, f".{CELL.name}.partial"])
    world.serving = None
    world.result()
    assert [path.name for path in evidence.parent.iterdir()] == [CELL.name]


def test_nowhere_to_write(world):
    """Where no evidence can be written there is no run."""
    world.folder.joinpath("reports").touch()
    with pytest.raises(HarnessError, match=r"^evidence cannot be written: "):
        world.result()
    assert world.done == []


def test_places_have_names(world):
    """Paths of the machine stand in the result by what they are."""
    world.printed["migrate"] = f"{world.folder}/env/lib/x.py:1: DeprecationWarning: old\n"
    world.observed.web_server = failed(f"see {world.request.reports.unfinished(CELL.name, 'work')}/runserver.log")
    result = world.result()
    assert result.warnings == ["<cell>/lib/x.py:1: DeprecationWarning: old"]
    assert result.verdicts.web_server.text == "see <work>/runserver.log"
    assert result.steps[0].command == "<cell>/bin/python manage.py migrate --noinput"


# How a result is cleaned


def cleaned(world, **changes):
    return clean.cleaned(msgspec.structs.replace(world.result(), **changes), Scrubber({Path("/secret"): "<cell>"}))


def test_long_texts(world):
    """A text that anybody may have written is cut at its limit, and it is seen that it was."""
    text = cleaned(world, isolation=[finding("q" * 600), finding("q" * 601)])
    assert text.isolation[0].question == "q" * 600
    assert text.isolation[1].question == "q" * 599 + "…"


def test_excerpts_are_longer(world):
    """Excerpts have a limit of their own, and are not cut here."""
    step = Step(name="migrate", outcome="failed", excerpt="x" * 3000, cause="y" * 3000)
    (found,) = cleaned(world, steps=[step]).steps
    assert (len(found.excerpt), len(found.cause)) == (3000, 600)


def test_faults(world):
    """Of what is wrong in one exchange three texts show it, each of them short; what is wrong everywhere is kept."""
    faults = [
        Fault(kind="altered", member=member, connection="user", text=f"{member} " + "x" * 200)
        for member in ("a", "b", "c", "d")
    ]
    (found,) = cleaned(world, exchanges=[row(1, faults)]).exchanges
    assert [fault.text for fault in found.faults] == [f"{each} " + "x" * 98 for each in "abc"] + [""]
    assert [fault.member for fault in found.faults] == ["a", "b", "c", "d"]


def test_control_characters(world):
    """No text has control characters or paths in it, however deep it stands."""
    variant = VariantResult(name="\x1b[1mbold", judgement=Judgement.of(Reason.WORKS, "see /secret/x\x00"))
    (found,) = cleaned(world, variants=[variant]).variants
    assert (found.name, found.judgement.text) == ("bold", "see <cell>/x\N{REPLACEMENT CHARACTER}")
