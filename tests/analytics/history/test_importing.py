"""Every line is counted once: renamed, packed, grown, killed, read again."""

import datetime
import shutil

import pytest
from django.core.management.base import CommandError
from django.db import DatabaseError

from analytics.history import files, importing
from analytics.models import ImportedFile, Producer
from analytics.rollup import store
from analytics.rollup.retention import prune
from tests.analytics.history.logs import (
    START,
    assert_adds_up,
    keys,
    line,
    requests,
    run,
    table,
    write,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_stream")]
LINES = [line(n, address=f"192.0.2.{n}") for n in range(10)]


@pytest.fixture(autouse=True)
def utc(site):
    site.TIME_ZONE = "UTC"


@pytest.fixture
def log(tmp_path):
    return write(tmp_path / "access.log", LINES)


COUNTS = ("lines", "counted", "rejected", "too_new", "ignored")


@pytest.fixture
def small_steps(monkeypatch):
    """A block for each line or two, and a transaction for every three events."""
    monkeypatch.setattr(files, "BLOCK", 200)
    for name in ("EVENTS_LIMIT", "EVENTS_LEAST"):
        monkeypatch.setattr(importing, name, 3)


def at(minutes: int) -> str:
    """As ``--until`` takes it."""
    return f"{START + datetime.timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}Z"


def test_counts_a_file_and_enters_it_into_the_ledger(log):
    run(log)
    assert requests() == 10
    assert keys("route") == {"/products/": 10}
    file = ImportedFile.objects.get()
    assert (file.lines, file.counted, file.finished) == (10, 10, True)
    assert file.read == log.stat().st_size
    ledger = Producer.objects.get()
    assert ledger.producer.startswith("(log) access.log ")
    assert (ledger.recorded, ledger.counted, ledger.closed) == (10, 10, True)
    assert ledger.started == START
    assert ledger.alive == START + datetime.timedelta(minutes=9)


def test_a_file_is_counted_once_whatever_it_is_called(log, tmp_path):
    run(log, log)
    run(log)
    run(shutil.copy(log, tmp_path / "access.log.1"))
    run(write(tmp_path / "access.log.2.gz", LINES))
    assert requests() == 10
    assert_adds_up()
    assert ImportedFile.objects.count() == 1


@pytest.mark.parametrize("first", [1, 4, 9])
def test_a_file_that_has_grown_goes_on_where_it_ended(tmp_path, first):
    run(write(tmp_path / "access.log", LINES[:first]))
    assert requests() == first
    run(write(tmp_path / "renamed.log.gz", LINES))
    assert requests() == 10
    assert_adds_up()
    # It is known by more of its bytes now: one that only begins so is another one.
    run(write(tmp_path / "other.log", [*LINES[:first], *LINES[:first], line(99)]))
    assert requests() == 10 + 2 * first + 1
    assert ImportedFile.objects.count() == 2


def test_a_long_file_is_known_by_its_beginning(tmp_path):
    lines = [line(n, address=f"192.0.2.{n % 250}") for n in range(1_000)]
    run(write(tmp_path / "a", lines[:500]))
    run(write(tmp_path / "b", lines))
    run(write(tmp_path / "c", lines[:300]))
    run(write(tmp_path / "d", lines[1:]))
    assert requests() == 1_000 + 999
    assert_adds_up()


def test_a_last_line_without_an_end_is_counted_once(tmp_path):
    log = tmp_path / "access.log"
    whole = "\n".join(LINES)
    log.write_text(whole)
    run(log)
    assert requests() == 10
    log.write_text(f"{whole}\n{line(11)}")
    run(log)
    assert requests() == 11
    assert_adds_up()


def test_half_a_line_is_left_until_it_is_whole(tmp_path):
    log = tmp_path / "access.log"
    whole = "\n".join(LINES) + "\n"
    log.write_text(whole[:-30])
    run(log)
    assert requests() == 9
    log.write_text(whole)
    run(log)
    assert requests() == 10
    assert not ImportedFile.objects.get().rejected


def test_half_a_line_is_none_in_another_format(tmp_path):
    log = tmp_path / "access.log"
    whole = "\n".join(LINES) + "\n"
    # What is there of the last line is one in the common format.
    log.write_text(whole[: whole.rindex(" 512 ") + 3])
    run(log)
    assert requests() == 9
    log.write_text(whole)
    run(log)
    assert requests() == sum(keys("browser").values()) == 10


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_run_that_was_killed_is_gone_on_with(
    log, tmp_path, small_steps, monkeypatch, when
):
    write, calls = store.write_packed, []

    def break_off(rows):
        write(rows)
        calls.append(rows)
        if len(calls) > when:
            raise DatabaseError("gone away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_packed", break_off)
        with pytest.raises(CommandError, match="gone away"):
            run(log)
    assert requests() < 10
    assert_adds_up()
    run(log)
    assert requests() == 10
    assert_adds_up()


def test_steps_make_no_difference(log, monkeypatch):
    odd = ["rubbish", "", line(3, request="GET /healthz HTTP/1.1")]
    write(log, [*LINES[:5], *odd, *LINES[5:], line(20_000)])
    run(log, until=START + datetime.timedelta(days=9))
    rows = table()
    counts = ImportedFile.objects.values_list(*COUNTS).get()
    ImportedFile.objects.all().delete()
    store.Rollup.objects.all().delete()
    monkeypatch.setattr(files, "BLOCK", 300)
    for name in ("EVENTS_LIMIT", "EVENTS_LEAST", "LINES_LIMIT"):
        monkeypatch.setattr(importing, name, 2)
    run(log, until=START + datetime.timedelta(days=9))
    assert table() == rows
    assert ImportedFile.objects.values_list(*COUNTS).get() == counts
    assert counts == (14, 10, 1, 1, 2)


def test_two_runs_at_once_count_once(log, monkeypatch, small_steps):
    count_noted, calls = importing.count_noted, []

    def overtaken(events, note, site):
        calls.append(events)
        if len(calls) == 2:
            run(log)
        return count_noted(events, note, site)

    monkeypatch.setattr(importing, "count_noted", overtaken)
    with pytest.raises(CommandError, match=r"access\.log"):
        run(log)
    assert requests() == 10
    assert_adds_up()


@pytest.mark.parametrize("others", [(2, 10), (10, 2)])
def test_two_runs_that_start_on_a_growing_file_count_once(
    tmp_path, monkeypatch, others
):
    """When they look at it, neither has noted it yet."""
    count_noted, first, second = importing.count_noted, *others

    def overtaken(events, note, site):
        monkeypatch.setattr(importing, "count_noted", count_noted)
        run(write(tmp_path / "access.log", LINES[:second]))
        write(tmp_path / "access.log", LINES)
        return count_noted(events, note, site)

    monkeypatch.setattr(importing, "count_noted", overtaken)
    with pytest.raises(CommandError, match=r"access\.log"):
        run(write(tmp_path / "access.log", LINES[:first]))
    run(tmp_path / "access.log")
    assert requests() == 10
    assert_adds_up()


@pytest.mark.parametrize("steps", [(3, 5, 10), (5, 10), (2, 7)])
def test_what_was_too_new_is_counted_when_it_is_not_any_more(
    log, steps, small_steps, tmp_path
):
    for until in steps:
        run(log, "--until", at(until))
        assert requests() == until
        assert_adds_up()
    run(log, "--until", at(10))
    assert requests() == 10
    assert ImportedFile.objects.get().too_new == 0


def test_what_was_too_new_may_be_anywhere_and_the_file_may_grow(tmp_path, small_steps):
    mixed = [LINES[n] for n in (0, 5, 1, 6, 2, 7)]
    log = write(tmp_path / "access.log", mixed)
    run(log, "--until", at(3))
    assert requests() == 3
    write(log, [*mixed, "rubbish", LINES[3], LINES[8]])
    run(log, "--until", at(7))
    assert requests() == 6
    assert ImportedFile.objects.get().too_new == 2
    run(log, "--until", at(99))
    assert requests() == 8
    assert_adds_up()


def test_reading_again_may_be_killed(log, small_steps, monkeypatch):
    run(log, "--until", at(2))
    write, calls = store.write_packed, []

    def break_off(rows):
        write(rows)
        calls.append(rows)
        if len(calls) > 1:
            raise DatabaseError("gone away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_packed", break_off)
        with pytest.raises(CommandError):
            run(log, "--until", at(9))
    assert 2 < requests() < 9
    with pytest.raises(CommandError):
        run(log, "--until", at(10))
    run(log, "--until", at(9))
    assert requests() == 9
    run(log, "--until", at(10))
    assert requests() == 10
    assert_adds_up()


def test_an_earlier_until_is_refused_once_lines_were_too_new(log, capsys):
    run(log, "--until", at(5))
    with pytest.raises(CommandError):
        run(log, "--until", at(3))
    assert "cannot be earlier" in capsys.readouterr().err
    assert requests() == 5
    run(log)
    assert requests() == 5


def test_old_rows_of_minutes_and_hours_are_not_written(tmp_path):
    now = datetime.datetime.now(datetime.UTC)
    ages = (200, 50, 1)
    days = [line(now - datetime.timedelta(days=age)) for age in ages]
    run(write(tmp_path / "access.log", days))
    rows = store.Rollup.objects.filter(dimension="total")
    assert sorted(rows.values_list("grain", flat=True)) == [0, 1, 1, 2, 2, 2]
    before = store.Rollup.objects.count()
    prune()
    assert store.Rollup.objects.count() == before


def test_people_and_bots_are_told_apart(tmp_path):
    lines = [line(0), line(1, agent="curl/8.5.0"), line(2, agent="-")]
    run(write(tmp_path / "access.log", lines))
    assert [requests(audience=number) for number in (0, 1, 2)] == [1, 2, 0]
