"""A log as a stream of whole lines: plain or gzip, a file, a pipe or standard input.

Reads forward only and holds some megabytes at most. Writes nothing. Positions are
bytes of the unpacked text, so a log that was packed meanwhile has the same ones.
"""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from typing import BinaryIO, NamedTuple, Self

BLOCK = 1 << 20
LINE_LIMIT = 1 << 16
"""Bytes of a line; servers accept requests whose longest line is half as long."""
SHOWN = 1_000
"""So many bytes are kept of a longer line."""
GZIP = b"\x1f\x8b"
STDIN = "-"


class LogError(Exception):
    """Why a file could not be read, or not further, in a sentence."""


class Block(NamedTuple):
    """Some lines, and where they lie."""

    text: str
    """Latin-1, as WSGI gives headers; ends with a line feed if it is ``whole``."""
    start: int
    end: int
    whole: bool = True
    """False for what stands behind the last line feed of the file."""


class LogFile:
    """One log, to be read once from its beginning. Close it, or use ``with``."""

    def __init__(self, path: str, name: str = "") -> None:
        self.path = path
        self.name = name or os.path.basename(path)
        self.position = 0
        """Where the next block begins."""
        self.failure = ""
        """Why nothing more can be read before the end of the file, if so."""
        self._ahead = b""
        self._at_start = True
        self._raw = _open(path)
        self._size = _size(self._raw)
        self.packed = self._raw.peek(2)[:2] == GZIP
        self._stream: BufferedReader | gzip.GzipFile = self._raw
        if self.packed:
            self._stream = gzip.GzipFile(fileobj=self._raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.path != STDIN:
            self._raw.close()

    def fraction(self) -> float | None:
        """How much of the file on the disk was read; None for a pipe."""
        return min(self._raw.tell() / self._size, 1.0) if self._size else None

    def peek(self, count: int) -> bytes:
        """The first ``count`` bytes, or all; only before anything else was read."""
        self._ahead += self._read(count - len(self._ahead))
        return self._ahead[:count]

    def head_now(self, count: int) -> bytes:
        """The first ``count`` bytes that the file on the disk has by now, wherever it
        is read; none of a pipe, and of what is packed, which does not grow."""
        if self.packed or not self._size:
            return b""
        with suppress(OSError):
            return os.pread(self._raw.fileno(), count, 0)
        return b""

    def skip(self, position: int) -> bool:
        """Go on at ``position``; False if the file is not that long."""
        if self._size and not self.packed and position > BLOCK:
            # The byte before tells whether a line begins there.
            self._raw.seek(min(position, self._size) - 1)
            self.position, self._ahead = self._raw.tell(), b""
        while self.position < position:
            step = self._take(min(BLOCK, position - self.position))
            if not step:
                return False
            self._pass(step)
        return True

    def finish_line(self) -> None:
        """Go on where a line begins, behind what is left of this one."""
        while not self._at_start and (data := self._take(BLOCK)):
            cut = data.find(b"\n") + 1 or len(data)
            self._pass(data[:cut])
            self._ahead = data[cut:] + self._ahead

    def _pass(self, data: bytes) -> None:
        self.position += len(data)
        self._at_start = data.endswith(b"\n")

    def blocks(self, end: int | None = None) -> Iterator[Block]:
        """The lines from here to ``end``, or to that of the file."""
        rest = b""
        while data := self._take(_room(end, self.position + len(rest))):
            rest += data
            cut = rest.rfind(b"\n") + 1
            if cut:
                yield self._block(rest[:cut])
                rest = rest[cut:]
            elif len(rest) > LINE_LIMIT:
                shown, start = rest[:SHOWN], self.position
                self._pass(rest)
                self.finish_line()
                rest = b""
                yield _too_long(shown, start, self.position)
        if rest and not self.failure:
            yield self._block(rest, whole=False)

    def _block(self, data: bytes, whole: bool = True) -> Block:
        start = self.position
        self._pass(data)
        return Block(data.decode("latin-1"), start, self.position, whole)

    def _take(self, count: int) -> bytes:
        """Up to ``count`` bytes, first those that were looked at already."""
        if self._ahead:
            data, self._ahead = self._ahead[:count], self._ahead[count:]
            return data
        return self._read(count)

    def _read(self, count: int) -> bytes:
        """``count`` bytes, or fewer at the end; a failure keeps what came before."""
        parts = []
        try:
            while count > 0 and (part := self._stream.read1(count)):
                parts.append(part)
                count -= len(part)
        except EOFError:
            self.failure = "its gzip data end early"
        except (gzip.BadGzipFile, zlib.error) as error:
            self.failure = f"its gzip data are damaged ({error})"
        except OSError as error:
            self.failure = error.strerror or str(error)
        return b"".join(parts)


def _room(end: int | None, position: int) -> int:
    return BLOCK if end is None else min(BLOCK, max(end - position, 0))


def _too_long(shown: bytes, start: int, end: int) -> Block:
    """Stands for a line of which only the beginning is kept; no format fits it."""
    return Block(shown.decode("latin-1").ljust(LINE_LIMIT + 1) + "\n", start, end)


def _open(path: str) -> BufferedReader:
    if path == STDIN:
        return sys.stdin.buffer
    try:
        return open(path, "rb", buffering=BLOCK)
    except OSError as error:
        raise LogError(f"{path}: {error.strerror or error}.") from error


def _size(file: BinaryIO) -> int:
    """Bytes on the disk; 0 for what has no size, such as a pipe."""
    with suppress(OSError, ValueError):
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return status.st_size
    return 0
