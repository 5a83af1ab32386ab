"""The control: WebSockets in Django without any library, over ASGI."""

from __future__ import annotations

from typing import ClassVar

from harness.cells import Cell
from harness.libraries.base import ALL_TRIALS
from harness.libraries.envelope import JsonChat
from harness.results.result import Decides
from harness.servers.catalogue import Application


class PlainAsgi(JsonChat):
    """Django as an ASGI application, and a coroutine beside it for WebSockets."""

    name: ClassVar[str] = "plain-asgi"
    package: ClassVar[str] = "Django"
    suffix: ClassVar[str] = "asgi"
    settings: ClassVar[str] = "myapp.plain.settings"
    application: ClassVar[Application] = Application(asgi="myapp.plain.asgi:application")
    polls: ClassVar[bool] = True
    uses_broker: ClassVar[bool] = False
    decides: ClassVar[dict[str, Decides]] = dict.fromkeys(("origin", "login", "after"), "project")
    trials: ClassVar[frozenset[str]] = ALL_TRIALS
    echo: ClassVar[str] = "/echo/"
    trial_application: ClassVar[Application | None] = Application(asgi="myapp.plain.trials:application")
    servers: ClassVar[tuple[str, ...]] = ("uvicorn", "daphne", "hypercorn", "granian", "gunicorn")

    def requirements(self, cell: Cell) -> list[str]:
        return []
