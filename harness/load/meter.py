"""Measure what a server and its broker take while a load step runs, and describe the machine."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil
import redis

from harness.load.crowd import room_for_sockets
from harness.results.loads import Machine, Usage
from harness.system.broker import Broker
from harness.system.processes import Child
from harness.system.processors import processors
from harness.system.waiting import Deadline

#: Seconds between two looks.
_EACH = 0.2
#: Files more than before that are no crowd's, and the share of a core that an idle server takes.
_FEW = 20
_IDLE = 0.2


@dataclass
class Meter:
    """The usage of a server's processes, and of its broker; None until it has been measured."""

    #: The processes that serve, each with all that it started.
    children: Sequence[Child]
    broker: Broker
    server: Usage | None = None
    broker_usage: Usage | None = None
    #: How many files the server had open before the step.
    files: float = 0
    _most: float = 0.0
    _processes: list[psutil.Process] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure until the block is left."""
        self._processes = [process for child in self.children for process in child.family()]
        before, asked, self.files = self._cpu(), self._asked(), self._files()
        over = threading.Event()
        looking = threading.Thread(target=self._look, args=(over,), daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()
            self.server = Usage(
                cpu_seconds=round(max(self._cpu() - before, 0.0), 3), memory_mb=round(self._most / 1e6, 1)
            )
            now = self._asked()
            if asked and now:
                self.broker_usage = Usage(
                    cpu_seconds=round(now[0] - asked[0], 3), memory_mb=round(max(now[1], asked[1]) / 1e6, 1)
                )

    def settle(self, seconds: float) -> None:
        """Wait until the server has let go of a crowd that has left, at most so many *seconds*.

        It has when it has closed their sockets and then is idle: some tell the broker of each one that has gone.
        """
        deadline = Deadline(seconds)
        while not deadline.over:
            before = self._cpu()
            time.sleep(_EACH)  # over which it is idle, or not
            if self._files() <= self.files + _FEW and self._cpu() - before < _IDLE * _EACH:
                return

    def _look(self, over: threading.Event) -> None:
        while True:
            self._most = max(self._most, self._total(lambda process: process.memory_info().rss))
            if over.wait(_EACH):
                return

    def _files(self) -> float:
        return self._total(lambda process: process.num_fds())

    def _cpu(self) -> float:
        return self._total(lambda process: sum(process.cpu_times()[:2]))  # in user and in kernel mode

    def _total(self, of: Callable[[psutil.Process], float]) -> float:
        """Return the sum over the server's processes; those that have ended do not count."""
        total = 0.0
        for process in self._processes:
            with suppress(psutil.Error):
                total += of(process)
        return total

    def _asked(self) -> tuple[float, float] | None:
        """Return the CPU seconds and the memory of the broker, as it says itself."""
        try:
            cpu, memory = self.broker.client.info("cpu"), self.broker.client.info("memory")
            return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"]), float(memory["used_memory_rss"])
        except (redis.RedisError, KeyError, ValueError):
            return None


def machine() -> Machine:
    """Return what everything runs on."""
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        cpus=processors(),
        memory_mb=psutil.virtual_memory().total // 1_000_000,
        file_descriptors=room_for_sockets(),
    )
