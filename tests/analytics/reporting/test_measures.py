"""What the visitors of a range are called, where they are not recognised for ever."""

import datetime

import pytest

from analytics.reporting import periods
from analytics.reporting.measures import visitors_label

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 20, 13, tzinfo=datetime.UTC)


def label(settings, recognised, first, last, zone="UTC"):
    settings.ANALYTICS_VISITOR_PERIOD = recognised
    settings.TIME_ZONE = zone
    days = map(datetime.date.fromisoformat, (first, last))
    return str(visitors_label(periods.between(*days, NOW)))


@pytest.mark.parametrize(
    ("first", "last", "by_day", "by_month"),
    [
        ("2026-11-20", "2026-11-20", "Visitors", "Visitors"),
        ("2026-11-19", "2026-11-19", "Visitors", "Visitors"),
        ("2026-11-18", "2026-11-19", "Daily visitors", "Visitors"),
        ("2026-11-01", "2026-11-20", "Daily visitors", "Visitors"),
        ("2026-10-31", "2026-11-01", "Daily visitors", "Monthly visitors"),
        ("2025-11-20", "2026-11-20", "Daily visitors", "Monthly visitors"),
    ],
)
def test_longer_ranges_say_so(site, first, last, by_day, by_month):
    assert label(site, "stable", first, last) == "Visitors"
    assert label(site, "day", first, last) == by_day
    assert label(site, "month", first, last) == by_month


def test_a_visitor_gets_a_new_number_at_midnight_of_utc(site):
    """So a day elsewhere has two of them."""
    day = ("2026-11-18", "2026-11-18")
    assert label(site, "day", *day, "Europe/Berlin") == "Daily visitors"
    first = ("2026-10-01", "2026-10-01")
    assert label(site, "month", *first, "Europe/Berlin") == "Monthly visitors"
