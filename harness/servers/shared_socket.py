"""Start several processes that share one listening socket: ``share.py PORT NUMBER COMMAND...``.

Each gets the socket as its standard input, as Supervisor's ``fcgi-program`` does and daphne's ``--fd 0`` expects;
source: https://channels.readthedocs.io/en/stable/deploying.html. They end with this process, and it with any of them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from types import FrameType


def main(port: int, number: int, command: list[str]) -> int:
    """Run *command* *number* times on *port* of loopback; return the exit status of the first that ends."""

    def stop(signal_number: int, frame: FrameType | None) -> None:
        for each in running:
            each.send_signal(signal_number)

    running: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, stop)
        running += [subprocess.Popen(command, stdin=listener.fileno()) for _ in range(number)]
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # whichever ends first, which is then looked for
    ended = [status for each in running if (status := each.poll()) is not None]
    for each in running:
        each.terminate()
    for each in running:
        each.wait()
    return ended[0]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
