"""The pace of who counts much: how large a transaction is, and no garbage collector.

Knows neither events nor tables.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """How many events a transaction may have, so that it holds the lock shortly: other
    writers, an admin's save, wait for it."""

    def __init__(self, least: int, most: int, seconds: float) -> None:
        """It begins with ``most``. ``seconds`` are too many."""
        self.limit = most
        self._least, self._most, self._seconds = least, most, seconds

    def adapt(self, seconds: float) -> None:
        """To how long the last transaction held the lock."""
        if seconds > self._seconds:
            self.limit = max(self.limit // 2, self._least)
        elif seconds < self._seconds / 2:
            self.limit = min(self.limit * 2, self._most)


@contextmanager
def collect_by_hand() -> Iterator[None]:
    """So many new objects, none in a cycle, would have the collector run in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
