"""The recorder: what a web framework's adapter hands its finished requests to.

Needs no Django. Writes the journal, and starts the shipper's thread at the first
event of a process. Never raises, never blocks on anything but the local disk.
"""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from ..stream import Stream
from .event import RequestEvent, encode
from .journal import Journal
from .shipper import Shipper

IDLE_SECONDS = 7 * 86_400.0
"""So long before its first event, at most, does a process say it started: one that
began a month ago could have been folded, and would not be counted."""
_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class RecorderConfig:
    """All that recording needs to know."""

    site: str
    """Whose requests these are; part of every key in Redis."""
    redis_url: str
    journal_dir: Path
    """Local disk, one folder per machine, shared by its processes."""
    key: bytes
    """Secret for the seals; the drain must have the same."""
    journal_max_bytes: int = 1024**3
    """Above this size of the folder events become holes: counted as lost."""
    stream_max_batches: int = 10_000
    """Above this number of waiting entries shippers pause."""


class Recorder:
    """Records events of this process under an id of its own."""

    def __init__(self, config: RecorderConfig) -> None:
        self.config = config
        self.counters: Counter[str] = Counter()
        """Reasons for which something was not recorded or shipped, with counts."""
        self._ready = time.time()
        """From then on nothing that happened would have gone unrecorded."""
        self._journal: Journal | None = None
        self._shipper: Shipper | None = None
        self._lock = Lock()
        _recorders.add(self)

    def record(self, event: RequestEvent) -> None:
        """Append one event to the journal."""
        try:
            line = encode(event) + b"\n"
        except Exception as error:
            self.miss(f"encode: {type(error).__name__}")
            return
        # The response is not to fail because of us, whatever does.
        try:
            (self._journal or self._start()).append(line)
        except Exception as error:
            self.counters[f"record: {type(error).__name__}"] += 1

    def miss(self, reason: str) -> None:
        """Use up an offset for a request that could not be made an event.

        It will show as lost in the ledger, and ``reason`` in ``counters``.
        """
        self.counters[reason] += 1
        try:
            (self._journal or self._start()).append(None)
        except Exception as error:
            self.counters[f"record: {type(error).__name__}"] += 1

    def close(self) -> None:
        """Ship what is left, for two seconds at most.

        The journal stays open until the process is gone: what a thread still records
        is for an adopter to ship.
        """
        if self._shipper:
            self._shipper.stop()

    def _start(self) -> Journal:
        """The journal and the thread of this process, made at its first event."""
        with self._lock:
            if self._journal is None:
                config = self.config
                journal = Journal(
                    config.journal_dir,
                    self.counters,
                    config.site,
                    max(self._ready, time.time() - IDLE_SECONDS),
                )
                self._start_shipper(journal)
                self._journal = journal
        return self._journal

    def _start_shipper(self, journal: Journal) -> None:
        """Without a shipper (no thread to be had, a Redis URL that is none) events
        stay in the journal, for an adopter to ship."""
        config = self.config
        try:
            self._shipper = Shipper(
                Stream(config.redis_url, config.site, config.key),
                config.journal_dir,
                journal=journal,
                max_bytes=config.journal_max_bytes,
                max_batches=config.stream_max_batches,
                counters=self.counters,
            )
            self._shipper.start()
        except Exception as error:
            self.counters[f"ship: {type(error).__name__}"] += 1

    def _after_fork(self) -> None:
        """In the child: a producer of its own, at its first event."""
        if self._journal:
            self._journal.abandon()
        if self._shipper:
            self._shipper.abandon()
        self._journal = self._shipper = None
        self._ready = time.time()
        self._lock = Lock()
        self.counters = Counter()


def _after_fork_in_child() -> None:
    for recorder in list(_recorders):
        recorder._after_fork()


def _close_all() -> None:
    for recorder in list(_recorders):
        recorder.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_close_all)
