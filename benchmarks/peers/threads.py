"""A thread for each socket, on websocket-client: how tests of WebSockets are often written.

It does not look whether what arrives is UTF-8, which websocket-client does in Python, byte by byte.
"""

from __future__ import annotations

import itertools
import threading

import websocket

from benchmarks.peers.task import CONNECTING, REACHING, Counts, Task, Usage, room, show


def main() -> None:
    """Do the task, and print the row."""
    usage, task = Usage(), Task.read()
    room()
    texts = task.texts
    reached = [threading.Event() for _ in texts]
    counts = Counts(task, lambda number: reached[number].set())
    tried, all_tried, sockets = itertools.count(1), threading.Event(), []

    def subscribe(subscriber: int) -> None:
        try:
            socket = websocket.create_connection(task.url, skip_utf8_validation=True)
            sockets.append(socket)
        finally:
            if next(tried) == task.subscribers:
                all_tried.set()
        text: str | bytes = ""
        while text != texts[-1]:
            text = socket.recv()
            assert isinstance(text, str)
            counts.arrive(subscriber, text)
        socket.shutdown()

    publisher = websocket.create_connection(task.url)
    for subscriber in range(task.subscribers):
        threading.Thread(target=subscribe, args=(subscriber,), daemon=True).start()
    all_tried.wait(CONNECTING)
    usage.mark()
    for number in range(len(texts)):
        if number == task.messages:
            usage.mark()
        publisher.send(counts.send(number))
        reached[number].wait(REACHING)
    show("threads", len(sockets), usage.result(), counts.result())


if __name__ == "__main__":
    main()
