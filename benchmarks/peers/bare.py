"""The limit for Python: the same fan-out straight on sockets and epoll, with the handshake and the frames by hand.

It knows what this one task needs, texts of fewer than 126 bytes, and answers neither pings nor what is broken: how
near a real client comes to it is what it is for.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field

from benchmarks.peers.task import CONNECTING, REACHING, Counts, Task, Usage, room, show

_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
#: What that key is answered with; RFC 6455, section 1.3.
_ACCEPTED = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
_TEXT = 0x81
_BUFFER = 4096


@dataclass
class Bare:
    """All sockets on one epoll, the publisher's as the last of them."""

    task: Task
    epoll: select.epoll = field(default_factory=select.epoll)
    sockets: list[socket.socket] = field(default_factory=list)
    #: What has arrived of a frame that is not whole, by the file descriptor.
    parts: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = Counts(self.task, lambda _: None)
        self.numbers = {text.encode(): number for text, number in self.counts.numbers.items()}

    def connect(self) -> int:
        """Open every socket, the publisher's too; return how many subscribers are connected."""
        request, waiting = _REQUEST % self.task.port, {}
        for _ in range(self.task.subscribers + 1):
            # The system itself answers on the loopback, so nothing waits here.
            opened = socket.create_connection(("127.0.0.1", self.task.port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.sendall(request)
            opened.setblocking(False)
            self.epoll.register(opened, select.EPOLLIN)
            self.sockets.append(opened)
            waiting[opened.fileno()] = opened
        until = time.perf_counter() + CONNECTING
        while waiting and time.perf_counter() < until:
            for descriptor, _ in self.epoll.poll(CONNECTING):
                answer = self.parts.pop(descriptor, b"") + waiting[descriptor].recv(_BUFFER)
                if not answer.endswith(b"\r\n\r\n"):
                    self.parts[descriptor] = answer
                elif answer.startswith(b"HTTP/1.1 101 ") and _ACCEPTED in answer:
                    del waiting[descriptor]
                else:
                    raise ConnectionError(answer.partition(b"\r\n")[0].decode("latin-1"))
        return self.task.subscribers - sum(each.fileno() in waiting for each in self.sockets[:-1])

    def broadcast(self, number: int) -> None:
        """Send a text, and count what arrives until everybody has it."""
        counts, parts, poll, now = self.counts, self.parts, self.epoll.poll, time.perf_counter
        numbers, all_times, all_took, sent = self.numbers, counts.times, counts.took, counts.sent
        receive = {each.fileno(): (place, each.recv) for place, each in enumerate(self.sockets[:-1])}
        echo = self.sockets[-1].fileno()
        receive[echo] = (-1, self.sockets[-1].recv)
        data = counts.send(number).encode()
        # The mask may be any, and zeros leave the text as it is.
        self.sockets[-1].sendall(bytes((_TEXT, 0x80 | len(data), 0, 0, 0, 0)) + data)
        missing = self.task.subscribers
        while missing and (ready := poll(REACHING)):
            for descriptor, _ in ready:
                subscriber, recv = receive[descriptor]
                data = recv(_BUFFER)
                at = now()
                # Most often it is one frame, whole.
                if descriptor not in parts and data and data[1] == len(data) - 2 and data[0] == _TEXT:
                    arrived = [data[2:]]
                else:
                    arrived = self._frames(descriptor, data)
                for text in arrived:
                    which = numbers[text]
                    if subscriber < 0:
                        continue
                    times = all_times[which]
                    times[subscriber] += 1
                    if times[subscriber] == 1:
                        all_took[which].append(at - sent[which])
                        missing -= which == number

    def _frames(self, descriptor: int, data: bytes) -> list[bytes]:
        """Return the texts that are whole with *data*, and keep the rest."""
        if not data:
            self.epoll.unregister(descriptor)
            return []
        data, texts = self.parts.pop(descriptor, b"") + data, []
        while len(data) > 1 and len(data) >= (end := 2 + data[1]):
            if data[0] != _TEXT:
                raise ConnectionError(f"a frame begins with {data[0]:#x}")
            texts.append(data[2:end])
            data = data[end:]
        if data:
            self.parts[descriptor] = data
        return texts


def main() -> None:
    """Do the task, and print the row."""
    usage, task = Usage(), Task.read()
    room()
    bare = Bare(task)
    connected = bare.connect()
    usage.mark()
    for number in range(task.messages):
        bare.broadcast(number)
    usage.mark()
    bare.broadcast(task.messages)
    show("bare", connected, usage.result(), bare.counts.result())


if __name__ == "__main__":
    main()
