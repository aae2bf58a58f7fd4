"""All keys of a dimension: ranked, searched, page by page; and one key alone."""

import datetime
import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from analytics.reporting import dimension_menu, periods, queries
from analytics.reporting.explore import PAGE_ROWS, Search
from analytics.reporting.question import BadQuestion
from analytics.rollup.dimensions import get_dimensions
from analytics.words import number
from products.models import Product
from tests.analytics.reporting.traffic import BROWSER, at, counted

pytestmark = pytest.mark.django_db

NAMES = ("analytics_explore", "analytics_explore_data")


@pytest.fixture
def viewer(client):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_rollup"))
    client.force_login(user)
    return client


def get(client, name, **words):
    return client.get(reverse(f"admin:{name}"), words)


def views(routes: dict[str, int], days_ago: int = 0) -> None:
    """So many views of each route."""
    moment = timezone.now() - datetime.timedelta(days=days_ago)
    counted(
        [
            at(moment, route=route, agent=BROWSER, visitor=1)
            for route, count in routes.items()
            for _ in range(count)
        ]
    )


def found(client, **words) -> dict:
    words = {"dimension": "route", **words}
    return get(client, "analytics_explore_data", **words).json()


def rows(client, **words) -> dict[str, int]:
    data = found(client, **words)
    return {row["key"]: row["value"] for row in data["rows"]}


def test_keys_are_ranked_with_what_they_were_before(viewer, site):
    views({"/a/": 3, "/b/": 5})
    views({"/a/": 6}, days_ago=8)
    data = found(viewer, range="7")
    listed = [(row["key"], row["value"], row["before"]) for row in data["rows"]]
    assert listed == [("/b/", 5, 0), ("/a/", 3, 6)]
    page = get(viewer, "analytics_explore", dimension="route", range="7").text
    assert "−50" in page
    assert ">new<" in page


def test_page_by_page_each_key_comes_once(viewer, site):
    views({f"/{place:03}/": 1 for place in range(PAGE_ROWS + 3)})
    first, second = (rows(viewer, page=page) for page in ("1", "2"))
    assert len(first) == PAGE_ROWS
    assert len(second) == 3
    assert not set(first) & set(second)
    data = found(viewer, page="2")
    assert (data["found"], data["pages"]) == (PAGE_ROWS + 3, 2)
    route = {"dimension": "route"}
    assert 'rel="next"' in get(viewer, "analytics_explore", **route).text
    assert 'rel="next"' not in get(viewer, "analytics_explore", page="2", **route).text
    assert found(viewer, page="99")["page"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop", {"/Shop/": 2}),
        ("%", {"/100%/": 1}),
        ("_", {"/a_b/": 1}),
        ("\\\\", {"/c\\\\d/": 1}),
        ("'; DROP", {}),
        ("Über", {"/Über/": 1}),
    ],
)
def test_a_search_looks_for_the_text_itself(viewer, site, text, expected):
    views({"/Shop/": 2, "/100%/": 1, "/a_b/": 1, "/c\\\\d/": 1, "/x/": 4, "/Über/": 1})
    assert rows(viewer, q=text) == expected
    assert found(viewer, q=text)["total"] == (10 if expected else 0)


def test_products_are_searched_by_name(viewer, site, catalogue):
    pen, mat = Product.objects.filter(slug__in=("brass-pen", "door-mat"))
    shown = {"view": "products:detail", "agent": BROWSER}
    counted(
        [at(timezone.now(), kwargs={"slug": one.slug}, **shown) for one in (pen, mat)]
    )
    assert rows(viewer, dimension="product", q="brass") == {str(pen.pk): 1}
    assert rows(viewer, dimension="product", q="nothing") == {}


def test_one_key_alone(viewer, site):
    views({"/a/": 3, "/b/": 5})
    words = {"dimension": "route", "key": "/a/", "range": "7"}
    page = get(viewer, "analytics_overview", **words).text
    total = queries.totals(period=periods.last_days(7), dimension="route", key="/a/")
    assert total.views == 3
    assert f"<strong>{number(3)}</strong>" in page
    assert "/a/" in page
    chart = get(viewer, "analytics_chart_data", **words).json()
    assert sum(filter(None, chart["series"][0]["values"])) == 3


def test_a_dimension_without_visitors_has_no_tile_of_them(viewer, site):
    views({"/a/": 1})
    words = {"dimension": "status", "key": "200"}
    page = get(viewer, "analytics_overview", **words).text
    assert 'data-tile="visitors"' not in page
    assert 'data-tile="views"' in page
    answer = get(viewer, "analytics_chart_data", measure="visitors", **words)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", NAMES)
def test_who_may_not_view_rollups(client, name):
    assert get(client, name).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert get(client, name).status_code == 403


@pytest.mark.parametrize(
    "words",
    [
        {"dimension": "nothing"},
        {"by": "pk"},
        {"page": "0"},
        {"page": "x"},
        {"page": "²"},
        {"page": "9" * 30},
        {"page": "9" * 5_000},
        {"page": "000000001999999999"},
        {"page": "000000001" + "9" * 5_000},
        {"range": "x"},
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_words_that_make_no_sense(viewer, name, words):
    assert get(viewer, name, **words).status_code == 400
    with pytest.raises(BadQuestion):
        Search.parse(words)


@pytest.mark.parametrize("dimension", ["route", "product", "category"])
def test_what_no_key_has_is_not_asked_for(viewer, site, dimension):
    views({"/a/": 3})
    words = {"dimension": dimension, "key": "/\0a/", "q": "\0/\x1ba"}
    for name in (*NAMES, "analytics_overview", "analytics_chart_data"):
        assert get(viewer, name, **words).status_code == 200
    assert rows(viewer, dimension="route", q="\0/a") == {"/a/": 3}


def test_hostile_words_and_keys_are_only_text(viewer, site):
    views({"/<script>alert(1)</script>/": 1})
    page = get(viewer, "analytics_explore", dimension="route", q="<script>").text
    assert "<script>alert" not in page
    assert 'value="<script>' not in page


def test_every_dimension_can_be_looked_through(viewer, site):
    views({"/a/": 1})
    listed = [one for _, members in dimension_menu.groups() for one in members]
    assert {one.name for one in listed} == {
        one.name for one in get_dimensions() if one.name != "total"
    }
    for dimension in listed:
        answer = get(viewer, "analytics_explore", dimension=dimension.name)
        assert answer.status_code == 200
        assert str(escape(dimension.meaning)) in answer.text
        assert dimension.meaning


def test_what_the_project_counts_by_comes_first(viewer, site):
    assert Search.parse({}).question.dimension == "product"


@pytest.mark.parametrize(
    ("dimension", "event", "text", "label"),
    [
        ("language", {"language": "de-at"}, "germ", "German"),
        ("country", {"country": "AT"}, "austr", "Austria"),
        ("status", {"status": 404}, "not f", "404 Not Found"),
        ("status", {"status": 499}, "99", "499"),
    ],
)
def test_codes_have_names_and_are_found_by_them(
    viewer, site, dimension, event, text, label
):
    counted([at(timezone.now(), agent=BROWSER, **event)])
    data = found(viewer, dimension=dimension, q=text, by="requests")
    assert [row["label"] for row in data["rows"]] == [label]


def test_who_the_user_is_is_told_to_who_may_see_users(viewer, admin_client, site):
    shopper = User.objects.create_user("shopper")
    counted([at(timezone.now(), agent=BROWSER, user=str(shopper.pk))])
    page = reverse("admin:auth_user_change", args=[shopper.pk])
    words = {"dimension": "user", "by": "requests"}
    seen = get(viewer, "analytics_explore", **words).text
    assert page not in seen
    assert "shopper" not in seen
    seen = get(admin_client, "analytics_explore", **words).text
    assert page in seen
    assert "shopper" in seen


@pytest.mark.parametrize("dimension", ["path", "user", "country"])
def test_what_is_not_recorded_says_so(viewer, site, dimension):
    assert "ANALYTICS_" in get(viewer, "analytics_explore", dimension=dimension).text


def test_other_days_and_people_keep_search_and_ranking(viewer, site):
    page = get(viewer, "analytics_explore", dimension="route", q="a b", by="errors")
    links = re.findall(r'href="(\?[^"]*)"', page.text)
    kept = [link for link in links if "q=a+b" in link and "by=errors" in link]
    for word in ("range=7", "audience=bots", "compare=year"):
        assert any(word in link for link in kept), word
    assert page.text.count('name="q" value="a b"') == 2


def test_a_dimension_without_a_key_leads_to_its_keys(viewer, site):
    answer = get(viewer, "analytics_overview", dimension="browser", range="7")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:analytics_explore"))
    assert "dimension=browser" in answer["Location"]


def test_cards_of_the_overview_lead_to_keys_with_the_same_days(viewer, site):
    views({"/a b/": 3})
    page = get(viewer, "analytics_overview", range="7", audience="all").text
    (link,) = set(re.findall(r'href="([^"]*key=[^"]*)"', page))
    answer = viewer.get(html.unescape(link))
    assert answer.context["subject"]["text"] == "/a b/"
    assert answer.context["question"].range == "7"
    assert answer.context["found"].compared.now.views == 3


def test_where_rows_are_days_only_the_comparison_says_so(viewer, site):
    page = get(viewer, "analytics_explore", dimension="product_referrer", range="7")
    assert "without its last day" in page.text
    assert "its last day up to" not in page.text


def test_the_number_of_queries_is_bounded(viewer, site, django_assert_max_num_queries):
    views({"/a/": 1})
    for words in ({"range": "today"}, {"range": "90", "q": "a"}):
        with django_assert_max_num_queries(8):
            get(viewer, "analytics_explore", **words)
