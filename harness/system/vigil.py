"""Whether a broker has answered all the time: what a server did while it did not is no verdict on the server."""

from __future__ import annotations

import threading
import time
from typing import Self

import redis

from harness.errors import HarnessError
from harness.system.threads import start

#: Seconds between two questions, and those that a broker may leave one without an answer.
_EACH = 0.25
_SILENCE = 3.0


class Vigil:
    """Asks the broker at *url* for its name again and again, until the block is left."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=_SILENCE, socket_connect_timeout=_SILENCE)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="vigil", daemon=True)
        self._name = ""
        #: What was wrong, in a sentence; empty while nothing was.
        self.wrong = ""

    def __enter__(self) -> Self:
        start(self._thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def check(self) -> None:
        """Make sure that nothing was wrong.

        Raises:
            HarnessError: the broker was away for a while, or is another one than before.
        """
        if self.wrong:
            raise HarnessError(self.wrong, "run the cell again")

    def _watch(self) -> None:
        while not self.wrong and not self._over.wait(_EACH):
            self._ask()

    def _ask(self) -> None:
        began = time.monotonic()
        try:
            name = str(self._client.info("server")["run_id"])
        except redis.RedisError:
            self.wrong = "the broker was away for a while during the run"
            return
        took = time.monotonic() - began
        if took > _SILENCE:
            self.wrong = f"the broker took {took:.0f} s for an answer during the run"
        elif self._name and name != self._name:
            self.wrong = "the broker was restarted during the run"
        self._name = name
