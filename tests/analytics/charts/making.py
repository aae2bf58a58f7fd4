"""Charts as staff define them, what is drawn of them, and where they are."""

import datetime

from admin_tools_stats.models import DashboardStats, DashboardStatsCriteria
from django.contrib.auth.models import User
from django.urls import reverse

from analytics.reporting import charts

NOW = datetime.datetime(2026, 10, 28, 13, 37, 42, tzinfo=datetime.UTC)
"""Three days after the clocks were set back."""
MODELS = {
    "analytics.DailyTraffic": "total",
    "analytics.HourlyTraffic": "total",
    "analytics.DailyRouteTraffic": "route",
    "analytics.DailyBotTraffic": "total",
    "products.DailyProductTraffic": "product",
}
ADD = "admin:admin_tools_stats_dashboardstats_add"
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


def page_url():
    return reverse("admin:analytics_charts")


def data_url(made):
    return reverse("admin:analytics_charts_data", args=[made.pk])
