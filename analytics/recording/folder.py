"""The folders of the journals: their names, their locks, and whose they are.

Reads and deletes ``<root>/<producer>/`` as a whole; what is in a segment is the
business of ``journal.py`` and ``reader.py``. Never touches what a live process holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .event import clean

LEFT_SECONDS = 3_600.0
"""After that, what a crash left half made or half deleted is nobody's."""
LOCK = "lock"
SUFFIX = ".jsonl"
HOST_LIMIT = 100
PID_LIMIT = 2**31
TIME_LIMIT = 1e11
_VISIBLE = re.compile(r"[0-9a-f]{16}")
_HIDDEN = re.compile(r"\.[0-9a-f]{16}\.[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who produced the events: all but the site is shown, and counts nothing."""

    host: str
    pid: int
    started: float
    """Seconds since 1970-01-01 UTC."""
    site: str = ""
    """Whose events these are; empty when nobody said."""

    @classmethod
    def here(cls, site: str = "", started: float | None = None) -> Origin:
        host = clean(socket.gethostname(), HOST_LIMIT)
        return cls(host, os.getpid(), round(started or time.time(), 3), site)


def segment_path(directory: Path, first: int) -> Path:
    return directory / f"{first:016d}{SUFFIX}"


def delete_directory(directory: Path) -> None:
    """The lock goes last: killed in between, what is left can still be adopted."""
    for first in list_segments(directory):
        with suppress(OSError):
            segment_path(directory, first).unlink()
    shutil.rmtree(directory, ignore_errors=True)


def delete_left_over(root: Path) -> None:
    """Delete what processes killed while they made or deleted a folder left."""
    with suppress(OSError):
        for name in os.listdir(root):
            if _HIDDEN.fullmatch(name) and is_left(root / name):
                _delete_unlocked(root / name)
            elif _VISIBLE.fullmatch(name) and is_left(root / name):
                # Only an empty one can be: all others have a lock or segments.
                with suppress(OSError):
                    os.rmdir(root / name)


def _delete_unlocked(directory: Path) -> None:
    lock_fd = lock_of(directory, os.O_CREAT)
    if lock_fd is not None:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock_fd)


def lock_of(directory: Path, create: int = 0) -> int | None:
    """The lock file, locked and open; None if it is held, or there is none."""
    flags = os.O_RDWR | create
    try:
        lock_fd = os.open(directory / LOCK, flags, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock_fd)
        return None
    return lock_fd


def is_left(directory: Path) -> bool:
    """Whether nothing in it has changed for a long time."""
    try:
        with os.scandir(directory) as entries:
            times = [entry.stat(follow_symlinks=False).st_mtime for entry in entries]
        newest = max([directory.stat().st_mtime, *times])
    except OSError:
        return False
    return newest < time.time() - LEFT_SECONDS


def list_segments(directory: Path) -> tuple[int, ...]:
    try:
        names = os.listdir(directory)
    except OSError:
        return ()
    stems = (name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))
    return tuple(sorted(int(s) for s in stems if s.isascii() and s.isdigit()))


def end_of(directory: Path) -> int:
    """The offset after the last line that a directory holds."""
    segments = list_segments(directory)
    if not segments:
        return 0
    try:
        data = segment_path(directory, segments[-1]).read_bytes()
    except OSError:
        return segments[-1]
    return segments[-1] + data.count(b"\n")


def written_at(directory: Path) -> float:
    """When the journal there, or its lock, was last written, in seconds since 1970."""
    files = [directory / LOCK]
    files += [segment_path(directory, first) for first in list_segments(directory)[-1:]]
    times = [0.0]
    for file in files:
        with suppress(OSError):
            times.append(file.stat().st_mtime)
    return max(times)


def producer_directories(root: Path) -> Iterator[Path]:
    """The directories below ``root`` that belong, or belonged, to a producer."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)


def total_bytes(root: Path) -> int:
    """The size of all segments below ``root``."""
    total = 0
    for directory in producer_directories(root):
        try:
            with os.scandir(directory) as entries:
                total += sum(entry.stat().st_size for entry in entries)
        except OSError:
            continue
    return total


def origin_of(directory: Path) -> Origin | None:
    """Who produces, or produced, what is in ``directory``; it is not locked."""
    try:
        lock_fd = os.open(directory / LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        return read_origin(lock_fd)
    finally:
        os.close(lock_fd)


def encode_origin(origin: Origin) -> bytes:
    said = [origin.host, origin.pid, origin.started, origin.site]
    return json.dumps(said).encode()


def read_origin(lock_fd: int) -> Origin:
    """What the lock file says: after a power cut it may be empty or rubbish.

    One that names no site is from an older version of this app, or such rubbish.
    """
    made = max(os.fstat(lock_fd).st_mtime, 1.0)
    try:
        host, pid, started, *rest = json.loads(os.pread(lock_fd, 4096, 0))
        host, pid, started = str(host), int(pid), float(started)
        site = str(rest[0]) if rest else ""
    except (ValueError, TypeError, OverflowError, RecursionError):
        return Origin("", 0, made)
    if not 0 <= pid < PID_LIMIT:
        pid = 0
    if not 1.0 <= started < TIME_LIMIT:
        started = made
    return Origin(clean(host, HOST_LIMIT), pid, started, site)
