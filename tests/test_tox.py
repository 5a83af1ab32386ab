"""tox is the front door: names, labels, missing interpreters, and real cells through it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from shared import ROOT
from uv import find_uv_bin

from harness.cell import readiness
from harness.cell.pages import LOGIN
from harness.cells import Cell
from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.chat.rounds import first_round
from harness.environments import interpreters
from harness.libraries import registry
from harness.matrix.releases import releases
from harness.results.document import read_result
from harness.system import broker, processes
from harness.system.ports import free_port
from harness.verdict import Reason, Verdict

pytestmark = pytest.mark.tox


def tox(*arguments: str, reports=None, place: str = "cells", **env: str) -> subprocess.CompletedProcess[str]:
    """Run tox in a working folder of its own: the one of the checkout belongs to who runs these tests."""
    foreign = ("TOX_", "_TOX", "HARNESS_", "VIRTUAL_ENV", "COVERAGE_", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= env
    if reports is not None:
        environment["HARNESS_REPORTS"] = str(reports)
    command = [sys.executable, "-m", "tox", "--workdir", str(ROOT / ".tox" / "for-tests" / place), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=420)


@pytest.fixture(scope="module")
def names() -> list[str]:
    done = tox("-q", "list", "--no-desc")
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if re.match(r"[a-z]", line)]


def test_matrix(names):
    """The bare cells are every pair that Django supported, and three that are named beside it."""
    pairs = [(python, django) for django, release in releases().items() for python in release.pythons]
    expected = {Cell(python, django).name for python, django in pairs}
    cells = {name for name in names if re.fullmatch(r"py\d+-django\d+", name)}
    assert cells - expected == {"py33-django19", "py310-django22", "py311-django22"}
    assert expected <= cells


def test_every_cell_measures_something(names):
    """Each cell of the matrix asks for a library that is there, under a server that its documentation names."""
    known = registry.discover()
    for name in names:
        if name.startswith("py"):
            registry.setup_for(Cell.parse(name), known)


@pytest.mark.parametrize(
    "label", ["seeds", "channels", "servers", "current", "quick", "browser", "deep", "load", "stress"]
)
def test_labels(names, label):
    """Each label names environments of the matrix; the seeds are the seven of the beginning, on both libraries."""
    done = tox("-q", "list", "--no-desc", "-m", label)
    chosen = [line for line in done.stdout.splitlines() if re.match(r"[a-z]", line)]
    assert chosen, done.stdout + done.stderr
    assert set(chosen) <= set(names)
    if label == "seeds":
        pairs = "py27-django18 py27-django19 py33-django18 py33-django19 py34-django18 py34-django19 py35-django19"
        assert sorted(chosen) == sorted(f"{pair}{suffix}" for pair in pairs.split() for suffix in ("", "-socketio"))


@pytest.mark.parametrize(
    ("label", "asked"), [*((name, name) for name in ("browser", "deep", "load", "stress")), ("channels", "nothing")]
)
def test_labels_that_ask(label, asked):
    """The cells of a label that is called like a probe are asked that probe."""
    done = tox("-q", "config", "-m", label, "-k", "commands", "-x", "testenv.commands={env:HARNESS_PROBE:nothing}")
    assert set(re.findall(r"^commands = (\S+)", done.stdout, re.MULTILINE)) == {asked}, done.stdout + done.stderr


def test_quick_is_at_most_four():
    """`tox -m quick` is four cells and the report, each with an interpreter where there is one."""
    done = tox("-q", "config", "-m", "quick", "-k", "env_name")
    chosen = re.findall(r"^env_name = (\S+)", done.stdout, re.MULTILINE)
    assert len(chosen) == 5, done.stdout + done.stderr
    assert chosen[-1] == "quick-report"


def test_any_name():
    """Asked for by ``--any``, a cell that is not in the matrix is made all the same."""
    name = "py310-django42-asgi-granian"
    assert tox("-q", "config", "-e", name, "-k", "env_name").returncode != 0
    done = tox("-q", "config", "-e", name, "-k", "env_name", "--", "--any")
    assert f"env_name = {name}" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["py27-django81", "py27-djang18", "py27-django60", "py39-django22-nosuch", "pi27"])
def test_unknown_name(name):
    """A name that is not in the matrix is refused by name, also when its factors are known."""
    done = tox("-e", name)
    assert done.returncode not in (0, 1)
    assert name in done.stdout + done.stderr


@pytest.mark.parametrize("command", [["-m", "quik"], ["run-parallel", "-m", "quik"], ["list", "-m", "quik"]])
def test_unknown_label(command):
    """A label that is not in tox.ini is refused by name, and not a run of nothing."""
    done = tox(*command)
    assert done.returncode not in (0, 1)
    assert "quik is no label of tox.ini; did you mean quick?" in done.stdout + done.stderr


def missing() -> str | None:
    absent = [version for version in ("3.3", "3.4", "3.5", "3.14") if interpreters.find(version) is None]
    return absent[0] if absent else None


def test_missing_interpreter(tmp_path):
    """A cell without its interpreter is recorded as not tested, says how to get one, and is no success."""
    version = missing()
    if version is None:
        pytest.skip("every interpreter is here")
    cell = f"py{version.replace('.', '')}-django{'52' if version == '3.14' else '18' if version != '3.5' else '19'}"
    done = tox("-e", cell, reports=tmp_path)
    assert done.returncode != 0
    assert f"no Python {version} found" in done.stdout
    assert f"pyenv install {version}" in done.stdout + done.stderr
    assert read_result(tmp_path / "results" / f"{cell}.json").verdicts.overall.reason is Reason.INTERPRETER_MISSING


def test_progress(tmp_path):
    """A run of several cells says of each what its verdict is, and how long the rest will take."""
    version = missing()
    if version is None:
        pytest.skip("every interpreter is here")
    done = tox("run-parallel", "-p", "2", "-f", f"py{version.replace('.', '')}", reports=tmp_path)
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    number = len(lines)
    assert number > 1
    for place, line in enumerate(lines, 1):
        left = "all done" if place == number else "about a minute left"
        assert re.fullmatch(
            rf"\[ *{place}/{number}\] py\S+  ─ Not tested \(interpreter missing\)  \d+\.\d s; {left}", line
        ), line


def first_present(*cells: str) -> str:
    for cell in cells:
        if interpreters.find(str(interpreters.python_of(cell))) is not None:
            return cell
    pytest.skip(f"none of the interpreters of {', '.join(cells)} is here")


@pytest.mark.cell
@pytest.mark.parametrize(
    "cells",
    [("py27-django18",), ("py39-django22", "py38-django22", "py311-django22", "py310-django22", "py37-django22")],
    ids=["old", "newer"],
)
def test_real_cell_that_works(cells, tmp_path, no_survivors):
    """django-websocket-redis works where it is known to: 15 of 15, on a real server and a real broker."""
    cell = first_present(*cells)
    done = tox("-e", cell, reports=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = read_result(tmp_path / "results" / f"{cell}.json")
    assert result.verdicts.overall.verdict is Verdict.WORKS
    assert [exchange.good for exchange in result.exchanges] == [True] * 15
    assert result.unit_tests is not None
    assert (result.unit_tests.ran, result.unit_tests.failed, result.unit_tests.skipped) == (13, 0, 0)
    assert result.unit_tests.coverage_percent > 50
    assert "myapp" not in result.unit_tests.table
    answers = {finding.question: finding.good for finding in result.isolation}
    assert answers["What reaches Mary, who asks for John's channel?"] is True
    assert answers["What reaches a page of a foreign Origin, with John's cookie?"] is False
    assert any(name == "django-websocket-redis==0.6.0" for name in result.installation.added)


@pytest.mark.cell
def test_without_network(tmp_path):
    """What was fetched before is enough to make a legacy environment again, and to measure its cell."""
    cell = first_present("py27-django18")
    assert tox("-e", cell, reports=tmp_path, place="offline").returncode == 0
    nowhere = "http://127.0.0.1:1/simple"
    env = {"PIP_INDEX_URL": nowhere, "PIP_EXTRA_INDEX_URL": nowhere, "PIP_CONFIG_FILE": "/dev/null"}
    done = tox("-r", "-e", cell, reports=tmp_path, place="offline", **env)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.cell
def test_real_cell_that_does_not_work(tmp_path, no_survivors):
    """On Django 3.0 and newer the development server does not start, and the reason is the real one."""
    cell = first_present("py313-django52", "py312-django52", "py311-django52", "py310-django52", "py38-django30")
    done = tox("-e", cell, reports=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    result = read_result(tmp_path / "results" / f"{cell}.json")
    assert result.verdicts.overall.reason is Reason.SERVER_DID_NOT_START
    assert "No module named 'django.utils.six'" in result.verdicts.overall.text
    failed = [step for step in result.steps if step.outcome != "ok"]
    assert [step.name for step in failed] == ["runserver"]
    assert "Traceback" in failed[0].excerpt


#: Cells that are quick, one where each library works and one where it does not, with the reason and its words.
REAL = {
    "py311-django52-asgi": (Reason.WORKS, ""),
    "py311-django52-channels4": (Reason.WORKS, ""),
    "py310-django32-channels3": (Reason.WORKS, ""),
    "py313-django51-channels3": (Reason.MIGRATION_FAILED, "No module named 'cgi'"),
    "py38-django30-channels2": (Reason.WORKS, ""),
    "py312-django42-channels2": (Reason.SERVER_DID_NOT_START, "cannot import name 'LANGUAGE_SESSION_KEY'"),
    "py36-django111-channels1": (Reason.WORKS, ""),
    "py311-django32-channels1": (Reason.MIGRATION_FAILED, "cannot import name 'six'"),
    "py311-django52-pysocketio": (Reason.WORKS, ""),
    "py36-django32-pysocketio": (Reason.EXCHANGE_WRONG, "no attribute 'create_task'"),
    "py27-django18-socketio": (Reason.HANDSHAKE_REFUSED, "the server printed"),
    "py36-django111-socketio": (Reason.INSTALLATION_FAILED, "SyntaxError"),
}


@pytest.mark.cell
@pytest.mark.parametrize("cell", REAL)
def test_real_cells(cell, tmp_path, no_survivors):
    """Each library works where it is known to, and fails where it is known to, for the real reason."""
    first_present(cell)
    done = tox("-e", cell, reports=tmp_path, place="real")
    result = read_result(tmp_path / "results" / f"{cell}.json")
    reason, words = REAL[cell]
    assert result.verdicts.overall.reason is reason, done.stdout + done.stderr
    assert words in result.verdicts.overall.text
    assert done.returncode == (0 if reason is Reason.WORKS else 1)
    if reason is Reason.WORKS:
        assert [exchange.good for exchange in result.exchanges] == [True] * 15
        assert result.unit_tests is not None
        assert result.unit_tests.failed == 0
        assert result.unit_tests.coverage_percent > 50


@pytest.mark.cell
def test_transports(tmp_path, no_survivors):
    """On the control a message is polled, waited for and pushed; each costs what it must at least."""
    cell = first_present("py311-django52-asgi", "py312-django52-asgi", "py310-django52-asgi")
    done = tox("-e", cell, "--", "--probe", "transports", reports=tmp_path, place="real")
    assert done.returncode == 0, done.stdout + done.stderr
    costs = read_result(tmp_path / "results" / f"{cell}.json").varying.costs
    assert costs["WebSocket"].requests == 0
    assert costs["polling each 1 s"].requests > 1
    assert costs["long polling"].requests >= 1
    # Each look into Redis is a tenth of a second after the one before.
    assert costs["long polling"].latency_ms < costs["long polling that looks into Redis"].latency_ms < 200
    assert costs["WebSocket"].bytes < min(costs["long polling"].bytes, costs["polling each 1 s"].bytes)
    assert costs["polling each 1 s"].latency_ms > 10 * costs["WebSocket"].latency_ms


@pytest.mark.cell
def test_best_known_pins(tmp_path, no_survivors):
    """With the best known pins django-socketio carries the chat, though over nothing that a browser speaks."""
    cell = first_present("py27-django18-socketio-pins")
    tox("-e", cell, reports=tmp_path, place="real")
    result = read_result(tmp_path / "results" / f"{cell}.json")
    assert result.verdicts.django_server is not None
    assert result.verdicts.django_server.reason is Reason.WORKS
    # What works is one of its other ways; a socket as browsers open it is refused.
    assert result.verdicts.web_server.reason is Reason.HANDSHAKE_REFUSED
    assert result.verdicts.overall.reason is Reason.HANDSHAKE_REFUSED
    assert [variant.judgement.reason for variant in result.variants] == [Reason.WORKS, Reason.HANDSHAKE_REFUSED]


@pytest.mark.cell
def test_uwsgi_by_hand(tmp_path, no_survivors):
    """Both lines that the README starts uWSGI with serve the whole chat: the one alone, and the one of two workers."""
    name = first_present("py311-django42-uwsgi", "py38-django42-uwsgi", "py36-django32-uwsgi")
    done = tox("-e", name, "--notest", place="by-hand")
    assert done.returncode == 0, done.stdout + done.stderr
    programs = ROOT / ".tox" / "for-tests" / "by-hand" / name / "bin"
    setup = registry.setup_for(Cell.parse(name), registry.discover())
    wanted = setup.requirements(Cell.parse(name))
    subprocess.run([find_uv_bin(), "pip", "install", "--quiet", "--python", programs / "python", *wanted], check=True)
    lines = re.findall(r"^   (uwsgi --http .+)$", (ROOT / "README.rst").read_text("utf-8"), re.MULTILINE)
    assert ["--workers 2" in line for line in lines] == [False, True]
    client = setup.library
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "DJANGO_SETTINGS_MODULE": "chatserver.settings"}
    with broker.embedded(env, tmp_path) as running:
        env |= client.environment(running.url, "by-hand", tmp_path / "chat.sqlite3")
        for command in ("migrate --noinput", "loaddata data.json"):
            there = [str(programs / "python"), "manage.py", *command.split()]
            assert processes.run(there, env, ROOT, tmp_path / "manage.log", 60).exit_status == 0
        for line in lines:
            port = free_port()
            command = shlex.split(re.sub(r":\d+ ", f":{port} ", line))
            with processes.started(command, env, ROOT, tmp_path / "uwsgi.log") as process:
                readiness.wait_until_ready(process, port, 30)
                server = RunningServer(port, LOGIN, lambda: process.exit_status, running.subscribers, "by-hand")
                chat = Chat(client, server)
                chat.log_in()
                chat.connect()
                exchanges.check(exchanges.run(chat, first_round(chat.token)))
                chat.close()
    # What was put there by hand is not taken for what tox has made, though nothing was measured there yet.
    refused = tox("-e", name, reports=tmp_path, place="by-hand")
    assert refused.returncode != 0
    assert re.search(r"somebody has installed .*uwsgi", refused.stdout + refused.stderr, re.IGNORECASE)
