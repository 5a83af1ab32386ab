"""The server of a cell gets a port of its own, and whose fault it is when it does not."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from harness import serve
from harness.broker import Broker
from harness.cells import Cell
from harness.errors import HarnessError
from harness.libraries import Subject
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.result import Step
from harness.scrub import Scrubber
from harness.serve import Served, Site
from harness.servers import SERVERS, Server
from harness.steps import Recorder


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
    subject = Subject(Listens(), SERVERS["runserver"], "today")
    site = Site(
        cell, subject, Path(sys.executable), tmp_path, dict(os.environ), broker, "", recorder, tmp_path, {}, 100
    )
    served = Served()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        monkeypatch.setattr(serve, "free_port", lambda: stranger.getsockname()[1])
        with pytest.raises(HarnessError, match="other processes take every port"), site.serving("runserver", served):
            pytest.fail("there is no server")
    assert len(served.repeated) == 2
