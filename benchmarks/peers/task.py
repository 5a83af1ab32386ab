"""The task that every peer is given: subscribers connect, one publisher speaks, and what each got is counted."""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.size import FULL

#: Seconds that all sockets have to open, and that a message has to reach everybody.
CONNECTING = 60.0
REACHING = 10.0


@dataclass(frozen=True)
class Task:
    """How many subscribers there are at which port, and how many messages they are sent, one after the other."""

    port: int
    subscribers: int = FULL.subscribers
    messages: int = FULL.messages

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def texts(self) -> list[str]:
        """The messages, and at the end a fence: whatever came twice has come when it arrives."""
        return [*(f"message {number}" for number in range(self.messages)), "fence"]

    @classmethod
    def read(cls, arguments: list[str] | None = None) -> Task:
        """Return what the command line asks for."""
        parser = argparse.ArgumentParser(description="Give one client the task, and print what came of it.")
        parser.add_argument("port", type=int)
        parser.add_argument("--subscribers", type=int, default=cls.subscribers)
        parser.add_argument("--messages", type=int, default=cls.messages)
        return cls(**vars(parser.parse_args(arguments)))


@dataclass
class Counts:
    """How often each subscriber got each text; *reached* is told the number of a text that everybody has."""

    task: Task
    reached: Callable[[int], object]

    def __post_init__(self) -> None:
        texts = self.task.texts
        self.numbers = {text: number for number, text in enumerate(texts)}
        self.times = [[0] * self.task.subscribers for _ in texts]
        self.took: list[list[float]] = [[] for _ in texts]
        self.sent = [0.0] * len(texts)
        # Counted so that threads can do it at once without a lock.
        self._having = [itertools.count(1) for _ in texts]

    def send(self, number: int) -> str:
        """Note that a text is being sent; return it."""
        self.sent[number] = time.perf_counter()
        return self.task.texts[number]

    def arrive(self, subscriber: int, text: str) -> None:
        """Count a text; one that nobody sent is an error."""
        at = time.perf_counter()
        number = self.numbers[text]
        times = self.times[number]
        times[subscriber] += 1
        if times[subscriber] == 1:
            self.took[number].append(at - self.sent[number])
            if next(self._having[number]) == self.task.subscribers:
                self.reached(number)

    def result(self) -> dict[str, float | None]:
        """Return the part of the row that is counted; the fence is no part of it."""
        times, took = (list(itertools.chain(*each[:-1])) for each in (self.times, self.took))
        return {**summed(times), **percentiles(took)}


def summed(counted: list[int]) -> dict[str, float | None]:
    """Return what was delivered, lost and duplicated, from how often each subscriber got each message."""
    return {
        "delivered": sum(times > 0 for times in counted),
        "lost": sum(times == 0 for times in counted),
        "duplicated": sum(times - 1 for times in counted if times > 1),
    }


def percentiles(took: list[float]) -> dict[str, float | None]:
    """Return the median and the 99th percentile in milliseconds; None where nothing was delivered."""
    took = sorted(took)
    return {
        f"p{percent}_ms": round(took[int(len(took) * percent / 100)] * 1000, 3) if took else None
        for percent in (50, 99)
    }


class Usage:
    """What the process and its children take, from when this is made: after the imports."""

    def __init__(self) -> None:
        self._marks = [self._now()]

    @staticmethod
    def _now() -> tuple[float, float]:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)

    def mark(self) -> None:
        """Note that a phase is over: first connecting, then delivering."""
        self._marks.append(self._now())

    def result(self) -> dict[str, float | None]:
        """Return the part of the row that is used, until now."""
        (began, before), (connected, connecting), (_, delivering) = self._marks
        return {
            "connect_seconds": round(connected - began, 4),
            **self.total(),
            "connect_cpu_seconds": round(connecting - before, 4),
            "delivery_cpu_seconds": round(delivering - connecting, 4),
        }

    def total(self) -> dict[str, float | None]:
        """Return the CPU in all, until now, and the most memory."""
        return {"cpu_seconds": round(self._now()[1] - self._marks[0][1], 4), "memory_mb": peak_memory()}


def peak_memory() -> float:
    """Return the most memory that this process has had, in MB; that of who started it is no part of it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6, 1)


def room() -> None:
    """Raise the limit of file descriptors as far as it goes."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def show(name: str, connected: int, *parts: dict[str, float | None], **notes: str) -> None:
    """Print the row."""
    row: dict[str, object] = {"name": name, "connected": connected}
    for part in parts:
        row |= part
    print(json.dumps(row | notes), flush=True)
