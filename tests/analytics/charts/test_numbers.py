"""The numbers of charts are those of the query module, and of a count by hand."""

import datetime
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from admin_tools_stats.models import DashboardStatsCriteria
from django.utils import timezone

from analytics.reporting import chart_rules, charts, periods, queries
from analytics.reporting.charts import ChartError
from products.catalogue import seed
from products.models import Product
from tests.analytics.charts.making import MODELS, NOW, chart, drawing, drawn, link
from tests.analytics.reporting.traffic import (
    at,
    audience_of,
    counted,
    counted_once,
    some,
    within,
)

pytestmark = pytest.mark.django_db

UTC = datetime.UTC
BERLIN = ZoneInfo("Europe/Berlin")


def forty_days():
    """Requests up to NOW, some of them for products."""
    seed()
    start = NOW - datetime.timedelta(days=40)
    slugs = list(Product.objects.order_by("pk").values_list("slug", flat=True)[:14])
    shown = []
    for place, slug in enumerate(slugs):
        for turn in range(20 - place):
            moment = NOW - datetime.timedelta(hours=turn * 7 + place)
            shown.append(
                at(moment, view="products:detail", kwargs={"slug": slug}, route="/p/")
            )
    return counted([*some(3, 2_500, start, NOW), *shown])


@pytest.fixture(scope="module")
def events(django_db_setup, django_db_blocker):
    with counted_once(django_db_blocker, forty_days, "Europe/Berlin") as made:
        yield made


def of_model(events, model):
    """The events that a model counts."""
    audience = 1 if "Bot" in model else 0
    found = [one for one in events if audience_of(one) == audience]
    if "Product" in model:
        return [one for one in found if one.view == "products:detail"]
    return found


def day_of(one):
    return datetime.datetime.fromtimestamp(one.time / 1000, BERLIN).date()


def days_before(count, now=NOW):
    today = now.astimezone(BERLIN).date()
    ages = range(count - 1, -1, -1)
    return [today - datetime.timedelta(days=age) for age in ages]


def test_the_models_on_offer():
    assert set(chart_rules.chart_models()) == set(MODELS)


@pytest.mark.parametrize("days", chart_rules.RANGES)
@pytest.mark.parametrize("model", [name for name in MODELS if "Hourly" not in name])
def test_days_of_each_model_are_those_counted_by_hand(events, model, days):
    found = of_model(events, model)
    requests = Counter(map(day_of, found))
    errors = Counter(day_of(one) for one in found if one.status >= 500)
    made = chart(model, operation_field_name="requests,errors")
    assert drawn(made, days) == {
        "Requests": [requests[day] for day in days_before(days)],
        "Errors": [errors[day] for day in days_before(days)],
    }
    assert sum(requests.values()) > 10


@pytest.mark.parametrize("measure", ["views", "requests", "errors"])
@pytest.mark.parametrize("model", [name for name in MODELS if MODELS[name] == "total"])
def test_series_are_those_of_the_query_module(events, model, measure):
    hourly = "Hourly" in model
    found = queries.series(
        # So short a period is one of hours there, too.
        period=periods.last_days(2 if hourly else 30, NOW),
        measure=measure,
        audiences=chart_rules.chart_models()[model].objects.audiences,
    ).values
    made = chart(model, operation_field_name=measure)
    (values,) = drawn(made, 7 if hourly else 30).values()
    assert values[-len(found) :] == list(found)
    assert sum(value or 0 for value in found) > 0


@pytest.mark.parametrize("measure", ["views", "requests", "errors"])
@pytest.mark.parametrize("model", [name for name in MODELS if MODELS[name] != "total"])
def test_keys_are_those_of_the_query_module(events, model, measure):
    top = queries.top(
        dimension=MODELS[model], period=periods.last_days(30, NOW), measure=measure
    )
    made = chart(model, split=True, operation_field_name=measure)
    found = {name: sum(values) for name, values in drawn(made, 30).items()}
    others = {"others": top.others} if top.others else {}
    assert found == {row.label.text: row.value for row in top.rows} | others
    assert list(found) == [row.label.text for row in top.rows] + list(others)


def test_hours_are_those_counted_by_hand_also_when_clocks_are_set_back(events):
    start = datetime.datetime(2026, 10, 21, 22, tzinfo=UTC)
    hours = [start + datetime.timedelta(hours=n) for n in range(7 * 24 + 1)]
    expected = [
        len(within(events, hour, hour + datetime.timedelta(hours=1)))
        if hour <= NOW
        else None
        for hour in hours
    ]
    made = chart("analytics.HourlyTraffic", operation_field_name="requests")
    assert drawn(made, 7) == {"Requests": expected}
    assert drawing(made, 7)["labels"].count("25 Oct 02:00") == 2


def test_single_hours_are_drawn_for_a_month_at_most(events):
    made = chart("analytics.HourlyTraffic")
    data = drawing(made, 365)
    assert len(data["labels"]) == 31 * 24 + 1
    assert data["title"] == "Own, last 31 days"


def test_days_whose_hours_are_gone_are_not_drawn_as_empty(events):
    made = chart("analytics.HourlyTraffic", default_time_scale="days")
    data = drawing(made, 365)
    assert len(data["labels"]) == 89
    assert data["title"] == "Own, last 89 days"


@pytest.mark.parametrize("split", [False, True])
def test_weeks_are_whole_and_begin_on_monday(events, split):
    people = of_model(events, "analytics.DailyRouteTraffic")
    weeks = Counter(day_of(one).isocalendar()[:2] for one in people)
    made = chart(
        "analytics.DailyRouteTraffic",
        split,
        default_time_scale="weeks",
        operation_field_name="requests",
    )
    found = [sum(values) for values in zip(*drawn(made, 30).values(), strict=True)]
    mondays = [
        datetime.date(2026, 9, 28) + datetime.timedelta(weeks=n) for n in range(5)
    ]
    assert found == [weeks[monday.isocalendar()[:2]] for monday in mondays]
    assert drawing(made, 30)["labels"][0] == "28 Sep"


@pytest.mark.parametrize("split", [False, True])
def test_months_are_whole(events, split):
    people = of_model(events, "analytics.DailyRouteTraffic")
    months = Counter(day_of(one).month for one in people)
    made = chart(
        "analytics.DailyRouteTraffic",
        split,
        default_time_scale="months",
        operation_field_name="requests",
    )
    found = [sum(values) for values in zip(*drawn(made, 30).values(), strict=True)]
    assert found == [months[9], months[10]]
    assert drawing(made, 30)["labels"] == ["Sep 2026", "Oct 2026"]


def test_days_are_those_of_the_setting_not_of_the_viewer(events):
    made = chart(operation_field_name="requests", split=True)
    expected = drawn(made, 7)
    with timezone.override("Pacific/Auckland"):
        assert drawn(made, 7) == expected


def test_keys_have_names_and_the_small_ones_are_others(events):
    made = chart("products.DailyProductTraffic", split=True)
    found = drawn(made, 30)
    slugs = Counter(one.kwargs["slug"] for one in events if one.kwargs)
    names = dict(Product.objects.values_list("slug", "name"))
    assert list(found) == [names[slug] for slug, _ in slugs.most_common(10)] + [
        "others"
    ]
    assert {name: sum(values) for name, values in found.items()} == {
        **{names[slug]: count for slug, count in slugs.most_common(10)},
        "others": sum(count for _slug, count in slugs.most_common()[10:]),
    }


def test_keys_of_one_name_stay_apart(events):
    products = list(Product.objects.order_by("pk")[:2])
    Product.objects.filter(pk=products[1].pk).update(name=products[0].name)
    found = drawn(chart("products.DailyProductTraffic", split=True), 30)
    assert {f"{products[0].name} ({one.pk})" for one in products} <= set(found)


def test_keys_that_came_after_the_first_look_are_drawn(events):
    made = chart("analytics.DailyRouteTraffic", split=True)
    assert "/new/" not in drawn(made, 7)
    counted([at(NOW, route="/new/") for _ in range(2_000)])
    assert sum(drawn(made, 7)["/new/"]) == 2_000


def test_criteria_may_name_keys_and_put_them_together(events):
    made = chart("analytics.DailyRouteTraffic", operation_field_name="requests")
    mapping = {"/": "Home", "x": [["/list/", "/item/<slug>/"], "Shop"], "": [None, "*"]}
    criteria = DashboardStatsCriteria.objects.create(
        criteria_name="named",
        dynamic_criteria_field_name="key",
        criteria_dynamic_mapping=mapping,
    )
    link(made, criteria)
    days = set(days_before(30))
    routes = Counter(one.route for one in of_model(events, "") if day_of(one) in days)
    found = drawn(made, 30)
    assert {name: sum(values) for name, values in found.items()} == {
        "Home": routes["/"],
        "Shop": routes["/list/"] + routes["/item/<slug>/"],
    }


def test_filters_of_chart_and_criteria_hold_together(events):
    filters = [{"filter": {"key__in": ["/", "/list/"]}}, {"exclude": {"key": "/"}}]
    made = chart(
        "analytics.DailyRouteTraffic",
        operation_field_name="requests",
        queryset_modifiers=filters,
    )
    days = set(days_before(30))
    routes = Counter(one.route for one in of_model(events, "") if day_of(one) in days)
    assert sum(drawn(made, 30)["Requests"]) == routes["/list/"] > 0
    criteria = DashboardStatsCriteria.objects.create(
        criteria_name="none", criteria_fix_mapping={"key": "/"}
    )
    link(made, criteria, use_as="chart_filter")
    assert sum(drawn(made, 30)["Requests"]) == 0


def test_rows_of_other_sites_are_not_counted(events, site):
    made = chart(operation_field_name="requests")
    site.ANALYTICS_SITE = "another"
    assert set(drawn(made, 30)["Requests"]) == {0}


def test_queries_do_not_grow_with_days_or_keys(events, django_assert_max_num_queries):
    made = chart("products.DailyProductTraffic", split=True)
    with django_assert_max_num_queries(3):
        drawing(made, 365)


def test_bytes_have_their_unit(events):
    made = chart(operation_field_name="bytes")
    assert drawing(made)["unit"] == "bytes"
    total = sum(drawn(made, 365)["Bytes"])
    assert total == sum(one.bytes for one in of_model(events, ""))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lineChart", "line"),
        ("discreteBarChart", "bar"),
        ("multiBarChart", "bar"),
        ("stackedAreaChart", "stacked"),
    ],
)
def test_types_of_the_package_in_our_words(kind, expected):
    assert drawing(chart(default_chart_type=kind))["type"] == expected


def test_a_pie_has_parts():
    made = chart(default_chart_type="pieChart")
    with pytest.raises(ChartError, match="several parts"):
        drawing(made)
    made.operation_field_name = "views,errors"
    assert drawing(made)["type"] == "pie"


def test_another_zone_of_the_package_is_not_drawn(settings):
    made = chart()
    settings.ADMIN_CHARTS_TIMEZONE = "UTC"
    with pytest.raises(ChartError, match="ADMIN_CHARTS_TIMEZONE"):
        drawing(made)


@pytest.mark.parametrize("text", ["0", "31", "7.0", "1e3", "-7", "７", "all"])
def test_ranges_come_from_a_list(text):
    with pytest.raises(ChartError):
        charts.parse_days(text)
