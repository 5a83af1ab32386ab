"""The server of a cell gets a port of its own, and whose fault it is when it does not."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from harness.captured.scrub import Scrubber
from harness.cell import server
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.cell.steps import Recorder
from harness.cells import Cell
from harness.errors import HarnessError
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Step
from harness.servers.catalogue import SERVERS, Server
from harness.system.broker import Broker


class Listens(DjangoWebsocketRedis):
    def serve(self, python: Path, port: int, server: Server) -> list[str]:
        return [str(python), "-c", f"import socket; socket.create_server(('127.0.0.1', {port}))"]


class Nobody:
    def begin(self, name: str) -> None: ...

    def end(self, step: Step, seconds: float) -> None: ...


def test_strangers_on_every_port(tmp_path, monkeypatch):
    """Who finds every port taken by strangers has no verdict to give."""
    work, evidence = tmp_path / "work", tmp_path / "evidence"
    work.mkdir()
    evidence.mkdir()
    cell = Cell.parse("py311-django52")
    recorder = Recorder(work, evidence, Scrubber({}), Nobody())
    broker = Broker.__new__(Broker)  # nobody comes to ask it anything
    own = CellServer(
        cell=cell,
        setup=Setup(Listens(), SERVERS["runserver"], "today"),
        python=Path(sys.executable),
        project=tmp_path,
        env=dict(os.environ),
        broker=broker,
        database=work / "chat.sqlite3",
        prefix="",
        recorder=recorder,
        reports=Reports(tmp_path),
        packages={},
        sockets=100,
    )
    observed = Observations()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        monkeypatch.setattr(server, "free_port", lambda: stranger.getsockname()[1])
        with pytest.raises(HarnessError, match="other processes take every port"), own.serving("runserver", observed):
            pytest.fail("there is no server")
    assert len(observed.repeated) == 2
