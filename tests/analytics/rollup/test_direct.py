"""Events that are counted without a journal, and days that are taken away again."""

import datetime

import pytest

from analytics.models import Producer, Rollup, Writer
from analytics.rollup.buckets import Grain
from analytics.rollup.direct import (
    DaysTaken,
    Interrupted,
    OwnDays,
    count_events,
    find_lines,
)
from analytics.rollup.retention import prune
from tests.analytics.recording.events import event


@pytest.mark.django_db
def test_counts_and_enters_its_source_into_the_ledger():
    count_events([event(), event(status=500)], "(import)")
    count_events([event()], "(import)")
    total = Rollup.objects.of("test", "total", Grain.DAY).get()
    assert (total.requests, total.errors) == (3, 1)
    line = Producer.objects.get(producer="(import)")
    assert (line.recorded, line.counted, line.waiting) == (3, 3, 0)


@pytest.mark.django_db
def test_its_source_tells_of_the_time_from_the_first_event_to_the_last():
    count_events([], "(import)")
    line = Producer.objects.get()
    assert (line.started, line.alive) == (None, None)
    for first, last in ((3, 5), (4, 4), (2, 6)):
        count_events([on(last), on(first), on(first, hour=13)], "(import)")
        line.refresh_from_db()
        earliest = min(first, 3)
        assert line.started == START + earliest * DAY + NOON
        assert line.alive == START + max(last, 5) * DAY + NOON


NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
NOON = datetime.timedelta(hours=12)
START = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - 10 * DAY


def on(day: int, hour: int = 12, **changes):
    """An event some days after the first of our own days."""
    moment = START + day * DAY + datetime.timedelta(hours=hour)
    return event(time=int(moment.timestamp() * 1000), **changes)


def counted() -> dict[int, int]:
    """Requests by day."""
    totals = Rollup.objects.of("test", "total", Grain.DAY).order_by("bucket")
    return {(row.bucket - START).days: row.requests for row in totals}


def columns() -> list[tuple]:
    """All rows, but for the keys they happen to have."""
    names = [field.name for field in Rollup._meta.fields if field.name != "id"]
    found = [row[:-2] for row in Rollup.objects.values_list(*names)]
    return sorted(found)


@pytest.fixture(autouse=True)
def utc(site):
    """Whose days these are."""
    site.TIME_ZONE = "UTC"


@pytest.fixture
def own(db):
    """Three days, begun."""
    days = OwnDays("(own)", START, START + 3 * DAY)
    days.begin()
    return days


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "grains"),
    [(0, {0, 1, 2}), (1, {0, 1, 2}), (10, {1, 2}), (100, {2})],
)
def test_writes_no_row_that_would_be_deleted_at_once(age, grains):
    at = int((NOW - age * DAY).timestamp() * 1000)
    count_events([event(time=at)], "(import)")
    assert set(Rollup.objects.values_list("grain", flat=True)) == grains
    before = Rollup.objects.count()
    prune()
    assert Rollup.objects.count() == before


@pytest.mark.django_db
def test_of_events_from_many_days_writes_what_retention_would_leave():
    moments = [int((NOW - age * DAY).timestamp() * 1000) for age in (0, 10, 100)]
    count_events([event(time=at) for at in moments], "(import)")
    total = Rollup.objects.filter(dimension="total")
    assert [total.filter(grain=grain).count() for grain in Grain] == [1, 2, 3]
    assert prune().startswith("0 rollups")


def test_counts_into_the_rows_of_its_days(own):
    own.count([on(0), on(2)])
    own.count([on(0)])
    own.finish()
    assert counted() == {0: 2, 2: 1}
    assert (own.line.counted, own.line.closed) == (3, True)
    assert [line.producer for line in find_lines("(o")] == ["(own)"]


@pytest.mark.django_db
def test_days_on_which_something_was_counted_cannot_be_had():
    count_events([on(1), on(1), on(2)], "web")
    with pytest.raises(DaysTaken) as taken:
        OwnDays("(own)", START, START + 3 * DAY).begin()
    assert taken.value.requests == 3
    assert taken.value.days == [START + DAY, START + 2 * DAY]
    assert not find_lines("(own)")
    OwnDays("(own)", START - DAY, START + DAY).begin()


def test_one_begins_once(own):
    with pytest.raises(Interrupted):
        own.begin()


def test_what_was_finished_or_removed_cannot_be_added_to(own):
    own.finish()
    with pytest.raises(Interrupted):
        own.count([on(0)])
    own.remove()
    with pytest.raises(Interrupted):
        own.count([on(0)])
    assert counted() == {}
    assert not Producer.objects.exists()


def test_removes_its_days_and_nothing_beside_them(own):
    # The last hour before its days, and the first one after them.
    count_events([on(-1, hour=23), on(3, hour=0)], "web")
    before = columns()
    own.count([on(0, hour=0), on(0, status=500), on(2, hour=23, agent="")])
    assert counted() == {-1: 1, 0: 2, 2: 1, 3: 1}
    generation = Writer.objects.get(pk="test").generation
    own.remove()
    assert columns() == before
    # A drain that had read these rows has to begin anew.
    assert Writer.objects.get(pk="test").generation > generation
    assert list(Producer.objects.values_list("producer", flat=True)) == ["web"]


def test_leaves_other_sites_alone(own, settings):
    own.count([on(0)])
    settings.ANALYTICS_SITE = "other"
    count_events([on(0)], "web")
    settings.ANALYTICS_SITE = "test"
    own.remove()
    assert set(Rollup.objects.values_list("site", flat=True)) == {"other"}


def test_requests_of_others_on_its_days_are_not_removed_unless_forced(own):
    own.count([on(0), on(1)])
    own.finish()
    count_events([on(1)], "web")
    before = columns()
    with pytest.raises(DaysTaken) as taken:
        own.remove()
    assert taken.value.requests == 1
    assert columns() == before
    assert own.line.closed
    own.remove(force=True)
    assert counted() == {}
    assert own.line is None


def test_goes_on_where_a_removal_was_interrupted(own, monkeypatch):
    own.count([on(0), on(1), on(2), on(2)])
    remove_day = OwnDays._remove_day

    def remove_one(days, rows, day, force):
        if day > START:
            raise KeyboardInterrupt
        remove_day(days, rows, day, force)

    with monkeypatch.context() as patch:
        patch.setattr(OwnDays, "_remove_day", remove_one)
        with pytest.raises(KeyboardInterrupt):
            own.remove()
    assert counted() == {1: 1, 2: 2}
    assert (own.line.counted, own.line.closed) == (3, False)
    own.remove()
    assert columns() == []
    assert own.line is None
