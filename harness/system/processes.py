"""Child processes: started in their own session, watched, and stopped with all they started.

Every child carries two marks in its environment. ``HARNESS_OWNER`` names the run that started
it: should that run be killed outright, the next one finds and ends what it left. ``HARNESS_CHILD``
names the child: it is inherited by whatever the child starts, also by what leaves its session.
A process can lose its environment (some overwrite it to set their title), so each child is written
to a ledger as well, and on Linux what a child abandons becomes the harness's own child.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from harness.errors import HarnessError, Interrupted
from harness.system import threads

OWNER = "HARNESS_OWNER"
CHILD = "HARNESS_CHILD"

#: See prctl(2): orphans become children of the nearest ancestor that asked for them.
_PR_SET_CHILD_SUBREAPER = 36

#: The processes that this one started itself, once it adopts what they abandon.
_started: set[int] = set()
_adopts = False
#: Held while a child is started, for until it is known it looks like one that was adopted.
_starting = threading.Lock()

#: How often what a process has left is looked for: ending one may leave another.
_LOOKS = 5
#: Seconds given to a process after each signal of the ladder.
PATIENCE = {signal.SIGINT: 6.0, signal.SIGTERM: 3.0, signal.SIGKILL: 5.0}


@dataclass(frozen=True)
class Ended:
    """How a child ended. *exit_status* is negative for a signal, as in :mod:`subprocess`."""

    exit_status: int | None
    timed_out: bool
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """How a child was stopped: by what, how long that took, and what it had left running."""

    by: str
    exit_status: int | None
    seconds: float
    left_behind: int

    def __str__(self) -> str:
        text = f"{self.by}, exit status {self.exit_status}, after {self.seconds:.1f} s"
        return text + (f", {self.left_behind} left behind and killed" if self.left_behind else "")


def owner_mark(checkout: Path) -> str:
    """Return the mark of this run: its process, when that began, and the checkout it is of."""
    return f"{os.getpid()}:{_birth(os.getpid())}:{_checkout_id(checkout)}"


def _checkout_id(checkout: Path) -> str:
    return hashlib.sha256(str(checkout.resolve()).encode()).hexdigest()[:16]


class Child:
    """A process that was started, with its whole output in one file."""

    def __init__(self, command: Sequence[str], env: dict[str, str], cwd: Path, log: Path) -> None:
        """Start *command*.

        Raises:
            HarnessError: the program does not exist or cannot be run, or *log* cannot be written.
        """
        self.mark = uuid.uuid4().hex
        #: Whether it was sent a signal on purpose: how it ended then says nothing of the machine.
        self.told = False
        self.log = log
        self.started = time.monotonic()
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output, _starting, threads.handing_down():
                self._popen = self._start(command, {**env, CHILD: self.mark}, cwd, output)
                _started.add(self.pid)
            # What is older was abandoned by somebody else, who may still need it.
            self._born: float = self._popen.create_time()
        except OSError as error:
            name, missing = Path(command[0]).name, isinstance(error, FileNotFoundError)
            hint = f"is {name} what is meant, and is it installed there?" if missing else ""
            raise HarnessError(f"{name} could not be started: {error.strerror}", hint) from error
        _note(env.get(OWNER, ""), self.pid)

    @staticmethod
    def _start(command: Sequence[str], env: dict[str, str], cwd: Path, output: IO[bytes]) -> psutil.Popen:
        return psutil.Popen(
            list(command),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id, which is its session's and its group's as well."""
        return int(self._popen.pid)

    @property
    def exit_status(self) -> int | None:
        """The exit status, or None while it runs."""
        status: int | None = self._popen.poll()
        return status

    def wait(self, deadline: float) -> Ended:
        """Wait until it ends, at most *deadline* seconds; then stop whatever is left of it."""
        try:
            status = self._popen.wait(timeout=deadline)
            timed_out = False
        except psutil.TimeoutExpired:
            status, timed_out = None, True
        seconds = time.monotonic() - self.started
        self.stop()
        return Ended(status if not timed_out else self.exit_status, timed_out, seconds)

    def listens_on(self, port: int) -> bool:
        """Tell whether this process, or one that it started, listens on *port*."""
        return any(port == other for _, other in self.listening())

    def listening(self) -> set[tuple[str, int]]:
        """Return the addresses and ports on which this process listens, or one that it started."""
        found: set[tuple[str, int]] = set()
        for process in self.family():
            with suppress(psutil.Error):
                for connection in process.net_connections(kind="tcp"):
                    if connection.status == psutil.CONN_LISTEN:
                        found.add((connection.laddr.ip, connection.laddr.port))
        return found

    def half_closed(self, port: int) -> int:
        """Return how many connections to *port* this process, or one that it started, has not closed after its peer."""
        found = 0
        for process in self.family():
            with suppress(psutil.Error):
                found += sum(
                    connection.status == psutil.CONN_CLOSE_WAIT and connection.laddr.port == port
                    for connection in process.net_connections(kind="tcp")
                )
        return found

    def kill(self) -> None:
        """Kill it, and leave it to whoever watches it to find that out."""
        self.tell(signal.SIGKILL)

    def tell(self, number: signal.Signals) -> None:
        """Send it, and all of its session, a signal."""
        if self.exit_status is None:
            self.told = True
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def family(self) -> list[psutil.Process]:
        """Return the process and all it started that still runs, wherever that has gone."""
        found: dict[int, psutil.Process] = {}
        with suppress(psutil.Error):
            me = psutil.Process(self.pid)
            if me.status() != psutil.STATUS_ZOMBIE:
                found[me.pid] = me
            found.update({process.pid: process for process in me.children(recursive=True)})
        found.update({process.pid: process for process, mark in _marked(CHILD) if mark == self.mark})
        found.update({process.pid: process for process in _in_session(self.pid)})
        found.update({process.pid: process for process in _adopted(self._born)})
        return list(found.values())

    def memory(self) -> int:
        """Return how many bytes of memory the process has, and all it started."""
        found = 0
        for each in self.family():
            with suppress(psutil.Error):
                found += each.memory_info().rss
        return found

    def stop(self, gently: bool = True) -> Stopped:
        """End it and all it started: SIGINT, then SIGTERM, then SIGKILL; the last at once unless *gently*."""
        began = time.monotonic()
        by = "had ended"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) if gently else (signal.SIGKILL,):
            if self.exit_status is not None:
                break
            by = signal.Signals(number).name
            with suppress(psutil.Error, ProcessLookupError):
                os.killpg(self.pid, number)
            with suppress(psutil.TimeoutExpired):
                self._popen.wait(timeout=PATIENCE[number])
        seconds = time.monotonic() - began
        found = 0
        for _ in range(_LOOKS):
            left = [process for process in self.family() if process.pid != self.pid]
            if not left:
                break
            found += len(left)
            end(left)  # which may leave others behind
        return Stopped(by, self.exit_status, seconds, found)


def run(command: Sequence[str], env: dict[str, str], cwd: Path, log: Path, deadline: float) -> Ended:
    """Run *command* to its end, at most *deadline* seconds, with its whole output in *log*."""
    with started(command, env, cwd, log) as child:
        return child.wait(deadline)


@contextmanager
def started(command: Sequence[str], env: dict[str, str], cwd: Path, log: Path) -> Iterator[Child]:
    """Start *command*; when the block is left, however, nothing of it runs any more."""
    child = Child(command, env, cwd, log)
    try:
        yield child
    finally:
        child.stop()


def end(processes: Sequence[psutil.Process]) -> None:
    """Kill *processes*, and wait until they are gone."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(list(processes), timeout=PATIENCE[signal.SIGKILL])


@contextmanager
def owning(checkout: Path) -> Iterator[str]:
    """Begin a run: end what killed runs of this *checkout* left, and adopt what children abandon.

    Yields:
        The mark of this run, for the environment of its children.
    """
    global _adopts
    sweep(checkout)
    if sys.platform == "linux":
        _adopts = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    mark = owner_mark(checkout)
    os.environ[OWNER] = mark  # also for what is started without a Child, such as a fetching pip
    try:
        yield mark
    finally:
        os.environ.pop(OWNER, None)
        _ledger(mark).unlink(missing_ok=True)
        with suppress(OSError):  # another run of this checkout has its own there
            _ledger(mark).parent.rmdir()


def _ledger(mark: str) -> Path:
    """Return the file in which the run of *mark* notes its children."""
    pid, birth, checkout_id = mark.split(":")
    return Path(tempfile.gettempdir()) / f"harness-{os.getuid()}-{checkout_id}" / f"{pid}-{birth}"


def _note(mark: str, pid: int) -> None:
    if mark:
        ledger = _ledger(mark)
        with suppress(psutil.Error), _opened(ledger) as file:
            file.write(f"{pid} {_birth(pid)}\n")


def _opened(ledger: Path) -> IO[str]:
    """Return *ledger*, opened to add to it; its folder may just be removed by a run that ends."""
    while True:
        ledger.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            return ledger.open("a", encoding="utf-8")


def _noted(checkout: Path) -> Iterator[psutil.Process]:
    """Yield what stands in the ledgers of dead runs of *checkout*, with all of its session; forget them."""
    folder = _ledger(f"0:0:{_checkout_id(checkout)}").parent
    try:
        ledgers = list(folder.iterdir()) if folder.stat().st_uid == os.getuid() else []
    except FileNotFoundError:
        return
    for ledger in ledgers:
        pid, _, birth = ledger.name.partition("-")
        if _alive(int(pid), birth):
            continue
        with suppress(FileNotFoundError):  # its run has just ended, or another one swept it
            for line in ledger.read_text(encoding="utf-8").splitlines():
                child, _, began = line.partition(" ")
                if _alive(int(child), began):
                    yield psutil.Process(int(child))
                    yield from _in_session(int(child))
        ledger.unlink(missing_ok=True)


def _in_session(leader: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _adopted(since: float) -> Iterator[psutil.Process]:
    """Yield the children of this process that it did not start: what its children abandoned."""
    with _starting:
        children = psutil.Process().children() if _adopts else []
    for process in children:
        with suppress(psutil.Error):
            known = process.pid in _started or process.create_time() < since
            if not known and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def sweep(checkout: Path) -> int:
    """End what runs of this *checkout* left behind when they were killed; return how many."""
    orphans = list(_noted(checkout))
    for process, owner in _marked(OWNER):
        with suppress(psutil.Error, ValueError):
            pid, birth, checkout_id = owner.split(":")
            if checkout_id == _checkout_id(checkout) and not _alive(int(pid), birth):
                orphans.append(process)
    end(orphans)
    return len({process.pid for process in orphans})


def _birth(pid: int) -> str:
    """Return what tells a process from all others that have, had or will have its number.

    On Linux that is the boot and the ticks since then: a time of day moves when the clock is set.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")
    except OSError:
        return str(psutil.Process(pid).create_time())
    # proc(5): the name, in parentheses, may hold spaces; starttime is the 20th field after it.
    return f"{boot[:8]}.{stat.rpartition(')')[2].split()[19]}"


def _alive(pid: int, birth: str) -> bool:
    try:
        return _birth(pid) == birth
    except psutil.Error:
        return False


def _marked(name: str) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the processes of this user whose environment has *name*, with its value.

    The environment is read once: what a process executes next may have another one.
    """
    uid = os.getuid()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.uids().real != uid:
                continue
            found = process.environ().get(name)
            if found is not None:
                yield process, found


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into :class:`Interrupted`, and ignore the next.

    A terminal and tox both send SIGINT; the second must not cut short what cleans up.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
