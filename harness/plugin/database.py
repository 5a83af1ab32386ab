"""The database of the tests, as the server in this process has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def in_server_thread(do: Callable[[], T]) -> T:
    """Do something in the thread in which consumers use the database, and return what that returns.

    It is the one that asgiref has for what must not run side by side.
    """
    from asgiref.sync import SyncToAsync

    done: T = SyncToAsync.single_thread_executor.submit(do).result()
    return done


def in_any_test(do: Callable[[], T]) -> T:
    """Use the database; in a test that is a coroutine Django would refuse that in its thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return do()
    return in_server_thread(do)


@contextmanager
def shared() -> Iterator[None]:
    """Have consumers use the same connections as the test where the database is SQLite in memory, as Django does.

    Two connections to such a database lock each other out.
    """
    from django.db import connections

    here: dict[str, Any] = {
        each.alias: each for each in connections.all() if each.vendor == "sqlite" and each.is_in_memory_db()
    }

    def take() -> None:
        for alias, connection in here.items():
            connections[alias] = connection

    def give_back() -> None:
        for alias in here:
            del connections[alias]

    for connection in here.values():
        connection.inc_thread_sharing()
    in_server_thread(take)
    try:
        yield
    finally:
        in_server_thread(give_back)
        for connection in here.values():
            connection.dec_thread_sharing()
