"""``doctor``: what is here, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from pathlib import Path

import click
from rich.text import Text

from harness import ROOT
from harness.commands import options
from harness.commands.terminal import console, signed
from harness.environments import interpreters
from harness.errors import HarnessError
from harness.matrix import listing
from harness.report.view import read_view
from harness.results.folder import Reports
from harness.servers import haproxy, nginx
from harness.servers.front import NoFront
from harness.system import broker, postgresql, processes

#: Bytes that all environments of the matrix take, roughly.
_ROOM = 20_000_000_000


@click.command()
@options.reports
def doctor(reports: Reports) -> int:
    """Say which interpreters, which tox and which broker are here, and what to do about the rest.

    Processes that a killed run of this checkout has left are ended.
    """
    # Each part is asked, also where one before it is in trouble.
    good = [_interpreters(), _packages(), _broker(), _programs(), _processes(), _disk(), _results(reports)]
    return 0 if all(good) else HarnessError.exit_code


def _say(good: bool, text: str, hint: str = "") -> None:
    terminal = console()
    terminal.print(signed(good).append(f" {text}", style="default"))
    if hint:
        terminal.print(Text(f"    {hint}", style="dim"))


def _interpreters() -> bool:
    """Say which Pythons of the matrix are here; tell whether any is."""
    versions = sorted({cell.python for cell in listing.cells()}, key=lambda version: [*map(int, version.split("."))])
    for version in versions:
        interpreter = interpreters.find(version)
        if interpreter is not None:
            _say(True, f"Python {version}: {interpreter.version}")
        else:
            _say(False, f"Python {version}: not found; its cells are not tested", interpreters.how_to_get(version))
    return any(map(interpreters.find, versions))


def _packages() -> bool:
    for package in ("tox", "tox-uv", "uv", "websocket-client"):
        _say(True, f"{package} {importlib.metadata.version(package)}")
    return True


def _programs() -> bool:
    """Say whether a browser, NGINX and HAProxy are here; without them only what needs them is not tested."""
    from harness.clients import chromium  # what drives browsers takes long to import

    try:
        programs = chromium.find()
        _say(True, f"browser: {programs.chromium} and {programs.chromedriver}")
    except chromium.NoBrowser as error:
        _say(False, "browser: none; `--probe browser` is not tested", str(error))
    for name, find, without in (
        ("NGINX", nginx.find, "`load` and `deployment` do not test what stands behind it"),
        ("HAProxy", haproxy.find, "`deployment` does not test what stands behind it"),
        ("PostgreSQL", postgresql.find, "Channels' PostgreSQL layer is not tested"),
    ):
        try:
            _say(True, f"{name}: {find()}")
        except (NoFront, postgresql.NoPostgreSQL) as error:
            _say(False, f"{name}: none; {without}", str(error))
    return True


def _broker() -> bool:
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            broker.embedded({"PATH": "/usr/bin:/bin"}, Path(folder)) as running,
        ):
            _say(True, f"broker: the embedded {running.version} starts and answers")
        return True
    except HarnessError as error:
        _say(False, f"broker: {error}", error.hint)
        return False


def _processes() -> bool:
    left = processes.sweep(ROOT)
    said = f"processes left by killed runs: {left} found and ended" if left else "no process of a killed run is left"
    _say(True, said)
    return True


def _disk() -> bool:
    free = shutil.disk_usage(ROOT).free
    _say(free > _ROOM, f"{free / 1e9:.0f} GB of disk are free; all environments together take about {_ROOM / 1e9:.0f}")
    return True


def _results(reports: Reports) -> bool:
    damaged = read_view(reports).damaged
    for each in damaged:
        _say(False, str(each), each.hint)
    return not damaged
