"""Retention: what is deleted, what stays, and that folding forgets no number."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from analytics.history.beginning import first_live
from analytics.models import (
    Coverage,
    DeadLetter,
    JobRun,
    Producer,
    Retention,
    Rollup,
)
from analytics.recording.journal import OrphanJournal
from analytics.recording.shipper import Shipment
from analytics.rollup import coverage, retention
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import BUILT_IN
from analytics.rollup.direct import count_events
from analytics.rollup.retention import DaysInForce, keep, prune
from tests.analytics.recording.events import event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
ROUTE = next(each for each in BUILT_IN if each.name == "route")
STATUS = next(each for each in BUILT_IN if each.name == "status")


def a_rollup(grain, days, dimension="route"):
    return Rollup.objects.create(
        site="test",
        dimension=dimension,
        grain=grain,
        bucket=NOW - timedelta(days=days),
        key=f"{grain}-{days}",
        audience=0,
        requests=1,
    )


def a_line(name, days, recorded=10, expected=10, closed=True):
    return Producer.objects.create(
        closed=closed,
        site="test",
        producer=name,
        seen=NOW - timedelta(days=days),
        recorded=recorded,
        expected=expected,
        counted=expected,
    )


def test_each_grain_is_kept_for_its_time(site, monkeypatch):
    monkeypatch.setattr(retention, "BATCH_ROWS", 1)
    for grain, kept, gone in ((0, 1, 3), (1, 89, 91), (2, 4_000, None)):
        a_rollup(grain, kept)
        if gone:
            a_rollup(grain, gone)
            a_rollup(grain, gone + 1)
    assert prune(NOW).startswith("4 rollups")
    left = set(Rollup.objects.values_list("key", flat=True))
    assert left == {"0-1", "1-89", "2-4000"}


def test_another_sites_rollups_stay(site):
    row = a_rollup(Grain.MINUTE, 100)
    Rollup.objects.update(site="other")
    prune(NOW)
    assert Rollup.objects.filter(pk=row.pk).exists()


def test_job_runs_and_dead_letters_are_kept_for_thirty_days(site):
    for days in (29, 31):
        at = NOW - timedelta(days=days)
        JobRun.objects.create(task="t", started=at)
        DeadLetter.objects.create(site="test", created=at, entry=days, content=b"")
    assert "1 job runs and 1 dead letters deleted" in prune(NOW)
    assert DeadLetter.objects.get().entry == "29"


def test_only_the_newest_dead_letters_are_kept(site, monkeypatch):
    monkeypatch.setattr(retention, "LETTERS_LIMIT", 3)
    for entry in range(5):
        DeadLetter.objects.create(site="test", created=NOW, entry=entry, content=b"")
    prune(NOW)
    assert set(DeadLetter.objects.values_list("entry", flat=True)) == {"2", "3", "4"}


def test_only_the_newest_job_runs_are_kept(site, monkeypatch):
    monkeypatch.setattr(retention, "RUNS_LIMIT", 2)
    for number in range(4):
        JobRun.objects.create(task=number, started=NOW)
    prune(NOW)
    assert set(JobRun.objects.values_list("task", flat=True)) == {"2", "3"}


def test_old_lines_are_folded_and_the_sums_stay(site):
    a_line("old1", days=31)
    a_line("old2", days=40)
    a_line("young", days=29)
    a_line("waiting", days=50, expected=7)
    a_line("not closed", days=50, closed=False)
    a_line("(demo)", days=50)
    before = Producer.objects.sums()
    assert prune(NOW).endswith("2 ledger lines folded")
    assert Producer.objects.sums() == before
    names = set(Producer.objects.values_list("producer", flat=True))
    stay = {"young", "waiting", "not closed", "(demo)"}
    assert names == {*stay, Producer.FOLDED}
    assert prune(NOW + timedelta(days=2)).endswith("1 ledger lines folded")
    assert Producer.objects.sums() == before


def test_what_a_folded_producer_held_is_not_counted_again(
    new_web, drain, site_stream, settings
):
    """A machine comes back after a month, its journal counted but not deleted."""
    web = new_web()
    web.record(5)
    web.ship()
    web.shipment.step(closing=True)
    drain()
    directory = web.journal.directory
    web.journal.abandon()
    site_stream.client.flushall()
    month_later = datetime.now(UTC) + timedelta(days=31)
    assert prune(month_later).endswith("1 ledger lines folded")

    orphan = OrphanJournal.adopt(directory)
    shipment = Shipment(orphan, site_stream, 100)
    while shipment.step(closing=True):
        pass
    drain()
    shipment.step(closing=True)
    assert shipment.counted
    orphan.close()
    total = Rollup.objects.of("test", "total", Grain.DAY).get()
    assert total.requests == 5
    line = Producer.objects.get(producer=web.producer)
    assert (line.counted, line.rejected, line.waiting) == (0, 5, 0)
    assert "folded" in DeadLetter.objects.get().reason


def test_a_new_producer_is_counted_after_folding(new_web, drain, site):
    a_line("old", days=31)
    prune(NOW)
    assert Producer.objects.get().seen.timestamp() < time.time()
    web = new_web()
    web.record(3)
    web.ship()
    drain()
    assert Producer.objects.get(producer=web.producer).counted == 3


# What folding remembers: when something could be recorded, and when that began.

MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=40)


def lived(start: datetime, end: datetime, **changes):
    """The closed line of a process that lived from one moment to another."""
    values = {"started": start, "seen": end, "alive": end, "closed": True} | changes
    name = f"web{Producer.objects.count()}"
    return Producer.objects.create(producer=name, **({"site": "test"} | values))


def remembered(site="test"):
    rows = Coverage.objects.filter(site=site).order_by("start")
    return list(rows.values_list("start", "end"))


def test_folding_remembers_when_processes_lived(site):
    later = LONG_AGO + 60 * MINUTE
    lived(LONG_AGO, LONG_AGO + 20 * MINUTE)
    lived(LONG_AGO + 10 * MINUTE, LONG_AGO + 15 * MINUTE)
    # A restart of five minutes, and an outage of more.
    lived(LONG_AGO + 25 * MINUTE, LONG_AGO + 30 * MINUTE)
    lived(LONG_AGO + 35 * MINUTE + timedelta(seconds=1), later, seen=LONG_AGO)
    lived(LONG_AGO, later, site="other")
    lived(NOW - 60 * MINUTE, NOW)
    prune(NOW)
    assert remembered() == [
        (LONG_AGO, LONG_AGO + 30 * MINUTE),
        (LONG_AGO + 35 * MINUTE + timedelta(seconds=1), later),
    ]
    assert remembered("other") == []
    assert Producer.objects.filter(site="test").count() == 2


def test_what_is_remembered_grows_together(site):
    lived(LONG_AGO, LONG_AGO + 10 * MINUTE)
    lived(LONG_AGO + 60 * MINUTE, LONG_AGO + 70 * MINUTE)
    prune(NOW)
    first = Coverage.objects.order_by("start")[0]
    lived(LONG_AGO + 62 * MINUTE, LONG_AGO + 90 * MINUTE)
    prune(NOW)
    assert remembered() == [
        (LONG_AGO, LONG_AGO + 10 * MINUTE),
        (LONG_AGO + 60 * MINUTE, LONG_AGO + 90 * MINUTE),
    ]
    assert Coverage.objects.order_by("start")[0] == first, "it was not written again"
    lived(LONG_AGO + 8 * MINUTE, LONG_AGO + 58 * MINUTE)
    prune(NOW)
    assert remembered() == [(LONG_AGO, LONG_AGO + 90 * MINUTE)]


def test_a_line_that_does_not_know_when_it_lived_is_folded_all_the_same(site):
    a_line("never heard of", days=40)
    lived(LONG_AGO, LONG_AGO - MINUTE, seen=LONG_AGO)
    lived(LONG_AGO + 60 * MINUTE, LONG_AGO + 70 * MINUTE, alive=None)
    assert prune(NOW).endswith("3 ledger lines folded")
    assert remembered() == [
        # Its clock was set back.
        (LONG_AGO, LONG_AGO),
        (LONG_AGO + 60 * MINUTE, LONG_AGO + 70 * MINUTE),
    ]


def test_the_shortest_outages_are_forgotten_when_there_are_too_many(site, monkeypatch):
    monkeypatch.setattr(coverage, "INTERVALS_LIMIT", 3)
    ends = LONG_AGO
    for minutes in (30, 7, 40, 9, 20):
        lived(ends, ends + MINUTE)
        ends += MINUTE + minutes * MINUTE
    lived(ends, ends + MINUTE)
    prune(NOW)
    outages = [
        b[0] - a[1] for a, b in zip(remembered(), remembered()[1:], strict=False)
    ]
    assert outages == [30 * MINUTE, 40 * MINUTE]


def test_a_fold_that_is_rolled_back_remembers_nothing(site, monkeypatch):
    lived(LONG_AGO, LONG_AGO + MINUTE)

    def fail(*arguments):
        raise RuntimeError

    monkeypatch.setattr(Coverage.objects, "bulk_create", fail)
    with pytest.raises(RuntimeError):
        prune(NOW)
    assert Producer.objects.get().producer == "web0"
    assert remembered() == []


def test_folding_does_not_change_when_this_site_began(site):
    lived(LONG_AGO + 5 * MINUTE, LONG_AGO + 9 * MINUTE)
    lived(LONG_AGO + 20 * MINUTE, LONG_AGO + 90 * MINUTE)
    began = first_live()
    assert began == LONG_AGO + 5 * MINUTE
    prune(NOW)
    assert Producer.objects.get().started == began
    assert first_live() == began
    lived(LONG_AGO + 70 * MINUTE, LONG_AGO + 90 * MINUTE)
    prune(NOW)
    assert first_live() == began
    lived(LONG_AGO, LONG_AGO + MINUTE, started=None)
    prune(NOW)
    # All that is known of it is when it was last heard of.
    assert first_live() == LONG_AGO + MINUTE


def test_lines_folded_before_that_was_kept_will_never_tell(site):
    Producer.objects.create(
        site="test", producer=Producer.FOLDED, closed=True, seen=LONG_AGO
    )
    lived(LONG_AGO + 5 * MINUTE, LONG_AGO + 9 * MINUTE)
    prune(NOW)
    assert Producer.objects.get().started is None


# What is in force.


def test_without_a_change_the_declaration_is_in_force(django_assert_num_queries):
    in_force = DaysInForce()
    with django_assert_num_queries(1):
        for each in BUILT_IN:
            assert in_force.of(each) == each.days
    with django_assert_num_queries(1):
        assert DaysInForce().of(ROUTE) == ROUTE.days


def test_a_change_is_of_one_dimension_and_grain():
    keep(ROUTE, Grain.HOUR, 30)
    assert DaysInForce().of(ROUTE) == {**ROUTE.days, Grain.HOUR: 30}
    assert DaysInForce().of(STATUS) == STATUS.days


def test_what_is_declared_needs_no_row():
    keep(ROUTE, Grain.HOUR, 30)
    keep(ROUTE, Grain.HOUR, 40)
    assert Retention.objects.get().days == 40
    keep(ROUTE, Grain.HOUR, ROUTE.days[Grain.HOUR])
    assert not Retention.objects.exists()
    assert DaysInForce().of(ROUTE) == ROUTE.days


def present(days_later=0.0):
    return DaysInForce().present("route", ROUTE.days, NOW + timedelta(days=days_later))


def test_rows_that_are_kept_for_longer_now_come_with_time():
    a_rollup(Grain.DAY, 1_000)
    keep(ROUTE, Grain.HOUR, 730, NOW)
    assert DaysInForce().of(ROUTE)[Grain.HOUR] == 730
    assert present()[Grain.HOUR] == 90
    assert present(0.9)[Grain.HOUR] == 90
    assert present(30)[Grain.HOUR] == 120
    assert present(1_000)[Grain.HOUR] == 730
    assert present()[Grain.MINUTE] == 2


def test_what_is_gone_stays_gone_whatever_is_said_afterwards(
    django_assert_num_queries,
):
    a_rollup(Grain.DAY, 1_000)
    keep(ROUTE, Grain.HOUR, 10, NOW)
    # As long as it is declared, and yet there is less of it.
    keep(ROUTE, Grain.HOUR, 90, NOW + timedelta(days=1))
    assert present(1)[Grain.HOUR] == 10
    keep(ROUTE, Grain.HOUR, 730, NOW + timedelta(days=2))
    assert present(2)[Grain.HOUR] == 11
    keep(ROUTE, Grain.HOUR, 90, NOW + timedelta(days=100))
    assert not Retention.objects.exists()
    in_force = DaysInForce()
    with django_assert_num_queries(1):
        assert in_force.present("route", ROUTE.days, NOW) == ROUTE.days
        assert in_force.of(ROUTE) == ROUTE.days


def test_days_that_are_kept_for_ever_again():
    keep(ROUTE, Grain.DAY, 400, NOW)
    assert Retention.objects.get().since is None
    keep(ROUTE, Grain.DAY, None, NOW + timedelta(days=10))
    assert DaysInForce().of(ROUTE)[Grain.DAY] is None
    assert present(20)[Grain.DAY] == 410


def test_where_nothing_is_so_old_nothing_is_missing():
    """Hours may be kept for longer before old logs are imported."""
    a_rollup(Grain.DAY, 89)
    keep(ROUTE, Grain.HOUR, 730, NOW)
    assert present()[Grain.HOUR] == 730


def test_a_row_of_what_is_not_declared_changes_nothing():
    Retention.objects.create(dimension="status", grain=Grain.MINUTE, days=5)
    Retention.objects.create(dimension="gone", grain=Grain.HOUR, days=7)
    assert DaysInForce().of(STATUS) == STATUS.days


def test_coarser_rows_are_never_kept_for_a_shorter_time_than_finer_ones():
    Retention.objects.create(dimension="route", grain=Grain.MINUTE, days=14)
    Retention.objects.create(dimension="route", grain=Grain.HOUR, days=7)
    assert DaysInForce().of(ROUTE)[Grain.HOUR] == 14
    Retention.objects.create(dimension="status", grain=Grain.HOUR, days=730)
    Retention.objects.create(dimension="status", grain=Grain.DAY, days=400)
    assert DaysInForce().of(STATUS)[Grain.DAY] == 730


@pytest.mark.parametrize(
    ("grain", "days"),
    [(0, 0), (0, 15), (0, None), (1, 6), (1, 731), (1, None), (2, 399), (2, 36_501)],
)
def test_the_table_refuses_what_is_not_safe(grain, days):
    with pytest.raises(IntegrityError), transaction.atomic():
        Retention.objects.create(dimension="route", grain=grain, days=days)


def test_prune_takes_what_is_in_force(site):
    keep(ROUTE, Grain.HOUR, 30)
    keep(STATUS, Grain.HOUR, 200)
    keep(STATUS, Grain.DAY, 500)
    for days in (29, 31):
        a_rollup(Grain.HOUR, days)
    for days in (199, 201):
        a_rollup(Grain.HOUR, days, dimension="status")
    for days in (499, 501):
        a_rollup(Grain.DAY, days, dimension="status")
    a_rollup(Grain.DAY, 501)
    assert prune(NOW).startswith("3 rollups")
    left = set(Rollup.objects.values_list("dimension", "key"))
    assert left == {
        ("route", "1-29"),
        ("status", "1-199"),
        ("status", "2-499"),
        ("route", "2-501"),
    }


def test_events_counted_late_leave_the_rows_that_are_in_force(site):
    """An imported log has hours where these are kept, and prune takes none of them."""
    keep(ROUTE, Grain.HOUR, 7)
    keep(STATUS, Grain.HOUR, 200)
    old = datetime.now(UTC) - timedelta(days=100)
    count_events([event(time=int(old.timestamp() * 1000))], "(import)")
    hours = Rollup.objects.filter(grain=Grain.HOUR)
    assert set(hours.values_list("dimension", flat=True)) == {"status"}
    assert prune().startswith("0 rollups")
