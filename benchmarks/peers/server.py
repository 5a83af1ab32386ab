"""The server of the task: every text that anybody sends goes to all who are connected."""

from __future__ import annotations

import asyncio
import resource
import sys

import picows
import uvloop

#: How many connections may wait to be accepted: the peers that open all at once are not to be refused.
_BACKLOG = 4096


class _Connection(picows.WSListener):
    """One connection of all."""

    def __init__(self, everybody: set[picows.WSTransport]) -> None:
        self.everybody = everybody

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.everybody.add(transport)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            data = frame.get_payload_as_bytes()
            for each in self.everybody:
                each.send(picows.WSMsgType.TEXT, data)
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            # As it came: of none, picows would make the code 0, which there is not; RFC 6455, section 7.4.
            transport.send(picows.WSMsgType.CLOSE, frame.get_payload_as_bytes())
            transport.disconnect()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.everybody.discard(transport)


async def _serve() -> None:
    everybody: set[picows.WSTransport] = set()
    server = await picows.ws_create_server(lambda _: _Connection(everybody), "127.0.0.1", 0, backlog=_BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it ends it by closing its input, and so does their end.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Print the port, and serve until the input is closed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
