"""The page of charts shows what is visible, and says what cannot be drawn."""

import logging
from importlib import import_module
from types import SimpleNamespace

import pytest
from admin_tools_stats.models import DashboardStats, DashboardStatsCriteria
from django.apps import apps
from django.db import connection
from django.urls import reverse

from analytics.reporting import charts
from tests.analytics.charts.making import ADD, chart, data_url, drawing, page_url

pytestmark = pytest.mark.django_db

PROVIDED = {"page_views", "busy_hours", "product_views", "route_errors"}


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


def test_the_range_of_the_address_reaches_the_charts(viewer):
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
