"""The demo's events: as real requests are recorded, and within their days."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.urls import Resolver404, resolve

from analytics.rollup.bots import is_bot
from products.demo import shelf
from products.demo.columns import AGENTS, BROWSERS
from products.demo.goods import goods
from products.demo.pages import PAGES
from products.demo.plan import whole_days
from products.demo.traffic import events_of
from products.dimensions import product
from products.models import Product
from tests.products.demo.making import ms, plan_of


@pytest.mark.parametrize("name", PAGES)
def test_routes_are_those_of_the_site(name):
    page = PAGES[name]
    if not page.view:
        with pytest.raises(Resolver404):
            resolve("/nowhere/")
        return
    match = resolve(
        page.route.replace("<slug:slug>", "mug").replace("<path:object_id>", "1")
    )
    assert (f"/{match.route}", match.view_name) == (page.route, page.view)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["home", "list", "category", "detail", "about"])
def test_a_real_request_is_counted_as_the_same(catalogue, client, name):
    slugs = {"category": "kitchen", "detail": Product.objects.available()[0].slug}
    page = PAGES[name]
    response = client.get(page.route.replace("<slug:slug>", slugs.get(name, "")))
    assert response.status_code == page.status
    assert response.resolver_match.view_name == page.view
    assert f"/{response.resolver_match.route}" == page.route


def test_agents_are_what_they_are_meant_to_be():
    assert [is_bot(agent) for agent in AGENTS] == [
        agent not in BROWSERS for agent in AGENTS
    ]


@pytest.mark.django_db
def test_events_lie_within_their_day_and_know_their_products(catalogue):
    plan = plan_of(2)
    shelf.put(plan)
    shown, day = goods(plan), plan.days[1]
    events = events_of(plan, day, shown)
    times = [found.time for found in events]
    assert times == sorted(times)
    assert ms(day.start) <= times[0] <= times[-1] < ms(day.end)
    known = {product(found) for found in events} - {None}
    assert 20 < len(known) <= len(shown.slugs)
    assert known <= set(shown.slugs)


@pytest.mark.parametrize(
    ("last", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)]
)
def test_days_are_those_of_the_clocks(last, hours):
    zone = ZoneInfo("Europe/Berlin")
    day = whole_days(datetime.date.fromisoformat(last), 3, zone)[-1]
    assert day.end - day.start == datetime.timedelta(hours=hours)
    starts, clocks = day.slots()
    assert len(starts) == hours * 4
    assert max(clocks) < 24
    first, end = day.hours(14, 16)
    assert end - first == 2 * 3_600_000
