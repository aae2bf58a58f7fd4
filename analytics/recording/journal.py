"""The journal: a producer's own append-only file, the only copy until counted.

Reads and writes ``<root>/<producer>/``: ``lock``, held for life and holding who we
are and for which site, and segments ``<first offset>.jsonl`` with one event a line, so
that an event's offset is its segment's name plus its line number. Never: the network,
SQL, or an exception out of ``append``.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock

from .folder import (
    LOCK,
    Origin,
    delete_directory,
    encode_origin,
    end_of,
    is_left,
    list_segments,
    lock_of,
    read_origin,
    segment_path,
    written_at,
)

SEGMENT_BYTES = 4 * 1024 * 1024
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a journal holds at one moment."""

    segments: tuple[int, ...]
    """First offsets, ascending."""
    next_offset: int
    """Every offset below it is written, or will never be."""
    size: int | None
    """Bytes of the last segment that are written; None when it has ended."""


class Journal:
    """The journal of this process. Thread-safe; not to be used after a fork."""

    def __init__(
        self,
        root: Path,
        counters: Counter[str] | None = None,
        site: str = "",
        started: float | None = None,
    ) -> None:
        self.root = root
        self.producer = secrets.token_hex(8)
        self.origin = Origin.here(site, started)
        self.directory: Path | None = None
        self.full = False
        self.counters = Counter() if counters is None else counters
        self._lock = Lock()
        self._lock_fd = self._fd = -1
        self._next = self._end = self._size = 0
        self._segments: list[int] = []
        self._retry_at = 0.0

    def append(self, line: bytes | None) -> None:
        """Use up one offset, and write ``line`` under it if that is possible.

        ``None`` is an event that could not be made: an offset that stays a hole.
        """
        with self._lock:
            offset = self._next
            self._next = offset + 1
            if line is None:
                return
            # An exception may come between any two lines (a signal handler of the
            # server): a line is only appended where its number is sure to be right.
            fits = self._fd >= 0 and self._end == offset and not self.full
            fits = fits and self._size <= SEGMENT_BYTES
            if not fits and not self._open_segment(offset):
                return
            try:
                written = os.write(self._fd, line)
            except OSError as error:
                self._fail(f"journal: {error.strerror}")
                return
            if written != len(line):
                self._fail("journal: short write")
                return
            self._size += written
            self._end = offset + 1

    @property
    def next_offset(self) -> int:
        return self._next

    def snapshot(self) -> Snapshot:
        with self._lock:
            size = self._size if self._fd >= 0 else None
            return Snapshot(tuple(self._segments), self._next, size)

    def delete_counted(self, expected: int) -> None:
        """Delete the segments whose every event is counted."""
        with self._lock:
            segments = self._segments
            while len(segments) > 1 and segments[1] <= expected:
                self._unlink(segments.pop(0))
            if segments and expected >= self._next and self._fd < 0:
                self._unlink(segments.pop(0))

    def roll(self) -> None:
        """End the open segment, so that it can be deleted once counted."""
        with self._lock:
            self._close_segment()

    def vacate(self, expected: int) -> None:
        """Delete the folder if all is counted; a later event makes it anew."""
        with self._lock:
            if self._next > expected:
                return
            self._close_segment()
            if self.directory:
                delete_directory(self.directory)
            self._release_directory()

    def close(self) -> None:
        """Close the files; another process may adopt what is left on disk."""
        with self._lock:
            self._close_segment()
            if self.directory and not self._segments:
                delete_directory(self.directory)
            self._release_directory()
            self._retry_at = float("inf")

    def abandon(self) -> None:
        """In a forked child: close what was inherited, without unlocking it."""
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock_fd = -1

    def _open_segment(self, first: int) -> bool:
        self._close_segment()
        now = time.monotonic()
        if self.full or now < self._retry_at:
            self.counters["journal: full" if self.full else "journal: retry"] += 1
            return False
        try:
            directory = self._make_directory()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._fd = os.open(segment_path(directory, first), flags, 0o600)
        except OSError as error:
            self._retry_at = now + RETRY_SECONDS
            self.counters[f"journal: {error.strerror}"] += 1
            return False
        self._segments.append(first)
        self._size, self._end = 0, first
        return True

    def _make_directory(self) -> Path:
        """The directory, made anew if somebody deleted it under us.

        It gets its name only once its lock is held, so nobody adopts it before.
        """
        if self.directory and self.directory.is_dir():
            return self.directory
        self._release_directory()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        hidden = self.root / f".{self.producer}.{secrets.token_hex(4)}"
        hidden.mkdir(mode=0o700)
        try:
            flags = os.O_RDWR | os.O_CREAT
            self._lock_fd = os.open(hidden / LOCK, flags, 0o600)
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._lock_fd, encode_origin(self.origin))
            directory = self.root / self.producer
            hidden.rename(directory)
        except OSError:
            self._release_directory()
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        self.directory = directory
        return directory

    def _release_directory(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
        self._lock_fd, self.directory, self._segments = -1, None, []

    def _close_segment(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _fail(self, reason: str) -> None:
        """End the segment at its last newline; the next event opens a new one."""
        self.counters[reason] += 1
        self._retry_at = time.monotonic() + RETRY_SECONDS
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            self.counters["journal: not truncated"] += 1
        self._close_segment()
        if self._size == 0:
            self._unlink(self._segments.pop())

    def _unlink(self, first: int) -> None:
        if self.directory:
            segment_path(self.directory, first).unlink(missing_ok=True)


class OrphanJournal:
    """The journal of a process that ended, adopted by taking its free lock."""

    def __init__(self, directory: Path, lock_fd: int) -> None:
        self.directory: Path | None = directory
        self.producer = directory.name
        self._lock_fd = lock_fd
        self.origin = read_origin(lock_fd)
        self.written = written_at(directory)
        """When its process last wrote to it, in seconds since 1970."""
        self.next_offset = end_of(directory)

    @classmethod
    def adopt(cls, directory: Path, site: str = "") -> OrphanJournal | None:
        """Take over ``directory``; None while its process, or an adopter, lives.

        None too for another site's journal: its events are not ours to count.
        """
        # A crash may have spared the segments only.
        lost = not (directory / LOCK).exists() and list_segments(directory)
        create = os.O_CREAT if lost and is_left(directory) else 0
        lock_fd = lock_of(directory, create)
        if lock_fd is None:
            return None
        try:
            # Another adopter may have finished it between our open and our lock.
            if os.path.samestat(os.fstat(lock_fd), os.stat(directory / LOCK)):
                orphan = cls(directory, lock_fd)
                if not site or orphan.origin.site in ("", site):
                    return orphan
        except OSError:
            pass
        os.close(lock_fd)
        return None

    def snapshot(self) -> Snapshot:
        segments = list_segments(self.directory) if self.directory else ()
        return Snapshot(segments, self.next_offset, None)

    def delete_counted(self, expected: int) -> None:
        if self.directory:
            segments = list_segments(self.directory)
            for first, following in pairwise(segments):
                if following <= expected:
                    segment_path(self.directory, first).unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the directory: all of it is counted."""
        if self.directory:
            delete_directory(self.directory)
        self.close()

    def close(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    abandon = close
