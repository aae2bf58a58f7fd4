"""Four charts to begin with. What superusers make of them stays: they are added once."""

from django.db import migrations

BY_KEY = "by_key"
LINE, BARS, STACKED = "lineChart", "discreteBarChart", "stackedAreaChart"
# Name, title, model, measure, type, a point for each, days, a series for each key.
CHARTS = (
    (
        "page_views",
        "Page views per day",
        "analytics.DailyTraffic",
        "views",
        LINE,
        "days",
        30,
        False,
    ),
    (
        "busy_hours",
        "Requests per hour",
        "analytics.HourlyTraffic",
        "requests",
        BARS,
        "hours",
        7,
        False,
    ),
    (
        "product_views",
        "Views by product",
        "products.DailyProductTraffic",
        "views",
        STACKED,
        "days",
        30,
        True,
    ),
    (
        "route_errors",
        "Errors by route",
        "analytics.DailyRouteTraffic",
        "errors",
        STACKED,
        "days",
        30,
        True,
    ),
)


def add(apps, schema_editor):
    Chart = apps.get_model("admin_tools_stats", "DashboardStats")
    charts = Chart.objects.using(schema_editor.connection.alias)
    for key, title, model, measure, kind, scale, days, split in CHARTS:
        app, name = model.split(".")
        chart, is_new = charts.get_or_create(
            graph_key=key,
            defaults={
                "graph_title": title,
                "model_app_name": app,
                "model_name": name,
                "date_field_name": "bucket",
                "operation_field_name": measure,
                "type_operation_field_name": "Sum",
                "default_chart_type": kind,
                "default_time_scale": scale,
                "default_time_period": days,
            },
        )
        if is_new and split:
            link(apps, chart)


def link(apps, chart):
    """Give the chart a series for each key."""
    Criteria = apps.get_model("admin_tools_stats", "DashboardStatsCriteria")
    Link = apps.get_model("admin_tools_stats", "CriteriaToStatsM2M")
    using = chart._state.db
    values = {"criteria_name": BY_KEY, "dynamic_criteria_field_name": "key"}
    found = Criteria.objects.using(using)
    # Names of criteria need not be unique.
    criteria = found.filter(**values).first() or found.create(**values)
    Link.objects.using(using).create(
        stats=chart, criteria=criteria, use_as="multiple_series"
    )


def remove(apps, schema_editor):
    """The charts, and their criteria unless other charts use it."""
    using = schema_editor.connection.alias
    keys = [chart[0] for chart in CHARTS]
    Chart = apps.get_model("admin_tools_stats", "DashboardStats")
    Chart.objects.using(using).filter(graph_key__in=keys).delete()
    Criteria = apps.get_model("admin_tools_stats", "DashboardStatsCriteria")
    found = Criteria.objects.using(using).filter(criteria_name=BY_KEY)
    found.filter(criteriatostatsm2m=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0001_roles"),
        ("admin_tools_stats", "0024_alter_cachedvalue_operation_and_more"),
    ]

    operations = [migrations.RunPython(add, remove, hints={"tables": "default"})]
