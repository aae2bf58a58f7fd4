"""The two holes of django-admin-charts, and whatever else a definition could reach.

Its chart view runs a word of the request as code, and a stored definition calls any
method of a queryset. Neither may be reached, whoever wrote the definition and however.
"""

import json
import os
from types import SimpleNamespace

import pytest
from admin_tools_stats import views as package_views
from admin_tools_stats.models import (
    CachedValue,
    CriteriaToStatsM2M,
    DashboardStats,
    DashboardStatsCriteria,
)
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.core.serializers.base import DeserializationError
from django.urls import NoReverseMatch, include, path, reverse
from django.views.generic import TemplateView

from analytics.admin.chart_forms import SET
from analytics.checks import charts as checks
from analytics.models import Rollup
from analytics.reporting import chart_filters, chart_rules
from analytics.reporting.chart_guard import guard
from analytics.reporting.charts import ChartError
from tests.analytics.charts.making import (
    ADD,
    FORM,
    chart,
    data_url,
    drawing,
    page_url,
)

pytestmark = pytest.mark.django_db

CODE = "__import__('os').environ.setdefault('OWNED','1')"
BAD_MODIFIERS = {
    "update": [{"update": {"views": 0}}],
    "delete": [{"delete": []}],
    "delete with nothing": [{"delete": {}}],
    "second one": [{"filter": {"views": 1}}, {"delete": []}],
    "two in one": [{"filter": {"views": 1}, "delete": []}],
    "raw": [{"raw": ["DELETE FROM analytics_rollup"]}],
    "extra": [{"extra": {"where": ["1=1"]}}],
    "annotate": [{"annotate": {"x": 1}}],
    "order_by": [{"order_by": ["?"]}],
    "using": [{"using": ["other"]}],
    "private": [{"_raw_delete": ["default"]}],
    "dunder": [{"__class__": []}],
    "iterator": [{"iterator": []}],
    "case": [{"Filter": {"views": 1}}],
    "positional": [{"filter": ["views"]}],
    "no lookups": [{"filter": {}}],
    "other field": [{"filter": {"site": "another"}}],
    "audience": [{"filter": {"audience": 1}}],
    "primary key": [{"filter": {"pk__gt": 0}}],
    "relation": [{"filter": {"key__user__password__startswith": "a"}}],
    "regex": [{"filter": {"key__regex": "(a+)+$"}}],
    "iregex": [{"exclude": {"key__iregex": "(a+)+$"}}],
    "transform": [{"filter": {"bucket__year": 2026}}],
    "isnull": [{"filter": {"key__isnull": True}}],
    "connector": [{"filter": {"_connector": "OR 1=1 OR", "key": "/"}}],
    "negated": [{"filter": {"_negated": True, "key": "/"}}],
    "injection": [{"filter": {"key)=1 OR (1": "/"}}],
    "object": [{"filter": {"key": {"a": 1}}}],
    "boolean": [{"filter": {"views": True}}],
    "text as number": [{"filter": {"views": "1"}}],
    "too large": [{"filter": {"views": 2**63}}],
    "none": [{"filter": {"key": None}}],
    "list where one": [{"filter": {"key": ["/"]}}],
    "one where list": [{"filter": {"key__in": "/"}}],
    "half a range": [{"filter": {"views__range": [1]}}],
    "long list": [{"filter": {"key__in": ["/"] * 101}}],
    "long text": [{"filter": {"key": "x" * 201}}],
    "naive time": [{"filter": {"bucket__gte": "2026-07-01T00:00:00"}}],
    "no time": [{"filter": {"bucket__gte": "2026-13-01T00:00:00Z"}}],
    "many": [{"filter": {"views": 1}}] * 11,
    "object alone": {"filter": {"views": 1}},
    "text": "delete",
    "list of text": ["delete"],
    "empty": [{}],
}
GOOD_MODIFIERS = [
    None,
    [],
    [{"filter": {"key": "/", "views__gte": 2}}, {"exclude": {"key__in": ["/a/"]}}],
    [{"filter": {"bucket__range": ["2026-07-01T00:00:00Z", "2026-08-01T00:00+02:00"]}}],
]
BAD_FIELDS = {
    "model_name": ["User", "Rollup", "LogEntry", "dailytraffic; --"],
    "model_app_name": ["auth", "admin", ""],
    "date_field_name": ["bucket__year", "site", ""],
    "user_field_name": ["pk", "site"],
    "operation_field_name": ["id", "latency", "views__x", "views,views", "", None],
    "type_operation_field_name": ["Count", "Max", None],
    "distinct": [True],
    "default_chart_type": ["scatterChart", CODE],
    "default_time_scale": ["quarters", "hours", CODE],
    "default_time_period": [0, 31, 10**6],
}
ONE_BAD_FIELD = [
    (name, value) for name, values in BAD_FIELDS.items() for value in values
]


@pytest.fixture
def rows():
    """Three rows, which must be there, unchanged, at the end."""
    made = [
        Rollup(
            site="test",
            dimension="total",
            grain=2,
            bucket=f"2026-07-0{day}T00:00:00Z",
            audience=0,
            views=day,
        )
        for day in (1, 2, 3)
    ]
    Rollup.objects.bulk_create(made)
    before = list(Rollup.objects.order_by("pk").values_list("pk", "views"))
    yield
    assert list(Rollup.objects.order_by("pk").values_list("pk", "views")) == before


def stored(**values):
    """A chart as SQL would write it, past every form and signal."""
    made = chart()
    DashboardStats.objects.filter(pk=made.pk).update(**values)
    return DashboardStats.objects.get(pk=made.pk)


# First hole: a word of the request, run as code.


def test_no_address_of_this_site_leads_to_a_view_of_the_package():
    for name in ("chart-data", "chart-csv", "chart-analytics"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    assert checks.check_charts() == []


@pytest.mark.parametrize(
    "words",
    [
        {"select_box_chart_type": CODE},
        {"select_box_interval": CODE, "graph_key": CODE},
        {"select_box_operation": "Max", "select_box_operation_field": "id"},
        {"select_box_multiple_series": "1", "select_box_dynamic_1": "x"},
        {"time_since": "1900-01-01", "time_until": "2900-01-01"},
        {"reload": "1", "reload_all": "1", "debug": "1"},
    ],
)
def test_words_of_the_request_change_nothing(admin_client, words, monkeypatch):
    monkeypatch.delenv("OWNED", raising=False)
    made = chart()
    plain = admin_client.get(data_url(made)).json()
    answer = admin_client.get(data_url(made), words)
    assert answer.json() == plain
    assert "OWNED" not in os.environ
    assert CachedValue.objects.count() == 0


class Derived(package_views.ChartDataView):
    """What a project makes of the package's view."""


def with_addresses(monkeypatch, *patterns):
    found = SimpleNamespace(url_patterns=list(patterns))
    monkeypatch.setattr(checks, "get_resolver", lambda: found)
    return [(message.id, message.msg) for message in checks.check_charts()]


@pytest.mark.parametrize(
    "pattern",
    [
        path("charts/", include("admin_tools_stats.urls")),
        path("a/", include([path("b/", include("admin_tools_stats.urls"))])),
        path("chart_data/", package_views.ChartDataView.as_view()),
        path("chart_data/", admin.site.admin_view(Derived.as_view())),
    ],
    ids=["included", "deeper", "one view", "derived and wrapped"],
)
def test_check_finds_the_addresses_of_the_package(monkeypatch, pattern):
    ((check_id, sentence),) = with_addresses(monkeypatch, pattern)
    assert check_id == "analytics.E040"
    assert "chart_data/" in sentence


def test_check_leaves_other_addresses_alone(monkeypatch):
    other = path("x/", TemplateView.as_view(template_name="404.html"))
    assert with_addresses(monkeypatch, other) == []


def test_check_without_the_package(monkeypatch, settings):
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "admin_tools_stats"
    ]
    pattern = path("charts/", package_views.ChartDataView.as_view())
    assert with_addresses(monkeypatch, pattern) == []


@pytest.mark.parametrize(("zone", "said"), [("Europe/Berlin", []), ("UTC", ["E041"])])
def test_check_of_the_zone(settings, zone, said):
    settings.ADMIN_CHARTS_TIMEZONE = zone
    found = checks.check_charts()
    assert [message.id.removeprefix("analytics.") for message in found] == said


# Second hole: a stored definition that calls any method.


@pytest.mark.parametrize("modifiers", BAD_MODIFIERS.values(), ids=BAD_MODIFIERS)
def test_stored_modifiers_are_refused_when_drawn(rows, admin_client, modifiers):
    made = stored(queryset_modifiers=modifiers)
    answer = admin_client.get(data_url(made))
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert admin_client.get(page_url()).status_code == 200


@pytest.mark.parametrize("modifiers", BAD_MODIFIERS.values(), ids=BAD_MODIFIERS)
def test_the_package_itself_refuses_them(rows, modifiers):
    made = stored(queryset_modifiers=modifiers)
    for run in (made.get_queryset, made.clean, made.get_date_field):
        with pytest.raises(ValidationError):
            run()


@pytest.mark.parametrize("modifiers", BAD_MODIFIERS.values(), ids=BAD_MODIFIERS)
def test_they_cannot_be_saved(rows, modifiers):
    made = chart()
    made.queryset_modifiers = modifiers
    with pytest.raises(ValidationError):
        made.save()
    assert DashboardStats.objects.get(pk=made.pk).queryset_modifiers is None


@pytest.mark.parametrize("modifiers", BAD_MODIFIERS.values(), ids=BAD_MODIFIERS)
def test_the_form_refuses_them_with_a_sentence(rows, admin_client, modifiers):
    form = FORM | {"queryset_modifiers": json.dumps(modifiers)}
    answer = admin_client.post(reverse(ADD), form)
    assert answer.status_code == 200
    found = answer.context["adminform"].form.errors
    assert list(found) == ["queryset_modifiers"]
    assert not DashboardStats.objects.filter(graph_key="errors").exists()


def test_a_nul_is_refused_before_a_database_has_to():
    with pytest.raises(ValidationError):
        chart_filters.verify_modifiers([{"filter": {"key": "\0"}}])


def test_the_form_says_what_is_allowed(admin_client):
    form = FORM | {"queryset_modifiers": '[{"update": {"views": 0}}]'}
    text = admin_client.post(reverse(ADD), form).text
    assert "“update” is not allowed: modifiers are filter and exclude." in text


def test_a_poisoned_chart_can_be_mended_and_deleted(rows, admin_client):
    made = stored(queryset_modifiers=[{"delete": []}])
    url = reverse("admin:admin_tools_stats_dashboardstats_change", args=[made.pk])
    assert admin_client.get(url).status_code == 200
    bad = FORM | {"queryset_modifiers": "{", "graph_key": "own"}
    assert admin_client.post(url, bad).status_code == 200
    assert admin_client.post(url, FORM).status_code == 302
    made.refresh_from_db()
    assert made.queryset_modifiers is None
    poisoned = stored(queryset_modifiers=[{"update": {"views": 0}}])
    delete = reverse(
        "admin:admin_tools_stats_dashboardstats_delete", args=[poisoned.pk]
    )
    assert admin_client.post(delete, {"post": "yes"}).status_code == 302


@pytest.mark.parametrize("modifiers", GOOD_MODIFIERS)
def test_plain_filters_are_allowed(rows, modifiers):
    made = chart(queryset_modifiers=modifiers)
    DashboardStats.objects.get(pk=made.pk).full_clean()
    assert drawing(made)["series"]


def test_a_fixture_cannot_bring_them(rows, tmp_path):
    made = chart()
    file = tmp_path / "charts.json"
    call_command("dumpdata", "admin_tools_stats.DashboardStats", output=str(file))
    charts_of_file = json.loads(file.read_text())
    charts_of_file[-1]["fields"]["queryset_modifiers"] = [{"delete": []}]
    file.write_text(json.dumps(charts_of_file))
    with pytest.raises((ValidationError, DeserializationError)):
        call_command("loaddata", str(file), verbosity=0)
    made.refresh_from_db()
    assert made.queryset_modifiers is None


def test_the_command_of_the_package_runs_none(rows, admin_user, capsys):
    made = stored(queryset_modifiers=[{"delete": []}], cache_values=True)
    criteria = DashboardStatsCriteria.objects.create(
        criteria_name="key", dynamic_criteria_field_name="key"
    )
    made.criteriatostatsm2m_set.create(
        criteria=criteria, use_as="multiple_series", recalculate=True
    )
    with pytest.raises(CommandError, match="failed to recalculate: own"):
        call_command("recalculate_charts", verbosity=0)
    assert "“delete” is not allowed" in capsys.readouterr().out


# The other fields of a definition.


@pytest.mark.parametrize(("name", "value"), ONE_BAD_FIELD)
def test_no_other_table_column_or_operation(rows, admin_client, name, value):
    made = chart()
    setattr(made, name, value)
    with pytest.raises(ValidationError):
        made.save()
    for other in (made, *_stored_if_possible(made, name, value)):
        with pytest.raises(ChartError):
            drawing(other)


def _stored_if_possible(made, name, value):
    if value is None and not DashboardStats._meta.get_field(name).null:
        return
    DashboardStats.objects.filter(pk=made.pk).update(**{name: value})
    yield DashboardStats.objects.get(pk=made.pk)


BAD_CRITERIA = [
    {"dynamic_criteria_field_name": "site"},
    {"dynamic_criteria_field_name": "key__isnull"},
    {"dynamic_criteria_field_name": "user__password"},
    {"criteria_fix_mapping": {"site": "another"}},
    {"criteria_fix_mapping": {"key__regex": "(a+)+$"}},
    {"criteria_fix_mapping": ["key"]},
    {"criteria_dynamic_mapping": ["key"]},
    {"criteria_dynamic_mapping": {"a": 1}},
    {"criteria_dynamic_mapping": {"a": [1, "x"]}},
    {"criteria_dynamic_mapping": {"a": ["a", "x", "y"]}},
    {"criteria_dynamic_mapping": {"a": [[{"b": 1}], "x"]}},
    {"criteria_dynamic_mapping": {str(n): "x" for n in range(101)}},
]


@pytest.mark.parametrize("values", BAD_CRITERIA)
def test_criteria_reach_no_other_column(rows, values):
    made = chart("analytics.DailyRouteTraffic")
    fields = {"criteria_name": "c", "dynamic_criteria_field_name": "key"}
    criteria = DashboardStatsCriteria.objects.create(**fields)
    made.criteriatostatsm2m_set.create(criteria=criteria, use_as="multiple_series")
    DashboardStatsCriteria.objects.filter(pk=criteria.pk).update(**values)
    with pytest.raises(ChartError):
        drawing(made)
    criteria.refresh_from_db()
    with pytest.raises(ValidationError):
        criteria.save()


@pytest.mark.parametrize("values", BAD_CRITERIA)
def test_their_form_refuses_them(admin_client, values):
    url = reverse("admin:admin_tools_stats_dashboardstatscriteria_add")
    form = {"criteria_name": "bad"} | {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
    answer = admin_client.post(url, form)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == list(values)


def test_a_prefix_leads_nowhere(rows):
    made = chart("analytics.DailyRouteTraffic", split=True)
    link = made.criteriatostatsm2m_set.get()
    link.prefix = "user__"
    with pytest.raises(ValidationError):
        link.save()
    CriteriaToStatsM2M.objects.filter(pk=link.pk).update(prefix="user__")
    with pytest.raises(ChartError):
        drawing(made)


def test_the_guard_is_put_on_once():
    guarded = DashboardStats.get_queryset
    guard()
    assert DashboardStats.get_queryset is guarded
    assert guarded.is_guarded


def test_every_rule_is_tested():
    tested = {*BAD_FIELDS, "queryset_modifiers"}
    assert set(chart_rules._RULES) <= tested


# Who may do what.


ADDRESSES = ("page", "data", "list", "change", "add", "delete")


def address(name, made):
    if name == "page":
        return page_url()
    if name == "data":
        return data_url(made)
    if name in ("list", "add"):
        name = "changelist" if name == "list" else name
        return reverse(f"admin:admin_tools_stats_dashboardstats_{name}")
    return reverse(f"admin:admin_tools_stats_dashboardstats_{name}", args=[made.pk])


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("public", [False, True])
def test_nothing_is_public_not_even_if_stored_so(client, member, name, public):
    made = stored(show_to_users=public)
    answer = client.get(address(name, made))
    assert answer.status_code == 302
    assert "/login/" in answer.url
    assert member().get(address(name, made)).status_code == 403


def test_users_who_are_no_staff_see_nothing(client):
    user = User.objects.create_user("user")
    user.user_permissions.add(Permission.objects.get(codename="view_dashboardstats"))
    client.force_login(user)
    assert client.get(data_url(stored(show_to_users=True))).status_code == 302


def test_no_chart_is_saved_public_or_cached(admin_client):
    made = chart(show_to_users=True, cache_values=True)
    assert (made.show_to_users, made.cache_values) == (False, False)
    form = FORM | {"show_to_users": "on", "cache_values": "on", "distinct": "on"}
    admin_client.post(reverse(ADD), form | {"user_field_name": "pk"})
    added = DashboardStats.objects.get(graph_key="errors")
    found = {name: getattr(added, name) for name in SET}
    assert found == SET


@pytest.mark.parametrize("name", ADDRESSES)
def test_viewers_view(member, name):
    browser = member("view_dashboardstats")
    found = browser.get(address(name, chart())).status_code
    assert found == (403 if name in ("add", "delete") else 200)


def test_only_superusers_write_whatever_the_permissions(member):
    models = ("dashboardstats", "dashboardstatscriteria", "criteriatostatsm2m")
    actions = ("add", "change", "delete", "view")
    browser = member(*(f"{action}_{model}" for action in actions for model in models))
    made = chart()
    assert browser.post(address("add", made), FORM).status_code == 403
    assert browser.post(address("change", made), FORM).status_code == 403
    assert browser.post(address("delete", made), {"post": "yes"}).status_code == 403
    add = reverse("admin:admin_tools_stats_dashboardstatscriteria_add")
    assert browser.post(add, {"criteria_name": "x"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [made.pk]}
    browser.post(address("list", made), action | {"post": "yes"})
    made.refresh_from_db()
    assert made.graph_title == "Own"


def test_change_permission_alone_shows_nothing(member):
    browser = member("change_dashboardstats", "add_dashboardstats")
    assert browser.get(page_url()).status_code == 403
    assert browser.get(data_url(chart())).status_code == 403


@pytest.mark.parametrize("name", ["page", "data"])
def test_looking_changes_nothing_and_takes_no_post(admin_client, name):
    assert admin_client.post(address(name, chart())).status_code == 405


def test_the_cache_of_the_package_has_no_list():
    assert not admin.site.is_registered(CachedValue)


def test_hostile_text_is_only_text(admin_client):
    hostile = "<script>alert(1)</script>"
    chart(graph_title=hostile)
    assert hostile not in admin_client.get(page_url()).text
