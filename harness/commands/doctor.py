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
from harness.commands.terminal import console
from harness.environments import interpreters
from harness.errors import HarnessError
from harness.matrix import listing
from harness.report.view import read_view
from harness.results.folder import Reports
from harness.system import broker, processes

#: Bytes that all environments of the matrix take, roughly.
_ROOM = 20_000_000_000


@click.command()
@options.reports
def doctor(reports: Reports) -> int:
    """Say which interpreters, which tox and which broker are here, and what to do about the rest.

    Processes that a killed run of this checkout has left are ended.
    """
    from harness.clients import chromium  # what drives browsers takes long to import
    from harness.servers import nginx

    terminal = console()
    trouble = 0

    def say(good: bool, text: str, hint: str = "") -> None:
        line = Text("✓ " if good else "✗ ", style="green" if good else "red")
        terminal.print(line.append(text, style="default"))
        if hint:
            terminal.print(Text(f"    {hint}", style="dim"))

    versions = sorted({cell.python for cell in listing.cells()}, key=lambda version: [*map(int, version.split("."))])
    found = [version for version in versions if interpreters.find(version)]
    for version in versions:
        interpreter = interpreters.find(version)
        if interpreter is not None:
            say(True, f"Python {version}: {interpreter.version}")
        else:
            say(False, f"Python {version}: not found; its cells are not tested", interpreters.how_to_get(version))
    if not found:
        trouble = 1
    for package in ("tox", "tox-uv", "uv", "websocket-client"):
        say(True, f"{package} {importlib.metadata.version(package)}")
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            broker.embedded({"PATH": "/usr/bin:/bin"}, Path(folder)) as running,
        ):
            say(True, f"broker: the embedded {running.version} starts and answers")
    except HarnessError as error:
        trouble = 1
        say(False, f"broker: {error}", error.hint)
    try:
        programs = chromium.find()
        say(True, f"browser: {programs.chromium} and {programs.chromedriver}")
    except chromium.NoBrowser as error:
        say(False, "browser: none; `--probe browser` is not tested", str(error))
    try:
        say(True, f"NGINX: {nginx.find()}")
    except nginx.NoNginx as error:
        say(False, "NGINX: none; `--probe load` does not test what stands behind it", str(error))
    left = processes.sweep(ROOT)
    say(
        True, f"processes left by killed runs: {left} found and ended" if left else "no process of a killed run is left"
    )
    free = shutil.disk_usage(ROOT).free
    say(free > _ROOM, f"{free / 1e9:.0f} GB of disk are free; all environments together take about {_ROOM / 1e9:.0f}")
    for damaged in read_view(reports).damaged:
        trouble = 1
        say(False, str(damaged), damaged.hint)
    return HarnessError.exit_code if trouble else 0
