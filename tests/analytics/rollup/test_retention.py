"""Retention: what is deleted, what stays, and that folding forgets no number."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import DeadLetter, JobRun, Producer, Rollup
from analytics.recording.journal import OrphanJournal
from analytics.recording.shipper import Shipment
from analytics.rollup import retention
from analytics.rollup.buckets import Grain
from analytics.rollup.retention import prune

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


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
