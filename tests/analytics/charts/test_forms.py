"""The forms offer what can be drawn, and the admin works without the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from admin_tools_stats.models import DashboardStats, DashboardStatsCriteria
from django.urls import reverse

from tests.analytics.charts.making import ADD, FORM, MODELS, chart, data_url, page_url

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]


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
