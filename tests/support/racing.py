"""Threads that do something at the same moment, each on a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make all calls at the same moment; return their answers in order, or raise the first error.

    A `CeleriacError` that a call may well end with is to be caught by the call itself.
    """
    barrier = threading.Barrier(len(calls))

    def make(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result(timeout=60) for done in [pool.submit(make, call) for call in calls]]


def many(count: int, call: Callable[[int], T]) -> Sequence[Callable[[], T]]:
    """Return `count` calls of one function, each with its number."""
    return [lambda number=number: call(number) for number in range(count)]  # type: ignore[misc]
