"""Two sites with numbers of their own never mix: on no page, export or API address.

The addresses are those of the URL resolver, so a new page is among them; the numbers
are such that each string of digits is of one site alone.
"""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from analytics.models import Producer, Rollup, Site, Writer
from analytics.rollup.buckets import Grain, bucket
from analytics.rollup.sketches import Histogram, Visitors
from tests.dashboard.addresses import addresses, samples

pytestmark = pytest.mark.django_db
NUMBERS = {"test": 4_321_987, "other": 8_765_123}
SHOWN_ON = (
    "admin:analytics_overview",
    "admin:analytics_explore",
    "admin:analytics_explore_data",
    "admin:analytics_chart_data",
    "admin:analytics_numbers",
    "admin:analytics_waiting",
    "admin:analytics_rollup_changelist",
    "admin:analytics_producer_changelist",
    "v1:analytics:totals",
    "v1:analytics:comparison",
    "v1:analytics:series",
    "v1:analytics:top",
    "v1:analytics:histogram",
)
"""Pages that must have the number of the site that is chosen."""
WORDS = {
    "admin:analytics_explore": "dimension=route",
    "admin:analytics_explore_data": "dimension=route",
    "v1:analytics:top": "dimension=route",
}


def digits(response) -> str:
    """What is shown, without what stands between the digits of large numbers."""
    content = b"".join(response) if response.streaming else response.content
    return re.sub(r"(?<=\d)(?:[\s,.']|\\u[0-9a-f]{4})(?=\d)", "", content.decode())


def row(site: str, dimension: str, key: str, grain: Grain) -> None:
    count, zone = NUMBERS[site], ZoneInfo(project.TIME_ZONE)
    sketch, latency = Visitors(), Histogram()
    sketch.add(7)
    latency.counts[Histogram.index(1_000)] = count
    Rollup.objects.create(
        site=site,
        dimension=dimension,
        key=key,
        grain=grain,
        bucket=bucket(timezone.now() - timedelta(minutes=1), grain, zone),
        audience=0,
        requests=count,
        views=count,
        latency=latency,
        visitors=sketch,
    )


@pytest.fixture
def root(site_stream, catalogue, client):
    """Somebody who may see everything, and two sites to be seen."""
    for name, count in NUMBERS.items():
        Site.objects.get_or_create(name=name)
        Writer.objects.of(name, project.TIME_ZONE)
        for dimension, key in (("total", ""), ("route", f"/of-{name}/")):
            for grain in (Grain.MINUTE, Grain.HOUR, Grain.DAY):
                row(name, dimension, key, grain)
        counts = {"recorded": count, "expected": count, "counted": count}
        Producer.objects.create(site=name, producer=f"p-{name}", **counts)
    client.force_login(User.objects.create_superuser("root"))
    return client


def pages() -> list[tuple[str, str]]:
    """Every page and address of analytics, with the words that it needs."""
    found = [
        (name, f"{url}?{WORDS.get(name, '')}")
        for name, url in addresses(samples())
        if name.startswith(("admin:analytics_", "admin:index", "v1:analytics:"))
    ]
    names = {name for name, _url in found}
    assert set(SHOWN_ON) <= names, set(SHOWN_ON) - names
    return found


def test_no_page_has_a_number_of_the_site_that_is_not_chosen(root):
    seen = set()
    for name, url in pages():
        for chosen, foreign in (("test", "other"), ("other", "test")):
            # Our own needs no word.
            address = url if chosen == "test" else f"{url}&site=other"
            response = root.get(address)
            if response.status_code != 200:
                continue
            shown = digits(response)
            # The lists of retention and sites are of all of them, and have no measures.
            assert str(NUMBERS[foreign]) not in shown, address
            assert f"/of-{foreign}/" not in shown, address
            if str(NUMBERS[chosen]) in shown:
                seen.add((name, chosen))
    missing = {(name, site) for name in SHOWN_ON for site in NUMBERS} - seen
    assert not missing


@pytest.mark.parametrize("format", ["csv", "json"])
@pytest.mark.parametrize(
    "address", ["admin:analytics_rollup_export", "admin:analytics_explore_export"]
)
@pytest.mark.parametrize(("chosen", "foreign"), [("test", "other"), ("other", "test")])
def test_no_export_has_a_row_of_the_other_site(root, address, format, chosen, foreign):
    query = {"dimension": "route", "site": chosen}
    response = root.post(reverse(address, query=query), {"format": format})
    shown = digits(response)
    assert str(NUMBERS[chosen]) in shown
    assert str(NUMBERS[foreign]) not in shown


def test_every_link_of_a_page_stays_with_the_site(root):
    """All but those of the switch, and those that lead out of the numbers."""
    page = root.get(reverse("admin:analytics_overview", query={"site": "other"}))
    content = page.content.decode()
    links = re.findall(
        r'(?:href|data-chart|data-waiting|data-refresh)="([^"]+)"', content
    )
    numbers = [
        link for link in links if link.startswith("?") or "/overview/" in link + "/"
    ]
    leaving = [link for link in numbers if "site=other" not in link and "?" in link]
    assert len(numbers) > 10
    # The one of the switch that leads back.
    assert len(leaving) == 1


@pytest.mark.parametrize(
    "name", ["admin:analytics_overview", "admin:analytics_explore"]
)
def test_an_unknown_site_leads_to_our_own_with_a_message(root, name):
    response = root.get(reverse(name, query={"site": "nowhere"}))
    assert response.status_code == 400
    content = response.content.decode()
    assert "There is no site of this name." in content
    assert "of-other" not in content


@pytest.mark.parametrize("name", ["nowhere", "a:b", "\0", "x" * 500])
def test_the_api_refuses_an_unknown_site(root, name):
    for address in ("totals", "dimensions", "series"):
        url = reverse(f"v1:analytics:{address}", query={"site": name})
        assert root.get(url).status_code == 400


def test_the_api_says_whose_numbers_these_are(root):
    for chosen in NUMBERS:
        url = reverse("v1:analytics:totals", query={"site": chosen})
        found = root.get(url).json()
        assert (found["site"], found["totals"]["requests"]) == (
            chosen,
            NUMBERS[chosen],
        )


def test_the_switch_is_shown_where_there_is_something_to_choose(root):
    page = root.get(reverse("admin:analytics_overview")).content.decode()
    assert "Site: test" in page
    Site.objects.filter(name="other").delete()
    page = root.get(reverse("admin:analytics_overview")).content.decode()
    assert "Site: test" not in page


def test_the_switch_leaves_out_what_the_other_site_has_not(root):
    """A product is one of ours: over there is no such page, so it leads to routes."""
    page = root.get(reverse("admin:analytics_explore", query={"dimension": "product"}))
    (link,) = re.findall(r'"([^"]*site=other[^"]*)"', page.content.decode())
    assert "dimension=route" in link
    other = root.get(reverse("admin:analytics_explore", query={"site": "other"}))
    assert "dimension=product" not in other.content.decode()
