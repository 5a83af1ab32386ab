"""A broker with a replica, and a Sentinel that puts the replica in its place once it is gone.

Source: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/; the Valkey of the harness is all three.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import redis

from harness.errors import HarnessError
from harness.system import broker, processes
from harness.system.broker import OwnBroker
from harness.system.ports import free_port
from harness.system.waiting import wait_until

#: What the broker is called there.
NAME = "chat"
_SETTINGS = """\
port {port}
bind 127.0.0.1
dir "{folder}"
set-proc-title no
sentinel monitor {name} 127.0.0.1 {master} 1
sentinel down-after-milliseconds {name} 1000
sentinel failover-timeout {name} 3000
"""
#: Seconds until the three know each other, and until the replica has taken over.
_KNOWN = 15.0
_TAKEN_OVER = 20.0


class WatchedBroker:
    """The three of them, which are gone when the block is left."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.master = OwnBroker(env, folder, "master")
        self.replica = OwnBroker(env, folder, "replica", "--replicaof", "127.0.0.1", str(self.master.port))
        #: Where the Sentinel listens.
        self.port = free_port()
        self._env, self._folder = env, folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start them.

        Raises:
            HarnessError: one of them does not start, or they do not find each other.
        """
        with ExitStack() as stack:
            stack.enter_context(self.master).start()
            self._replica = stack.enter_context(self.replica).start().client
            settings = self._folder / "sentinel.conf"
            values = {"port": self.port, "folder": self._folder, "name": NAME, "master": self.master.port}
            settings.write_text(_SETTINGS.format(**values), encoding="utf-8")
            command = [str(broker.program()), str(settings), "--sentinel"]
            stack.enter_context(processes.started(command, self._env, self._folder, self._folder / "sentinel.log"))
            self._client = redis.Redis(port=self.port, socket_timeout=5)
            stack.callback(self._client.close)
            if not wait_until(self._knows, _KNOWN, every=0.05):
                raise HarnessError("a Sentinel did not start; its output is in sentinel.log", "run the cell again")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fail_over(self) -> None:
        """Kill the master, and wait until the replica has taken over.

        Raises:
            HarnessError: it does not.
        """
        self.master.kill()
        if not wait_until(lambda: self._master_port() == self.replica.port, _TAKEN_OVER, every=0.05):
            raise HarnessError("a replica did not take over; see sentinel.log", "run the cell again")

    def _knows(self) -> bool:
        """Tell whether the Sentinel knows the replica, and that one is in step with its master."""
        with suppress(redis.RedisError):
            in_step = self._replica.info("replication")["master_link_status"] == "up"
            return in_step and bool(self._client.sentinel_slaves(NAME))
        return False

    def _master_port(self) -> int:
        with suppress(redis.RedisError):
            address = self._client.sentinel_get_master_addr_by_name(NAME)
            return int(address[1]) if isinstance(address, tuple) else 0
        return 0
