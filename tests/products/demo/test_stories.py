"""What the demo's numbers show: weeks, campaigns, faults, and products with stories."""

import datetime

import pytest
from django.test import override_settings
from django.utils import timezone

from analytics.models import Audience, Rollup
from analytics.reporting import queries
from analytics.reporting.periods import Period, between
from analytics.rollup.buckets import Grain
from products.catalogue import seed
from products.demo import filling
from products.demo.catalogue import HITS, LAUNCHES, SELLS_OUT
from products.demo.plan import CAMPAIGNS, SLOW, SOLD_OUT, Plan
from products.models import Product
from tests.lasting import lasting
from tests.products.demo.making import plan_of

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def six_weeks(django_db_setup, django_db_blocker):
    """Forty-two days up to a Sunday, counted; as a plan."""
    with lasting(django_db_blocker):
        with override_settings(TIME_ZONE="UTC"):
            seed()
            plan = plan_of(42, visits=100)
            filling.fill(plan, lambda done, total: None)
        yield plan


@pytest.fixture(autouse=True)
def utc(settings):
    settings.TIME_ZONE = "UTC"


def period(plan: Plan, first: int, last: int) -> Period:
    """Asked for from so far away that it is made of days."""
    dates = [plan.days[number].date for number in (first, last)]
    return between(*dates, now=timezone.now() + datetime.timedelta(days=365))


def values(plan: Plan, first: int, last: int, measure: str) -> tuple:
    """What people make, by day."""
    return queries.series(period=period(plan, first, last), measure=measure).values


def test_days_and_weeks_have_their_rhythm_and_people_return(six_weeks):
    visitors = values(six_weeks, 0, 41, "visitors")
    weekends = sum(n for day, n in enumerate(visitors) if day % 7 >= 5) / 12
    weekdays = sum(n for day, n in enumerate(visitors) if day % 7 < 5) / 30
    assert weekends < 0.85 * weekdays
    assert sum(visitors[:7]) < sum(visitors[-7:])
    whole = queries.totals(period=period(six_weeks, 0, 41)).visitors
    assert 0.4 < whole / sum(visitors) < 0.9
    hours = Rollup.objects.filter(dimension="total", grain=Grain.HOUR, audience=0)
    night = sum(hours.filter(bucket__hour__lt=6).values_list("views", flat=True))
    evening = sum(hours.filter(bucket__hour__gte=18).values_list("views", flat=True))
    assert 0 < night < evening / 4


def test_what_happened_shows_in_the_numbers(six_weeks):
    plan = six_weeks
    spike = plan.at(CAMPAIGNS[1].begins)
    views = values(plan, spike - 7, spike, "views")
    assert views[-1] > 1.5 * views[0]
    slow = plan.at(SLOW)
    calm, slowed = values(plan, slow - 1, slow, "p95")
    assert slowed > 2 * calm
    deploy = plan.bad_deploy
    assert plan.days[deploy].date.weekday() < 5
    calm, broken = values(plan, deploy - 1, deploy, "errors")
    assert broken > calm


def test_products_have_their_stories(six_weeks):
    def views(name: str, first: int, last: int) -> float:
        """A day."""
        key = str(Product.objects.get(name=name).pk)
        days = period(six_weeks, first, last)
        found = queries.totals(period=days, dimension="product", key=key)
        return found.views / days.days

    gone = six_weeks.at(SOLD_OUT)
    assert views(SELLS_OUT, gone, 41) < 0.5 * views(SELLS_OUT, 0, gone - 1)
    assert Product.objects.get(name=SELLS_OUT).stock == 0
    launch = six_weeks.at(LAUNCHES["Wool Rug"])
    assert views("Wool Rug", 0, launch - 1) == 0 < views("Wool Rug", launch, 41)
    assert views("Wall Calendar", six_weeks.at(0.45), 41) == 0
    assert views("Wall Calendar", 0, six_weeks.at(0.3)) > 0
    days = period(six_weeks, 0, 41)
    top = queries.top(dimension="product", period=days, limit=3)
    assert {row.label.text for row in top.rows} < set(HITS)


def test_there_are_bots_staff_and_broken_links(six_weeks):
    days = period(six_weeks, 0, 41)
    requests = {
        audience: queries.totals(period=days, audiences=(audience,)).requests
        for audience in Audience
    }
    everyone = sum(requests.values())
    assert 0.12 < requests[Audience.BOTS] / everyone < 0.2
    assert 0 < requests[Audience.STAFF] / everyone < 0.2
    broken = queries.top(dimension="error_referrer", period=days, measure="requests")
    assert "oldblog.example.net" in [row.key for row in broken.rows]
