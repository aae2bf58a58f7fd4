"""What would be pruned, as shown before, is what prune then deletes."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import Rollup, Writer
from analytics.reporting import retention
from analytics.reporting.retention import all_kept, days_text, preview, stocks
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import BUILT_IN, get_dimensions
from analytics.rollup.retention import keep, prune

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
ROUTE = next(each for each in BUILT_IN if each.name == "route")


@pytest.fixture(autouse=True)
def writer(site):
    return Writer.objects.of("test", "UTC")


def rows(*days, grain=Grain.HOUR, site="test"):
    made = [
        Rollup(
            site=site,
            dimension="route",
            grain=grain,
            bucket=NOW - timedelta(days=each),
            key="/",
            audience=0,
        )
        for each in days
    ]
    Rollup.objects.bulk_create(made)


def stock_of(grain, **options):
    found = stocks(all_kept(), NOW, **options)
    names = [(each.kept.dimension.name, each.kept.grain) for each in found]
    return found[names.index(("route", grain))]


def test_every_dimension_and_grain_is_listed_in_one_query(django_assert_num_queries):
    rows(1, 2)
    kept = all_kept()
    with django_assert_num_queries(1):
        found = stocks(kept, NOW)
    expected = [(d.name, g) for d in get_dimensions() for g in sorted(d.days)]
    assert [(s.kept.dimension.name, s.kept.grain) for s in found] == expected
    assert sum(each.rows for each in found) == 2


def test_the_list_does_not_depend_on_how_many_fit_into_a_query(monkeypatch):
    rows(1, 95)
    expected = stocks(all_kept(), NOW)
    monkeypatch.setattr(retention, "UNION_LIMIT", 7)
    assert stocks(all_kept(), NOW) == expected


def test_what_there_is_and_what_would_go():
    rows(1, 91, 95, 100)
    rows(500, site="other")
    found = stock_of(Grain.HOUR)
    assert (found.rows, found.going) == (4, 3)
    assert found.oldest == NOW - timedelta(days=100)
    assert found.going_newest == NOW - timedelta(days=91)
    assert prune(NOW).startswith("3 rollups")
    assert stock_of(Grain.HOUR).going == 0


def test_a_preview_is_what_prune_would_do():
    rows(1, 29, 31, 60)
    (kept,) = [k for k in all_kept() if k.name == "Route, hour"]
    asked = preview(kept, 30, NOW)
    assert (asked.going, asked.going_newest) == (2, NOW - timedelta(days=31))
    assert preview(kept, None, NOW).going == 0
    assert prune(NOW).startswith("0 rollups")
    keep(ROUTE, Grain.HOUR, 30)
    assert prune(NOW).startswith("2 rollups")


def test_rows_that_stay_for_ever_never_go():
    rows(4_000, grain=Grain.DAY)
    assert stock_of(Grain.DAY).going == 0


def test_counting_ends_at_a_bound():
    rows(*range(91, 100))
    found = stock_of(Grain.HOUR, limit=5)
    assert found.rows_text == found.going_text == "> 5"
    assert stock_of(Grain.HOUR, limit=9).rows_text == "9"


def test_where_nothing_was_ever_counted(writer):
    writer.delete()
    found = stocks(all_kept(), NOW)
    assert {(each.rows, each.oldest, each.going) for each in found} == {(0, None, 0)}


def test_what_was_changed_is_known():
    keep(ROUTE, Grain.HOUR, 30)
    changed = [each for each in all_kept() if each.changed]
    assert [(each.name, each.days, each.declared) for each in changed] == [
        ("Route, hour", 30, 90)
    ]


def test_days_for_people():
    assert [days_text(n) for n in (1, 90, None)] == ["1 day", "90 days", "for ever"]
