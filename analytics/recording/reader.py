"""Reads a journal in order and cuts it into batches of consecutive events.

Reads segments; keeps only its own place. Never writes, never parses an event: a line
counts as whole when it ends, opens and closes as one, and the drain judges the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from .folder import segment_path
from .journal import Journal, OrphanJournal, Snapshot

BATCH_EVENTS = 1_000
BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one producer; an empty one reports a hole at the end."""

    producer: str
    offset: int
    """Offset of the first event; of an empty batch, the next offset to be used."""
    follows: int
    """Offset after the last event the journal holds before this batch."""
    lines: tuple[bytes, ...]

    @property
    def end(self) -> int:
        return self.offset + len(self.lines)

    @property
    def oldest(self) -> float | None:
        """Arrival of the first event in seconds since 1970, when it can be read."""
        try:
            return int(self.lines[0][1:].partition(b",")[0]) / 1000
        except (IndexError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on: an offset, and the byte it was found at."""

    offset: int
    follows: int
    segment: int = -1
    position: int = 0


class Reader:
    """A place in one journal, moved only when the caller says so."""

    def __init__(self, journal: Journal | OrphanJournal, offset: int = 0) -> None:
        self.journal = journal
        self.place = Place(offset, offset)

    def rewind(self, offset: int) -> None:
        """Go to ``offset``, which the drain named: all before it is counted.

        So ``follows`` may say that something is held up to there. If the drain
        forgot it (a database restored to an older state) it asks again, for less.
        """
        self.place = Place(offset, offset)

    def next_batch(self) -> tuple[Batch | None, Place]:
        """The next batch, and the place after it; None when there is nothing."""
        snapshot = self.journal.snapshot()
        place = self.place
        for segment, following in _from(snapshot.segments, place.offset):
            if segment > place.offset:
                place = Place(segment, place.follows)
            limit = snapshot.size if following is None else None
            batch, place = self._read(segment, following, place, limit)
            if batch is not None:
                return batch, place
        return self._hole_at_end(snapshot, place)

    def _read(
        self, segment: int, following: int | None, place: Place, limit: int | None
    ) -> tuple[Batch | None, Place]:
        """The first run of whole lines from ``place`` on, below ``following``."""
        directory = self.journal.directory or Path()
        path = segment_path(directory, segment)
        place = _locate(path, segment, place, limit)
        while lines := _lines_at(path, place.position, limit):
            if following is not None:
                lines = lines[: following - place.offset]
            taken = _leading_whole(lines)
            if not lines:
                break
            if not taken:
                place = _skip(place, lines[0])
                continue
            batch = Batch(self.journal.producer, place.offset, place.follows, taken)
            size = sum(map(len, taken)) + len(taken)
            end = batch.end
            return batch, Place(end, end, segment, place.position + size)
        return None, place

    def _hole_at_end(
        self, snapshot: Snapshot, place: Place
    ) -> tuple[Batch | None, Place]:
        if snapshot.next_offset <= place.offset:
            return None, place
        end = snapshot.next_offset
        return self.empty_batch(end, place.follows), Place(end, place.follows)

    def empty_batch(self, offset: int, follows: int) -> Batch:
        return Batch(self.journal.producer, offset, follows, ())


def _from(segments: tuple[int, ...], offset: int) -> list[tuple[int, int | None]]:
    """The segments that may hold ``offset`` or later ones, each with its successor."""
    pairs = pairwise((*segments, None))
    return [pair for pair in pairs if pair[1] is None or pair[1] > offset]


def _locate(path: Path, segment: int, place: Place, limit: int | None) -> Place:
    """``place`` with the byte at which its offset stands in this segment."""
    if place.segment == segment:
        return place
    found = Place(segment, place.follows, segment, 0)
    while found.offset < place.offset:
        lines = _lines_at(path, found.position, limit)
        if not lines:
            break
        lines = lines[: place.offset - found.offset]
        size = sum(map(len, lines)) + len(lines)
        found = replace(
            found,
            offset=found.offset + len(lines),
            position=found.position + size,
        )
    return replace(found, offset=max(found.offset, place.offset))


def _lines_at(path: Path, position: int, limit: int | None) -> list[bytes]:
    """The complete lines that start at ``position``, at most a batch of them."""
    length = BATCH_BYTES if limit is None else min(BATCH_BYTES, limit - position)
    if length <= 0:
        return []
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(position)
            data = file.read(length)
    except OSError:
        return []
    return data.split(b"\n")[:-1][:BATCH_EVENTS]


def _leading_whole(lines: list[bytes]) -> tuple[bytes, ...]:
    for number, line in enumerate(lines):
        if not (line.startswith(b"[") and line.endswith(b"]") and b"\0" not in line):
            return tuple(lines[:number])
    return tuple(lines)


def _skip(place: Place, line: bytes) -> Place:
    """Past a line that is not an event: its offset is a hole."""
    return replace(
        place,
        offset=place.offset + 1,
        position=place.position + len(line) + 1,
    )
