"""HAProxy before a server, as its documentation has it for WebSockets.

Source: https://www.haproxy.com/documentation/haproxy-configuration-tutorials/protocol-support/websocket/: what is idle
in an upgraded connection is bounded by ``timeout tunnel`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Template

from harness.servers import front
from harness.system import processes
from harness.system.ports import free_port

#: Names the program, where it is not to be that on PATH.
HAPROXY = "HARNESS_HAPROXY"

_SETTINGS = Template("""\
global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel ${idle}s
  option redispatch
  retries 3
frontend members
  bind 127.0.0.1:$port
  default_backend chat
backend chat
$servers
""")


def find() -> str:
    """Return the program.

    Raises:
        NoFront: it is not here.
    """
    return front.find("haproxy", HAPROXY, "haproxy")


@contextmanager
def before(
    behind: Sequence[int], env: Mapping[str, str], folder: Path, *, idle: int = 3600
) -> Iterator[tuple[int, processes.Child]]:
    """Start HAProxy before servers on the ports *behind*; yield its own port, and its process.

    After so many seconds without anything in either direction (*idle*) it ends a WebSocket.

    Raises:
        NoFront: it is not here, or does not start.
    """
    program, port = find(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "haproxy.cfg"
    servers = "\n".join(f"  server chat{number} 127.0.0.1:{each}" for number, each in enumerate(behind))
    settings.write_text(_SETTINGS.substitute(port=port, servers=servers, idle=idle), encoding="utf-8")
    # In the foreground, as one process: -db.
    with front.running([program, "-db", "-f", str(settings)], env, folder, port) as child:
        yield port, child
