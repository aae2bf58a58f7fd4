"""A journal numbers every event, whatever the disk, threads and forks do to it."""

import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from analytics.recording import folder
from analytics.recording import journal as journal_module
from analytics.recording.event import decode
from analytics.recording.folder import (
    LOCK,
    Origin,
    delete_left_over,
    list_segments,
    origin_of,
    producer_directories,
    segment_path,
    total_bytes,
)
from analytics.recording.journal import Journal, OrphanJournal
from analytics.recording.recorder import Recorder, RecorderConfig
from analytics.recording.shipper import Shipper
from analytics.stream import Stream
from tests.analytics.recording.events import event, line
from tests.analytics.recording.site import end, journal_lines

LINE = line()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """After a failure the next event tries again at once."""
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.0)


@pytest.fixture
def recorder(tmp_path):
    recorder = Recorder(a_config(tmp_path))
    yield recorder
    end(recorder)


def a_config(root: Path, **changes) -> RecorderConfig:
    url = f"unix://{root}/no.sock"
    return RecorderConfig("test", url, root, b"key", **changes)


def held_offsets(root: Path) -> list[int]:
    """The offsets under which the disk holds a whole line."""
    held = []
    for directory in producer_directories(root):
        for first in list_segments(directory):
            data = segment_path(directory, first).read_bytes()
            held += range(first, first + data.count(b"\n"))
    return held


def fail_once(monkeypatch, name, failure):
    """The next call of `os.<name>` does what `failure` does instead."""
    real = getattr(os, name)

    def once(*args):
        monkeypatch.setattr(os, name, real)
        return failure(real, *args)

    monkeypatch.setattr(os, name, once)


def no_space(real, *args):
    raise OSError(errno.ENOSPC, "No space left on device")


def half(real, fd, data):
    return real(fd, data[: len(data) // 2])


# Writing.


def test_nothing_is_made_before_the_first_event(journal, tmp_path):
    assert list(tmp_path.iterdir()) == []
    assert journal.next_offset == 0


def test_lines_get_consecutive_offsets(journal, tmp_path):
    for _ in range(5):
        journal.append(LINE)
    assert journal.next_offset == 5
    assert held_offsets(tmp_path) == [0, 1, 2, 3, 4]
    assert journal.snapshot().segments == (0,)


def test_the_folders_are_private(journal, tmp_path):
    root = tmp_path / "deep" / "journal"
    private = Journal(root)
    private.append(LINE)
    assert root.stat().st_mode & 0o777 == 0o700
    assert private.directory.stat().st_mode & 0o777 == 0o700
    files = list(private.directory.iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    private.close()


def test_a_full_segment_is_followed_by_another(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 3 * len(LINE) - 1)
    for _ in range(7):
        journal.append(LINE)
    assert journal.snapshot().segments == (0, 3, 6)
    assert held_offsets(tmp_path) == list(range(7))


def test_counted_segments_are_deleted(journal, monkeypatch):
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 1)
    for _ in range(4):
        journal.append(LINE)
    journal.delete_counted(2)
    assert list_segments(journal.directory) == (2, 3)
    journal.delete_counted(4)
    assert list_segments(journal.directory) == (3,)
    journal.roll()
    journal.delete_counted(4)
    assert list_segments(journal.directory) == ()
    journal.append(LINE)
    assert list_segments(journal.directory) == (4,)


def test_eight_threads_use_each_offset_once(recorder, tmp_path):
    def work():
        for _ in range(500):
            recorder.record(event())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held_offsets(tmp_path) == list(range(4000))
    assert [decode(text) for text in journal_lines(tmp_path)] == [event()] * 4000


# Holes.


@pytest.mark.parametrize("failure", [no_space, half])
def test_a_failed_write_is_a_hole(journal, tmp_path, monkeypatch, failure):
    journal.append(LINE)
    fail_once(monkeypatch, "write", failure)
    journal.append(LINE)
    journal.append(LINE)
    assert journal.next_offset == 3
    assert journal.snapshot().segments == (0, 2)
    assert held_offsets(tmp_path) == [0, 2]
    assert journal_lines(tmp_path) == [LINE[:-1]] * 2


@pytest.mark.parametrize("failure", [no_space, half])
def test_a_first_write_that_fails_leaves_no_segment(
    journal, tmp_path, monkeypatch, failure
):
    journal.append(LINE)
    journal.roll()
    fail_once(monkeypatch, "write", failure)
    journal.append(LINE)
    assert journal.snapshot().segments == (0,)
    assert list_segments(journal.directory) == (0,)
    journal.append(LINE)
    assert held_offsets(tmp_path) == [0, 2]


def test_a_torn_line_that_cannot_be_cut_off_ends_its_segment(
    journal, tmp_path, monkeypatch
):
    journal.append(LINE)
    fail_once(monkeypatch, "write", half)
    fail_once(monkeypatch, "ftruncate", no_space)
    journal.append(LINE)
    journal.append(LINE)
    assert held_offsets(tmp_path) == [0, 2]
    assert journal.counters["journal: not truncated"] == 1


def test_what_is_no_event_uses_up_an_offset(recorder, tmp_path):
    recorder.record(event())
    recorder.record(event(route="\ud800"))
    recorder.record(event(status=2**70, kwargs={1: object()}))
    recorder.miss("because")
    recorder.record(event())
    assert held_offsets(tmp_path) == [0, 4]
    assert recorder.counters["because"] == 1
    assert recorder.counters["encode: UnicodeEncodeError"] == 1
    assert recorder.counters["encode: TypeError"] == 1


def test_the_size_limit_of_a_process(tmp_path):
    """A real short write: the kernel takes half a line."""
    limit = 2 * len(LINE) + 10
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        journal = Journal(tmp_path)
        for _ in range(5):
            journal.append(LINE)
        os._exit(journal.next_offset)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    assert held_offsets(tmp_path) == [0, 1, 3, 4]


def test_a_full_journal_makes_holes_and_goes_on_when_there_is_room(journal, tmp_path):
    journal.append(LINE)
    journal.full = True
    journal.roll()
    journal.append(LINE)
    journal.full = False
    journal.append(LINE)
    assert held_offsets(tmp_path) == [0, 2]
    assert journal.counters["journal: full"] == 1


def test_the_cap_counts_the_whole_folder(recorder, tmp_path):
    dead = Journal(tmp_path)
    for _ in range(10):
        dead.append(LINE)
    assert total_bytes(tmp_path) >= 10 * len(LINE)
    own = Journal(tmp_path)
    stream = Stream(f"unix://{tmp_path}/no.sock", "test", b"key")
    shipper = Shipper(
        stream, tmp_path, journal=own, max_bytes=5 * len(LINE), max_batches=9
    )
    shipper._watch_size()
    own.append(LINE)
    assert own.full
    assert own.next_offset == 1
    assert own.directory is None
    for journal in (dead, own):
        journal.close()


def test_a_full_journal_also_stops_an_open_segment(journal, tmp_path):
    journal.append(LINE)
    journal.full = True
    journal.append(LINE)
    assert held_offsets(tmp_path) == [0]
    assert journal.next_offset == 2


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "journal")
    journal.append(LINE)
    journal.append(LINE)
    assert journal.next_offset == 2
    assert journal.counters["journal: Not a directory"] == 2


def test_after_a_failure_the_disk_is_left_alone_for_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 60.0)
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "journal")
    for _ in range(3):
        journal.append(LINE)
    assert journal.counters == {"journal: Not a directory": 1, "journal: retry": 2}


def test_a_folder_deleted_under_us_is_made_again(journal, tmp_path):
    journal.append(LINE)
    shutil.rmtree(journal.directory)
    journal.append(LINE)
    journal.roll()
    journal.append(LINE)
    assert held_offsets(tmp_path) == [2]
    assert journal.snapshot().segments == (2,)
    assert OrphanJournal.adopt(journal.directory) is None


def test_a_signal_between_two_lines_loses_no_number(journal, tmp_path, monkeypatch):
    """gunicorn ends a worker by raising SystemExit wherever it is."""

    def written_but_interrupted(real, fd, data):
        real(fd, data)
        raise SystemExit

    journal.append(LINE)
    fail_once(monkeypatch, "write", written_but_interrupted)
    with pytest.raises(SystemExit):
        journal.append(LINE)
    journal.append(LINE)
    assert held_offsets(tmp_path) == [0, 1, 2]
    assert journal.snapshot().segments == (0, 2)


# Locks, forks and adoption.


def is_locked(directory: Path) -> bool:
    with open(directory / LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def run_in_fork(work) -> int:
    """The exit status of a child that runs `work`, for ten seconds at most."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            os._exit(int(work() or 0))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_is_a_producer_of_its_own(recorder, tmp_path):
    recorder.record(event())
    (parent,) = producer_directories(tmp_path)

    def child():
        inherited = recorder._journal
        recorder.record(event())
        recorder.record(event())
        return inherited is not None

    assert run_in_fork(child) == 0
    recorder.record(event())
    directories = set(producer_directories(tmp_path))
    (other,) = directories - {parent}
    assert list_segments(parent) == list_segments(other) == (0,)
    counts = [
        segment_path(folder, 0).read_bytes().count(b"\n") for folder in (parent, other)
    ]
    assert counts == [2, 2]
    assert is_locked(parent)
    assert not is_locked(other)


def test_a_child_has_counters_of_its_own(recorder):
    recorder.miss("before")
    assert run_in_fork(lambda: len(recorder.counters)) == 0


def test_a_fork_while_a_thread_holds_the_lock(recorder):
    recorder.record(event())
    with recorder._journal._lock, recorder._lock:
        assert run_in_fork(lambda: recorder.record(event())) == 0


def test_a_recorder_made_before_the_fork_and_used_only_after_it(recorder, tmp_path):
    """As under gunicorn --preload."""
    for _ in range(2):
        assert run_in_fork(lambda: recorder.record(event())) == 0
    assert len(list(producer_directories(tmp_path))) == 2


def test_a_live_journal_is_not_adopted(journal):
    journal.append(LINE)
    assert OrphanJournal.adopt(journal.directory) is None
    journal.append(LINE)
    assert journal.next_offset == 2


def test_a_dead_process_s_journal_is_adopted_by_one(tmp_path):
    code = """
import os, sys
from pathlib import Path
from analytics.recording.journal import (Journal)
journal = Journal(Path(sys.argv[1]))
for _ in range(3):
    journal.append(b"[]\\n")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (directory,) = producer_directories(tmp_path)
    adopted = OrphanJournal.adopt(directory)
    assert adopted.next_offset == 3
    assert adopted.origin.pid > 0
    assert OrphanJournal.adopt(directory) is None
    adopted.close()
    again = OrphanJournal.adopt(directory)
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_of_many_adopters_at_once_one_wins(tmp_path):
    journal = Journal(tmp_path)
    journal.append(LINE)
    directory = journal.directory
    journal.close()
    barrier = threading.Barrier(8)
    won = []

    def adopt():
        barrier.wait()
        if orphan := OrphanJournal.adopt(directory):
            won.append(orphan)

    threads = [threading.Thread(target=adopt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].remove()


def test_a_folder_finished_by_another_adopter_is_not_adopted_again(tmp_path):
    journal = Journal(tmp_path)
    journal.append(LINE)
    directory = journal.directory
    journal.close()
    late = os.open(directory / LOCK, os.O_RDWR)
    OrphanJournal.adopt(directory).remove()
    os.close(late)
    assert OrphanJournal.adopt(directory) is None


def test_a_closed_journal_that_holds_nothing_leaves_nothing(journal, tmp_path):
    journal.append(LINE)
    journal.roll()
    journal.delete_counted(1)
    journal.close()
    assert list(tmp_path.iterdir()) == []
    journal.append(LINE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\0\0", b"[1]", b'["h", "x", 1]', b"{}"])
def test_a_damaged_lock_file_hides_no_events(tmp_path, content):
    directory = tmp_path / "abc"
    directory.mkdir()
    (directory / LOCK).write_bytes(content)
    segment_path(directory, 7).write_bytes(LINE * 2 + LINE[:5])
    orphan = OrphanJournal.adopt(directory)
    assert orphan.next_offset == 9
    assert orphan.origin.pid == 0
    assert abs(orphan.origin.started - time.time()) < 60
    orphan.close()


@pytest.mark.parametrize(
    ("pid", "started"),
    [(1, 0), (1, -5), (1, 1e12), (1, "nan"), (-1, 1), (10**30, 1), ("inf", 1)],
)
def test_a_lock_file_says_nothing_that_no_table_takes(tmp_path, pid, started):
    directory = tmp_path / "abc"
    directory.mkdir()
    said = json.dumps(["h\0\ud800", pid, started])
    (directory / LOCK).write_text(said)
    orphan = OrphanJournal.adopt(directory)
    assert orphan.origin.host in ("h", "")
    assert 0 <= orphan.origin.pid < 2**31
    assert 1 <= orphan.origin.started <= time.time()
    orphan.close()


def test_a_journal_is_adopted_only_for_its_own_site(tmp_path):
    journal = Journal(tmp_path, site="ours")
    journal.append(LINE)
    directory = journal.directory
    journal.close()
    assert origin_of(directory).site == "ours"
    assert OrphanJournal.adopt(directory, "other") is None
    OrphanJournal.adopt(directory, "ours").close()


def test_a_lock_file_without_a_site_counts_as_ours(tmp_path):
    directory = tmp_path / "abc"
    directory.mkdir()
    (directory / LOCK).write_text('["host", 7, 1700000000.0]')
    orphan = OrphanJournal.adopt(directory, "ours")
    assert orphan.origin == Origin("host", 7, 1700000000.0)
    orphan.close()


def test_a_recorder_s_journal_is_of_its_site(recorder, tmp_path):
    recorder.record(event())
    (directory,) = producer_directories(tmp_path)
    assert origin_of(directory) == recorder._journal.origin
    assert recorder._journal.origin.site == recorder.config.site


# What crashes leave.


def make_old(directory: Path) -> None:
    long_ago = time.time() - folder.LEFT_SECONDS - 60
    for path in (*directory.iterdir(), directory):
        os.utime(path, (long_ago, long_ago))


def test_removal_killed_in_between_leaves_a_folder_to_adopt(tmp_path, monkeypatch):
    journal = Journal(tmp_path)
    for _ in range(2):
        journal.append(LINE)
        journal.roll()
    directory = journal.directory
    journal.close()
    orphan = OrphanJournal.adopt(directory)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(folder.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            orphan.remove()
    assert [path.name for path in directory.iterdir()] == [LOCK]
    orphan.close()
    OrphanJournal.adopt(directory).remove()
    assert not directory.exists()


@pytest.mark.parametrize("old", [True, False])
def test_segments_that_lost_their_lock_file_are_adopted_when_old(tmp_path, old):
    directory = tmp_path / "abc"
    directory.mkdir()
    segment_path(directory, 0).write_bytes(LINE * 3)
    if old:
        make_old(directory)
    orphan = OrphanJournal.adopt(directory)
    assert (orphan and orphan.next_offset) == (3 if old else None)
    if orphan:
        assert is_locked(directory)
        orphan.remove()


def test_half_made_and_half_deleted_folders_are_deleted_when_old(tmp_path):
    names = [".0123456789abcdef.01234567", "0123456789abcdef"]
    fresh = [".0123456789abcdef.89abcdef", "fedcba9876543210"]
    strange = [".not.ours", "lost+found"]
    for name in (*names, *fresh, *strange):
        (tmp_path / name).mkdir()
    (tmp_path / names[0] / LOCK).touch()
    for name in (*names, *strange):
        make_old(tmp_path / name)
    delete_left_over(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*fresh, *strange}


def test_an_old_folder_whose_lock_is_held_is_left_alone(tmp_path):
    journal = Journal(tmp_path)
    journal.append(LINE)
    hidden = tmp_path / f".{journal.producer}.01234567"
    journal.directory.rename(hidden)
    make_old(hidden)
    delete_left_over(tmp_path)
    assert hidden.exists()
    journal.close()
    delete_left_over(tmp_path)
    assert not hidden.exists()


def test_strange_files_are_left_alone(tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "no-lock").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "no-lock")
    assert list(producer_directories(tmp_path)) == [tmp_path / "no-lock"]
    assert OrphanJournal.adopt(tmp_path / "no-lock") is None
    for name in ("a.jsonl", "-1.jsonl", "²2.jsonl", "1.json", "0000000000000003.jsonl"):
        (tmp_path / "no-lock" / name).touch()
    assert list_segments(tmp_path / "no-lock") == (3,)


def test_a_thread_that_cannot_start_costs_no_event(tmp_path, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    recorder = Recorder(a_config(tmp_path))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    recorder.record(event())
    assert held_offsets(tmp_path) == [0]
    assert recorder.counters["ship: RuntimeError"] == 1
    end(recorder)


@pytest.mark.parametrize("act", [lambda r: r.record(event()), lambda r: r.miss("why")])
def test_nothing_gets_out_of_a_recorder_that_cannot_start(tmp_path, monkeypatch, act):
    def refuse():
        raise OSError("no name")

    monkeypatch.setattr(socket, "gethostname", refuse)
    recorder = Recorder(a_config(tmp_path))
    act(recorder)
    act(recorder)
    assert recorder.counters["record: OSError"] == 2
    monkeypatch.undo()
    act(recorder)
    assert recorder._journal.next_offset == 1
    end(recorder)


def test_an_emptied_folder_is_made_again_for_what_still_comes(journal, tmp_path):
    journal.append(LINE)
    journal.vacate(0)
    assert held_offsets(tmp_path) == [0]
    journal.vacate(1)
    assert list(tmp_path.iterdir()) == []
    journal.append(LINE)
    assert held_offsets(tmp_path) == [1]
    assert is_locked(journal.directory)


def test_what_is_recorded_after_the_end_is_left_to_an_adopter(recorder, tmp_path):
    recorder.record(event())
    recorder.close()
    recorder.record(event())
    assert held_offsets(tmp_path) == [0, 1]
    (directory,) = producer_directories(tmp_path)
    assert is_locked(directory)


@pytest.mark.parametrize(
    ("idle", "said"), [(3_600.0, 3_600.0), (40 * 86_400.0, 7 * 86_400.0)]
)
def test_a_process_has_started_before_its_first_event(recorder, idle, said):
    """Until then nothing happened: that is no outage. Nor did it start so long ago that
    the ledger might have folded it."""
    recorder._ready -= idle
    recorder.record(event())
    started = recorder._journal.origin.started
    assert time.time() - started == pytest.approx(said, abs=30)


def test_a_child_has_started_when_it_was_forked(recorder):
    recorder._ready -= 3_600
    recorder._after_fork()
    recorder.record(event())
    assert time.time() - recorder._journal.origin.started < 30
