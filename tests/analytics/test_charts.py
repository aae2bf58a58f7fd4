"""Charts of one's own: their numbers are those of the query module, and of a count by
hand; the forms offer what can be drawn; the page shows what is visible."""

import datetime
import logging
import os
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from admin_tools_stats.models import DashboardStats, DashboardStatsCriteria
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from analytics.reporting import chart_rules, charts, periods, queries
from analytics.reporting.charts import ChartError
from products.models import Product
from tests.analytics.reporting.traffic import at, audience_of, counted, some, within

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
UTC = datetime.UTC
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime.datetime(2026, 10, 28, 13, 37, 42, tzinfo=UTC)
"""Three days after the clocks were set back."""
PROVIDED = {"page_views", "busy_hours", "product_views", "route_errors"}
MODELS = {
    "analytics.DailyTraffic": "total",
    "analytics.HourlyTraffic": "total",
    "analytics.DailyRouteTraffic": "route",
    "analytics.DailyBotTraffic": "total",
    "products.DailyProductTraffic": "product",
}
ADD = "admin:admin_tools_stats_dashboardstats_add"


@pytest.fixture(autouse=True)
def berlin(site):
    site.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def events(catalogue):
    """Requests of forty days, some of them for products, up to NOW."""
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


def chart(model="analytics.DailyTraffic", split=False, **values):
    app, name = model.split(".")
    scale = "hours" if name.startswith("Hourly") else "days"
    fields = {
        "graph_key": "own",
        "graph_title": "Own",
        "model_app_name": app,
        "model_name": name,
        "date_field_name": "bucket",
        "operation_field_name": "views",
        "type_operation_field_name": "Sum",
        "default_chart_type": "lineChart",
        "default_time_scale": scale,
        "default_time_period": 30,
    }
    made = DashboardStats.objects.create(**(fields | values))
    if split:
        criteria = DashboardStatsCriteria.objects.create(
            criteria_name="by key", dynamic_criteria_field_name="key"
        )
        link(made, criteria)
    return made


def link(made, criteria, **values):
    values = {"use_as": "multiple_series"} | values
    return made.criteriatostatsm2m_set.create(criteria=criteria, **values)


def drawing(made, days=None, now=NOW):
    return charts.drawing(made, User(is_superuser=True, is_active=True), days, now)


def drawn(made, days=None, now=NOW):
    """Name of a series -> its values."""
    data = drawing(made, days, now)
    assert all(len(one["values"]) == len(data["labels"]) for one in data["series"])
    return {one["name"]: one["values"] for one in data["series"]}


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


# Numbers.


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


# The page and its JSON.


@pytest.fixture
def viewer(client):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dashboardstats"))
    client.force_login(user)
    return client


def page_url():
    return reverse("admin:analytics_charts")


def data_url(made):
    return reverse("admin:analytics_charts_data", args=[made.pk])


def test_the_charts_provided_are_drawn(viewer):
    found = viewer.get(page_url()).context["charts"]
    assert len(found) == len(PROVIDED)
    for one in found:
        answer = viewer.get(one["data"])
        assert answer.status_code == 200
        assert answer.json()["title"] == one["title"]


def test_the_charts_provided_keep_the_rules():
    made = DashboardStats.objects.filter(graph_key__in=PROVIDED)
    assert len(made) == len(PROVIDED)
    for one in made:
        one.full_clean()
        drawing(one)


def test_the_charts_provided_come_once_and_go():
    migration = import_module("dashboard.migrations.0002_charts")
    editor = SimpleNamespace(connection=connection)
    DashboardStats.objects.filter(graph_key="page_views").update(graph_title="Mine")
    migration.add(apps, editor)
    found = DashboardStats.objects
    assert found.count() == len(PROVIDED)
    assert found.get(graph_key="page_views").graph_title == "Mine"
    chart()
    migration.remove(apps, editor)
    assert [one.graph_key for one in found.all()] == ["own"]
    assert not DashboardStatsCriteria.objects.exists()
    migration.add(apps, editor)
    assert found.count() == len(PROVIDED) + 1


def test_only_visible_charts_are_shown(viewer):
    made = chart(is_visible=False)
    keys = {one["pk"] for one in viewer.get(page_url()).context["charts"]}
    assert made.pk not in keys
    assert viewer.get(data_url(made)).status_code == 404


def test_the_range_of_the_address_reaches_the_charts(viewer, events):
    made = chart()
    page = viewer.get(page_url(), {"days": "7"})
    (one,) = (one for one in page.context["charts"] if one["pk"] == made.pk)
    assert one["title"] == "Own, last 7 days"
    assert one["data"] == data_url(made) + "?days=7"
    assert len(viewer.get(one["data"]).json()["labels"]) == 7
    assert 'aria-current="true">7 days' in page.text


def test_a_range_that_is_none_is_said(viewer):
    page = viewer.get(page_url(), {"days": "8"})
    assert page.status_code == 400
    assert "A range is one of 7, 30, 90, 365 days." in page.text
    assert all("?" not in one["data"] for one in page.context["charts"])
    answer = viewer.get(data_url(chart()), {"days": "8"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "A range is one of 7, 30, 90, 365 days."}


def test_a_broken_chart_says_so_and_breaks_nothing_else(viewer, caplog):
    broken, good = chart(), chart(graph_key="good")
    DashboardStats.objects.filter(pk=broken.pk).update(model_name="Gone")
    page = viewer.get(page_url())
    assert page.status_code == 200
    with caplog.at_level(logging.WARNING):
        answer = viewer.get(data_url(broken))
    assert answer.status_code == 400
    assert "“analytics.Gone”" in answer.json()["error"]
    assert "own cannot be drawn" in caplog.text
    assert viewer.get(data_url(good)).status_code == 200


def test_what_nobody_expected_is_logged_and_not_shown(viewer, caplog, monkeypatch):
    def fail(*args):
        raise RuntimeError("SELECT secrets")

    monkeypatch.setattr(charts, "drawing", fail)
    answer = viewer.get(data_url(chart()))
    assert answer.status_code == 400
    assert "secrets" not in answer.text
    assert "SELECT secrets" in caplog.text


def test_without_charts_the_page_says_what_to_do(viewer, admin_client):
    DashboardStats.objects.all().delete()
    viewer, superuser = viewer.get(page_url()).text, admin_client.get(page_url()).text
    assert "A superuser of this site can add some" in viewer
    assert "No chart is visible" in superuser


def test_superusers_get_to_the_definition(admin_client):
    made = chart()
    change = reverse("admin:admin_tools_stats_dashboardstats_change", args=[made.pk])
    assert f'href="{change}"' in admin_client.get(page_url()).text


def test_viewers_get_no_link_to_change(viewer):
    made = chart()
    text = viewer.get(page_url()).text
    assert f"/{made.pk}/change/" not in text
    assert reverse(ADD) not in text


# The forms.


FORM = {
    "graph_title": "Errors",
    "graph_key": "errors",
    "is_visible": "on",
    "model_name": "analytics.DailyTraffic",
    "operation_field_name": ["errors"],
    "queryset_modifiers": "",
    "default_chart_type": "lineChart",
    "default_time_scale": "days",
    "default_time_period": "30",
    "criteriatostatsm2m_set-TOTAL_FORMS": "0",
    "criteriatostatsm2m_set-INITIAL_FORMS": "0",
}


def test_a_chart_is_added_by_its_form_and_drawn(admin_client):
    answer = admin_client.post(reverse(ADD), FORM)
    assert answer.status_code == 302, answer.context["errors"]
    made = DashboardStats.objects.get(graph_key="errors")
    assert (made.model_app_name, made.model_name) == ("analytics", "DailyTraffic")
    assert (made.date_field_name, made.type_operation_field_name) == ("bucket", "Sum")
    assert admin_client.get(data_url(made)).status_code == 200


def test_the_form_shows_what_is_stored(admin_client):
    made = chart(operation_field_name="views,errors")
    url = reverse("admin:admin_tools_stats_dashboardstats_change", args=[made.pk])
    form = admin_client.get(url).context["adminform"].form
    assert form["model_name"].value() == "analytics.DailyTraffic"
    assert form["operation_field_name"].value() == ["views", "errors"]
    assert form["default_time_period"].value() == 30


def test_the_form_lists_the_traffic_models_alone(admin_client):
    page = admin_client.get(reverse(ADD))
    form = page.context["adminform"].form
    assert ">null<" not in page.text.replace("\n", "")
    assert {value for value, _ in form.fields["model_name"].choices} == set(MODELS)
    assert set(form.fields) == {
        name for name in FORM if not name.startswith("criteriatostats")
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_name": "auth.User"}, "Select a valid choice"),
        ({"operation_field_name": ["password"]}, "Select a valid choice"),
        ({"operation_field_name": ["views", "bytes"]}, "a chart of their own"),
        ({"operation_field_name": []}, "This field is required"),
        ({"default_time_scale": "hours"}, "This model has days, no hours"),
        (
            {"model_name": "analytics.HourlyTraffic", "default_time_scale": "weeks"},
            "choose hours or days",
        ),
        ({"default_time_period": "31"}, "Select a valid choice"),
        ({"default_chart_type": "scatterChart"}, "Select a valid choice"),
        ({"default_chart_type": "pieChart"}, "several parts"),
        ({"graph_key": "Not Good"}, "Only small alphanumeric"),
        ({"queryset_modifiers": "{"}, "Enter a valid JSON"),
    ],
)
def test_what_cannot_be_drawn_is_not_saved(admin_client, changes, sentence):
    answer = admin_client.post(reverse(ADD), FORM | changes)
    assert answer.status_code == 200
    assert sentence in answer.text
    assert not DashboardStats.objects.filter(graph_title="Errors").exists()


def split_form(**changes):
    criteria = DashboardStatsCriteria.objects.get(criteria_name="by_key")
    return {
        **FORM,
        "criteriatostatsm2m_set-TOTAL_FORMS": "1",
        "criteriatostatsm2m_set-0-criteria": str(criteria.pk),
        **changes,
    }


def test_a_chart_by_key_is_added_by_its_form(admin_client):
    form = split_form(model_name="analytics.DailyRouteTraffic")
    assert admin_client.post(reverse(ADD), form).status_code == 302
    made = DashboardStats.objects.get(graph_key="errors")
    assert made.criteriatostatsm2m_set.get().use_as == "multiple_series"


def test_a_chart_by_key_has_one_measure(admin_client):
    form = split_form(operation_field_name=["views", "errors"])
    answer = admin_client.post(reverse(ADD), form)
    assert "has one measure, not several" in answer.text
    assert not DashboardStats.objects.filter(graph_key="errors").exists()


def test_criteria_are_added_by_their_form(admin_client):
    url = reverse("admin:admin_tools_stats_dashboardstatscriteria_add")
    form = {
        "criteria_name": "shop",
        "dynamic_criteria_field_name": "key",
        "criteria_dynamic_mapping": '{"/": "Home"}',
        "criteria_fix_mapping": "",
    }
    assert admin_client.post(url, form).status_code == 302
    assert DashboardStatsCriteria.objects.filter(criteria_name="shop").exists()


def test_the_lists(admin_client, viewer):
    made = chart("products.DailyProductTraffic", split=True)
    criteria, stats = (
        reverse(f"admin:admin_tools_stats_{model}_changelist")
        for model in ("dashboardstatscriteria", "dashboardstats")
    )
    assert "by key" in admin_client.get(criteria).text
    for client in (admin_client, viewer):
        text = client.get(stats).text
        assert "Daily traffic by product" in text
        assert f'href="{page_url()}"' in text
    change = reverse("admin:admin_tools_stats_dashboardstats_change", args=[made.pk])
    assert viewer.get(change).status_code == 200
    assert 'name="_save"' not in viewer.get(change).text


def test_the_admin_works_without_the_package():
    code = """
import sys
sys.modules["admin_tools_stats"] = None
from django.conf import settings
settings.INSTALLED_APPS.remove("admin_tools_stats")
import django
django.setup()
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from analytics import checks
assert checks.check_charts() == []
assert reverse("admin:analytics_rollup_changelist")
try:
    reverse("admin:analytics_charts")
except NoReverseMatch:
    print("no charts")
"""
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "no charts", done.stderr
