"""Fake libraries, one for each way to misbehave; ``tests/fakes/project`` is their server side."""

import sys
from pathlib import Path
from typing import ClassVar

from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.chat.members import ChannelRow
from harness.clients.connection import Endpoint
from harness.libraries.base import Variant
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.libraries.envelope import JsonChat
from harness.results.installed import Pin
from harness.servers.catalogue import Deployment, Server

NAMES = (
    "behaves",
    "hangs-up",
    "delays",
    "stalls",
    "drops",
    "leaks-user",
    "leaks-group",
    "twice",
    "reorders",
    "truncates",
    "recodes",
    "refuses-403",
    "refuses-500",
    "answers-garbage",
    "closes",
    "never-ready",
    "never-listens",
    "speaks-garbage",
    "fails-to-start",
    "dies",
    "dies-mid",
    "locks-out",
    "breaks-pages",
    "ignores-signals",
    "leaves-a-grandchild",
    "floods",
    "prints-hostile-text",
    "port-taken-once",
    "port-taken-always",
    "fails-migrate",
    "fails-loaddata",
    "fails-check",
    "fails-migrate-for-room",
    "complains-of-room",
    "fails-test",
    "cannot-be-installed",
    "slow",
    "is-killed",
    "ends-the-broker",
    "has-a-faulty-module",
    "asks-an-index",
    "loses-broadcasts",
    "repeats-later",
    "leaks-later",
    "sends-binary",
    "is-proxied",
    "loses-its-script",
    "redirects",
    "refuses-with-secrets",
    "tells-secrets",
    "prints-its-environment",
    "warns-a-lot",
    "drips",
    "leaves-a-daemon",
    "leaks-to-strangers",
    "leaks-wrapped",
    "hears-strangers",
    "posts-for-strangers",
    "dies-of-strangers",
    "doubles-bursts",
    "has-variants",
    "listens-elsewhere",
    "leaks-much-later",
    "repeats-much-later",
    "copies-beside-the-fifteen",
    "drops-repeats",
    "trickles",
    "serves-strangers-late",
    "closes-afterwards",
    "ends-quietly",
    "knows-by-order",
    "tells-it-by-numbers",
    "stalls-by-itself",
    "masks-frames",
    "writes-long-lengths",
    "sets-reserved-bits",
    "breaks-utf-8",
    "nests-json",
    "chooses-a-subprotocol",
    "chooses-an-extension",
    "drips-a-handshake",
    "tells-strangers-everything",
    "shows-johns-pages",
    "starts-once",
    "says-in-use",
    "crashes-in-migrate",
    "is-ended-in-migrate",
    "turns",
)
#: Those that are waited for in vain; the others have the time of a real one, for a machine may be slow.
NEVER_READY = ("never-ready", "never-listens", "starts-once", "says-in-use")
#: Those whose frames are JSON, on one connection for each member.
JSON_NAMES = (
    "behaves-in-json",
    "names-another-sender",
    "names-another-channel",
    "tells-what-was-said",
    "tells-it-by-numbers",
    "knows-by-order",
)


def _library(fake: str) -> type[DjangoWebsocketRedis]:
    class Fake(DjangoWebsocketRedis):
        name: ClassVar[str] = f"fake-{fake}"
        suffix: ClassVar[str] = f"fake-{fake}"
        settings: ClassVar[str] = "fake.settings"
        keeping: ClassVar[dict[str, str]] = {}
        ready_deadline: ClassVar[float] = 5.0 if fake in NEVER_READY else DjangoWebsocketRedis.ready_deadline

        def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
            return [Deployment("behind NGINX", proxied=True)] if fake == "is-proxied" else [Deployment("1 process")]

        def requirements(self, cell: Cell) -> list[str]:
            if fake == "cannot-be-installed":
                return [str(Path(__file__).parent.parent / "unbuildable")]
            # What the last is made of is an index's that a test has.
            return {"asks-an-index": ["no-such-package-anywhere"], "turns": ["library"]}.get(fake, [])

        def pins(self, cell: Cell) -> list[Pin]:
            return []

        def project(self, root: Path) -> Path:
            return Path(__file__).parent.parent / "project"

        def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
            return {"FAKE": fake, "CHAT_REDIS_URL": redis_url, "FAKE_NOTE": str(database.parent / "note")}

        def serve(self, python: Path, port: int, server: Server) -> list[str]:
            if fake == "turns":  # the cell has no more than what it is about
                return [sys.executable, "manage.py", "runserver", str(port), str(python.parent.parent)]
            return [str(python), "manage.py", "runserver", str(port)]

        def variants(self, cell: Cell) -> list[Variant]:
            if fake != "has-variants":
                return []
            kinds = ("drops", "fails-to-start")
            return [Variant("the same again"), *(Variant(f"one that {kind}", {"FAKE": kind}) for kind in kinds)]

        def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
            if fake == "has-a-faulty-module":
                raise ZeroDivisionError("nobody foresaw this")
            return super().expected(row)

        def subscribed(self, chat: Chat) -> bool:
            return True

    return Fake


def _json_library(fake: str) -> type[JsonChat]:
    plain = _library(fake)

    class JsonFake(JsonChat):
        name: ClassVar[str] = f"fake-{fake}"
        suffix: ClassVar[str] = f"fake-{fake}"
        settings: ClassVar[str] = plain.settings
        ready_deadline: ClassVar[float] = plain.ready_deadline

        def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
            return plain().deployments(cell, server)

        def requirements(self, cell: Cell) -> list[str]:
            return []

        def pins(self, cell: Cell) -> list[Pin]:
            return []

        def project(self, root: Path) -> Path:
            return plain().project(root)

        def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
            return plain().environment(redis_url, prefix, database)

        def serve(self, python: Path, port: int, server: Server) -> list[str]:
            return plain().serve(python, port, server)

    return JsonFake


globals().update({f"Fake {fake}": _library(fake) for fake in NAMES})
globals().update({f"Fake {fake}": _json_library(fake) for fake in JSON_NAMES})
