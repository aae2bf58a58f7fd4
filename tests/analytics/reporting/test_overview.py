"""The overview: its page, its JSON, and that both say what the query module says."""

import datetime
from html.parser import HTMLParser
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from analytics.admin.rollups import RollupAdmin
from analytics.models import Rollup
from analytics.reporting import pages, periods, queries
from analytics.reporting.question import AUDIENCES, BadQuestion, Question
from analytics.words import microseconds, number
from products.models import Product
from tests.analytics.reporting.traffic import at, counted, some

pytestmark = pytest.mark.django_db

ADDRESSES = (
    "analytics_overview",
    "analytics_chart_data",
    "analytics_numbers",
    "analytics_waiting",
)


NOW = datetime.datetime(2026, 11, 20, 13, 37, tzinfo=datetime.UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The present, whenever the tests run; a test may change its ``now``."""
    clock = SimpleNamespace(now=NOW)
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture
def events(site):
    now = timezone.now()
    return counted([*some(5, 120, now - datetime.timedelta(days=40), now), at(now)])


@pytest.fixture
def viewer(client):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_rollup"))
    client.force_login(user)
    return client


class Texts(HTMLParser):
    """The texts of the elements with ``data-tile``, and of table rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tiles, self.rows, self._tile = {}, [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "data-tile" in found:
            self._tile = self.tiles.setdefault(found["data-tile"], [])
        elif tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        if tag == "a":
            self._tile = None

    def handle_data(self, data):
        if not data.strip():
            return
        if self._tile is not None:
            self._tile.append(data.strip())
        elif self.rows:
            self.rows[-1].append(data.strip())


def get(client, name, **words):
    return client.get(reverse(f"admin:{name}"), words)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_page_shows_the_numbers_of_the_query_module(events, viewer, audience):
    page = Texts(get(viewer, "analytics_overview", audience=audience).text)
    audiences = AUDIENCES[audience][0]
    found = queries.totals(period=periods.last_days(30), audiences=audiences)
    assert page.tiles["requests"][1] == number(found.requests)
    assert page.tiles["views"][1] == number(found.views)
    assert page.tiles["visitors"][1] == number(found.visitors)
    routes = queries.top(
        dimension="route",
        period=periods.last_days(30),
        audiences=audiences,
        measure="requests",
    )
    # The share stands between them.
    shown = [row[:3:2] for row in page.rows]
    for row in routes.rows:
        assert [row.key, number(row.value)] in shown
    assert found.requests > 0


def test_the_page_and_the_json_agree(events, viewer):
    page = Texts(get(viewer, "analytics_overview", range="7").text)
    data = get(viewer, "analytics_numbers", range="7").json()
    for name, tile in data["tiles"].items():
        assert page.tiles[name][1] == tile["text"]
    assert {row["key"] for row in data["top"]["route"]["rows"]}


@pytest.mark.parametrize("measure", queries.MEASURES)
def test_the_chart_is_the_series(events, viewer, measure):
    data = get(viewer, "analytics_chart_data", measure=measure, range="30").json()
    period = periods.last_days(30)
    now, before = (
        list(queries.series(period=one, measure=measure).values)
        for one in (period, period.previous())
    )
    assert [one["values"] for one in data["series"]] == [now, before]
    assert len(data["labels"]) == len(now) == 30
    assert data["unit"] == queries.MEASURES[measure].unit


def test_the_sum_of_the_chart_is_the_tile(events, viewer):
    chart = get(viewer, "analytics_chart_data", measure="views", range="30").json()
    data = get(viewer, "analytics_numbers", range="30").json()
    assert number(sum(chart["series"][0]["values"])) == data["tiles"]["views"]["text"]


def test_hours_to_come_are_no_zeros(events, viewer):
    chart = get(viewer, "analytics_chart_data", range="today").json()
    hour = timezone.localtime().hour
    values = chart["series"][0]["values"]
    assert None not in values[:hour]
    assert set(values[hour + 1 :]) <= {None}
    assert [one["gaps"] for one in chart["series"]] == [[], []]


def test_minutes_after_midnight_the_time_before_ends_with_the_day(
    events, viewer, clock
):
    """Nothing stands beside a day that has only begun."""
    clock.now = MIDNIGHT + datetime.timedelta(minutes=20)
    now, before = get(viewer, "analytics_chart_data", range="7").json()["series"]
    assert len(now["values"]) == len(before["values"]) == 7
    assert before["values"][-1] is None
    assert None not in (*before["values"][:-1], now["values"][-1])


def test_gaps_are_no_zeros(events, viewer):
    chart = get(viewer, "analytics_chart_data", range="30").json()
    now, before = chart["series"]
    assert (now["gaps"], chart["gap"]) == ([], "not recorded")
    # The requests of the fixture began forty days ago.
    assert before["gaps"] == list(range(len(before["gaps"])))
    assert 18 <= len(before["gaps"]) <= 20
    assert set(before["values"][: len(before["gaps"])]) == {None}
    assert None not in before["values"][len(before["gaps"]) :]


def test_the_number_of_queries_is_bounded(
    events, viewer, django_assert_max_num_queries
):
    """Session, user, what is owed beside a password, permissions, retention, sites;
    two for the numbers and one for each list."""
    for days in ("today", "7", "90"):
        with django_assert_max_num_queries(12):
            get(viewer, "analytics_overview", range=days)
        with django_assert_max_num_queries(8):
            get(viewer, "analytics_overview", range=days, dimension="route", key="/")


@pytest.mark.parametrize("words", [{}, {"dimension": "route", "key": "/list/"}])
def test_response_times_are_those_of_the_query_module(events, viewer, words):
    page = get(viewer, "analytics_overview", range="7", **words).text
    data = get(viewer, "analytics_numbers", range="7", **words).json()
    week = {"period": periods.last_days(7), **words}
    found = queries.percentiles(**week)
    times = data["response_times"]
    assert times["percentiles"] == {f"p{r}": value for r, value in found.items()}
    for rank, value in found.items():
        assert f'data-percentile="p{rank}">{microseconds(value)}<' in page
    bars = queries.histogram(**week)
    assert times["histogram"]["counts"] == list(bars.counts)
    counts = [row[1] for row in Texts(page).rows if row and " – " in row[0]]
    drawn = [number(count) for count in bars.counts if count]
    assert [count for count in counts if count != "0"] == drawn
    assert page.count("<rect ") >= len(drawn) > 0
    assert " style=" not in page


def test_response_times_of_a_dimension_that_keeps_none(events, viewer):
    words = {"dimension": "status", "key": "200"}
    assert "Response times" not in get(viewer, "analytics_overview", **words).text
    data = get(viewer, "analytics_numbers", **words).json()
    assert data["response_times"] is None


def test_response_times_of_no_request(viewer, site):
    page = get(viewer, "analytics_overview", dimension="route", key="/never/").text
    card = page[page.index('id="card-response-times"') :]
    assert "None in these days." in card
    assert "<rect " not in card


@pytest.mark.parametrize(
    ("recognised", "label"), [("stable", "Visitors"), ("day", "Daily visitors")]
)
def test_visitors_are_labelled_as_what_they_are(viewer, site, recognised, label):
    site.ANALYTICS_VISITOR_PERIOD = recognised
    words = {"range": "30", "measure": "visitors"}
    page = get(viewer, "analytics_overview", **words).text
    assert Texts(page).tiles["visitors"][0] == label
    # The chart has those of each day.
    assert '<figcaption id="analytics-series">Visitors<' in page
    tiles = get(viewer, "analytics_numbers", **words).json()["tiles"]
    assert tiles["visitors"]["label"] == label


@pytest.mark.parametrize("name", ADDRESSES)
def test_who_may_not_view_rollups(client, name):
    assert get(client, name).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert get(client, name).status_code == 403


@pytest.mark.parametrize("name", ADDRESSES)
def test_nothing_can_be_posted(viewer, name):
    assert viewer.post(reverse(f"admin:{name}")).status_code == 405


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"range": "x"}, "A range is one of"),
        ({"audience": "cats"}, "An audience is one of"),
        ({"measure": "pk"}, "A measure is one of"),
        ({"from": "2026-13-01", "to": "2026-01-01"}, "YYYY-MM-DD"),
    ],
)
def test_words_that_make_no_sense(viewer, words, sentence):
    page = get(viewer, "analytics_overview", **words)
    assert (page.status_code, sentence in page.text) == (400, True)
    for name in ("analytics_numbers", "analytics_chart_data"):
        answer = get(viewer, name, **words)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]


def test_a_bad_word_is_shown_as_text(viewer):
    page = get(viewer, "analytics_overview", audience="<script>")
    assert "<script>alert" not in page.text
    assert "audience=%3Cscript" not in page.text


def test_the_words_of_the_address_stay_in_its_links(viewer):
    words = {"from": "2026-01-01", "to": "2026-02-01", "audience": "bots"}
    question = Question.parse(words)
    assert question.query(audience="all") == (
        "?from=2026-01-01&to=2026-02-01&audience=all&measure=views"
    )
    assert question.query(range="7") == "?range=7&audience=bots&measure=views"
    assert question.range == "custom"


def test_a_question_of_nothing_is_the_usual_one():
    question = Question.parse({})
    assert (question.range, question.audience) == ("30", "people")
    with pytest.raises(BadQuestion):
        Question.parse({"range": "1000"})


def test_keys_are_escaped(viewer, site):
    counted([at(timezone.now(), route="/<script>alert(1)</script>/")])
    text = get(viewer, "analytics_overview", audience="all").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_an_empty_period_says_so(viewer):
    assert "Nothing was counted" in get(viewer, "analytics_overview").text


def test_what_waits_is_told(viewer, site_stream, new_web):
    web = new_web()
    web.record(3)
    web.ship()
    found = get(viewer, "analytics_waiting").json()
    assert (found["waiting"], found["recorded"], found["counted"]) == ("3", "3", "0")
    assert found["ok"] is False


def test_what_waits_is_told_without_redis_too(viewer, site):
    found = get(viewer, "analytics_waiting").json()
    assert found["ok"] is False
    assert any(problem.startswith("redis") for problem in found["problems"])


def test_the_ledger_is_linked_for_those_who_may_see_it(viewer, site):
    address = reverse("admin:analytics_producer_changelist")
    assert address not in get(viewer, "analytics_overview").text
    user = User.objects.get(username="viewer")
    user.user_permissions.add(Permission.objects.get(codename="view_producer"))
    assert address in get(viewer, "analytics_overview").text


def test_an_admin_site_that_has_nothing_but_the_rollups(rf, admin_user, site):
    plain = AdminSite(name="plain")
    plain.register(Rollup, RollupAdmin)
    request = rf.get("/")
    request.user = admin_user
    with patch("analytics.reporting.pages.reverse", return_value="/"):
        plainly = pages._addresses(request, plain, Question.parse({}))
    assert "ledger" not in plainly
    assert "ledger" in pages._addresses(request, admin.site, Question.parse({}))


def test_links_lead_nobody_where_he_may_not_go(viewer, site, catalogue):
    pen = Product.objects.get(slug="brass-pen")
    shown = {"view": "products:detail", "kwargs": {"slug": pen.slug}}
    counted([at(timezone.now(), **shown)])
    address = reverse("admin:products_product_change", args=[pen.pk])
    page = get(viewer, "analytics_overview", audience="all").text
    assert pen.name in page
    assert address not in page
    user = User.objects.get(username="viewer")
    user.user_permissions.add(Permission.objects.get(codename="view_product"))
    assert address in get(viewer, "analytics_overview", audience="all").text


def test_what_runs_is_marked(events, viewer):
    chart = get(viewer, "analytics_chart_data", range="7").json()
    assert chart["running"] == 6
    chart = get(viewer, "analytics_chart_data", range="today").json()
    assert chart["running"] == timezone.localtime().hour
    words = {"from": "2026-01-01", "to": "2026-01-31"}
    assert get(viewer, "analytics_chart_data", **words).json()["running"] is None
