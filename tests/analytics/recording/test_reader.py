"""A reader sends every whole line once, in order, and knows what is missing."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.recording import journal as journal_module
from analytics.recording import reader as reader_module
from analytics.recording.folder import segment_path
from analytics.recording.journal import Journal, OrphanJournal
from analytics.recording.reader import Reader


def fill(journal, *numbers):
    for number in numbers:
        journal.append(None if number is None else numbered(number))


def numbered(number: int) -> bytes:
    return b"[%d]\n" % number


def read_all(reader) -> list[tuple[int, int, list[int]]]:
    """(offset, follows, events) of every batch there is."""
    found = []
    while True:
        batch, place = reader.next_batch()
        if batch is None:
            return found
        reader.place = place
        events = [int(text[1:-1]) for text in batch.lines]
        found.append((batch.offset, batch.follows, events))


def orphan_of(tmp_path, **segments: bytes) -> OrphanJournal:
    """A dead process's journal with these segments: `_<first>=content`."""
    directory = tmp_path / "orphan"
    directory.mkdir()
    (directory / "lock").write_bytes(b'["host", 1, 2.0]')
    for first, content in segments.items():
        segment_path(directory, int(first[1:])).write_bytes(content)
    return OrphanJournal.adopt(directory)


def test_nothing_recorded_nothing_to_send(journal):
    assert read_all(Reader(journal)) == []


def test_events_are_read_once_in_order(journal):
    reader = Reader(journal)
    fill(journal, 0, 1, 2)
    assert read_all(reader) == [(0, 0, [0, 1, 2])]
    fill(journal, 3)
    assert read_all(reader) == [(3, 3, [3])]
    assert read_all(reader) == []


def test_a_place_moves_only_when_it_is_set(journal):
    reader = Reader(journal)
    fill(journal, 0)
    assert reader.next_batch() == reader.next_batch()


def test_a_hole_shows_in_follows(journal):
    fill(journal, 0, None, None, 3)
    assert read_all(Reader(journal)) == [(0, 0, [0]), (3, 1, [3])]


def test_a_hole_at_the_beginning(journal):
    fill(journal, None, 1)
    assert read_all(Reader(journal)) == [(1, 0, [1])]


def test_a_hole_at_the_end_is_an_empty_batch(journal):
    reader = Reader(journal)
    fill(journal, 0, None)
    assert read_all(reader) == [(0, 0, [0]), (2, 1, [])]
    fill(journal, None)
    assert read_all(reader) == [(3, 1, [])]
    fill(journal, 3)
    assert read_all(reader) == [(3, 1, [3])]


def test_nothing_but_holes(journal):
    fill(journal, None, None)
    assert read_all(Reader(journal)) == [(2, 0, [])]


def test_batches_are_bounded_in_events(journal, monkeypatch):
    monkeypatch.setattr(reader_module, "BATCH_EVENTS", 2)
    fill(journal, 0, 1, 2, 3, 4)
    assert read_all(Reader(journal)) == [(0, 0, [0, 1]), (2, 2, [2, 3]), (4, 4, [4])]


def test_batches_are_bounded_in_bytes(journal, monkeypatch):
    monkeypatch.setattr(reader_module, "BATCH_BYTES", 9)
    fill(journal, 0, 1, 2, 3, 4)
    assert read_all(Reader(journal)) == [(0, 0, [0, 1]), (2, 2, [2, 3]), (4, 4, [4])]


def test_reading_goes_over_segments(journal, monkeypatch):
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 7)
    fill(journal, *range(5))
    assert read_all(Reader(journal)) == [(0, 0, [0, 1]), (2, 2, [2, 3]), (4, 4, [4])]


@pytest.mark.parametrize("offset", range(6))
def test_a_rewind_starts_in_the_middle(journal, monkeypatch, offset):
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 7)
    fill(journal, *range(5))
    reader = Reader(journal)
    read_all(reader)
    reader.rewind(offset)
    batches = read_all(reader)
    assert [e for *_, events in batches for e in events] == list(range(offset, 5))
    assert all(start == follows for start, follows, _ in batches)


def test_a_rewind_over_deleted_segments_goes_on_where_something_is_held(
    journal, monkeypatch
):
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 1)
    fill(journal, *range(4))
    journal.delete_counted(2)
    reader = Reader(journal)
    reader.rewind(0)
    assert read_all(reader) == [(2, 0, [2]), (3, 3, [3])]


def test_a_torn_last_line_is_ignored(tmp_path):
    orphan = orphan_of(tmp_path, _5=numbered(5) + numbered(6) + b"[7")
    reader = Reader(orphan, 5)
    assert read_all(reader) == [(5, 5, [5, 6])]
    assert orphan.next_offset == 7


@pytest.mark.parametrize(
    "garbage", [b"", b"garbage", b"[1", b"1]", b"\0\0\0", b"[\0]", b"[1]\r", b"\xff"]
)
def test_a_line_that_is_none_is_a_hole(tmp_path, garbage):
    content = numbered(0) + garbage + b"\n" + numbered(2) + numbered(3)
    assert read_all(Reader(orphan_of(tmp_path, _0=content))) == [
        (0, 0, [0]),
        (2, 1, [2, 3]),
    ]


def test_garbage_without_an_end_hides_what_follows_in_its_segment(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(reader_module, "BATCH_BYTES", 100)
    long = numbered(0) + b"x" * 500 + b"\n" + numbered(2)
    orphan = orphan_of(tmp_path, _0=long, _3=numbered(3))
    assert read_all(Reader(orphan)) == [(0, 0, [0]), (3, 1, [3])]


def test_more_lines_than_there_are_offsets_belong_to_the_next_segment(tmp_path):
    """Two processes never write a folder; if they did, offsets stay unique."""
    orphan = orphan_of(tmp_path, _0=b"".join(map(numbered, range(5))), _3=numbered(3))
    batches = read_all(Reader(orphan))
    assert batches == [(0, 0, [0, 1, 2]), (3, 3, [3])]


def test_a_deleted_segment_is_a_hole(tmp_path):
    orphan = orphan_of(tmp_path, _0=numbered(0), _1=numbered(1), _2=numbered(2))
    segment_path(orphan.directory, 1).unlink()
    assert read_all(Reader(orphan)) == [(0, 0, [0]), (2, 1, [2])]


def test_a_segment_deleted_while_it_is_open(journal):
    reader = Reader(journal)
    fill(journal, 0)
    assert read_all(reader) == [(0, 0, [0])]
    segment_path(journal.directory, 0).unlink()
    fill(journal, 1)
    assert read_all(reader) == [(2, 1, [])]
    journal.roll()
    fill(journal, 2)
    assert read_all(reader) == [(2, 1, [2])]


def test_a_folder_deleted_while_it_is_open(journal):
    reader = Reader(journal)
    fill(journal, 0)
    shutil.rmtree(journal.directory)
    assert read_all(reader) == [(1, 0, [])]
    journal.roll()
    fill(journal, 1)
    assert read_all(reader) == [(1, 0, [1])]


@given(
    st.lists(st.sampled_from(["event", "hole", "roll", "read", "delete"]), max_size=60)
)
def test_whatever_happens_every_offset_is_sent_or_a_hole(tmp_path_factory, actions):
    journal = Journal(tmp_path_factory.mktemp("journal"))
    reader, held, sent = Reader(journal), [], []
    for action in actions:
        if action == "event":
            held.append(journal.next_offset)
            fill(journal, journal.next_offset)
        elif action == "hole":
            fill(journal, None)
        elif action == "roll":
            journal.roll()
        elif action == "read":
            sent += read_all(reader)
        else:
            journal.delete_counted(reader.place.offset)
    sent += read_all(reader)
    assert [event for *_, events in sent for event in events] == held
    expected = 0
    for offset, follows, events in sent:
        assert follows <= expected <= offset
        assert events == list(range(offset, offset + len(events)))
        expected = offset + len(events)
    assert expected == journal.next_offset
    journal.close()


def test_the_oldest_event_of_a_batch(journal):
    journal.append(b'[1767225600123,"GET"]\n')
    batch, _ = Reader(journal).next_batch()
    assert batch.oldest == 1_767_225_600.123
    journal.append(b'["x"]\n')
    batch, _ = Reader(journal, 1).next_batch()
    assert batch.oldest is None
