"""Which events of some users wait to be counted, as far as anybody can see it.

Reads the stream, the journals on this machine and the ledger; writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..conf import get_config, get_stream
from ..recording.reader import Reader
from ..rollup.forgetting import mentions
from ..stream import Entry, Malformed, Stream
from .health import REDIS_TIMEOUT, look
from .ledger import HeldJournal, held_journals

READ_ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """What would be counted after a look at the tables."""

    found: int
    """Events of the users."""
    unseen: int
    """Events of whomever, on the disks of other machines."""


def waiting_of(users: Collection[str]) -> Waiting:
    """Raises StreamError."""
    config = get_config()
    stream = get_stream(REDIS_TIMEOUT)
    try:
        entries = list(_ends(stream, users))
    finally:
        stream.close()
    lines, _problem = look()
    journals = held_journals(config.recorder.journal_dir, config.site)
    found = unseen = 0
    for line in lines:
        if journal := journals.pop(line.producer, None):
            found += _on_disk(journal, line.expected, users)
            continue
        sent = [entry for entry in entries if entry[0] == line.producer]
        found += sum(count for _, end, count in sent if end > line.expected)
        reached = max([line.expected, *(end for _, end, _ in sent)])
        unseen += max(line.recorded - reached, 0)
    # Of processes that nobody has heard of yet.
    found += sum(_on_disk(journal, 0, users) for journal in journals.values())
    return Waiting(found, unseen)


def _ends(stream: Stream, users: Collection[str]) -> Iterator[tuple[str, int, int]]:
    """(producer, offset after it, events of the users) of each batch in Redis."""
    after = b""
    while entries := stream.read(READ_ENTRIES, after):
        after = entries[-1].id
        for entry in entries:
            if isinstance(entry, Entry):
                yield entry.producer, entry.end, _mentioned(entry, users)


def _mentioned(entry: Entry, users: Collection[str]) -> int:
    try:
        return sum(mentions(line, users) for line in entry.lines())
    except Malformed:
        return 0


def _on_disk(journal: HeldJournal, expected: int, users: Collection[str]) -> int:
    """Events of the users that the journal holds from an offset on."""
    reader = Reader(journal, expected)
    found = 0
    batch, place = reader.next_batch()
    while batch and batch.lines:
        found += sum(mentions(line, users) for line in batch.lines)
        reader.place = place
        batch, place = reader.next_batch()
    return found
