"""The charts that staff define: their numbers.

Reads the tables of django-admin-charts (``admin_tools_stats``), rollups and the labels
of dimensions; writes nothing. Knows neither requests nor templates. Without the package
nobody imports this module.

Of the package's query code we run ``DashboardStats.get_time_series``, one SQL query a
series or, with a series for each key, one for all. The methods above it remember the
keys for a week, rank them over all time, and add up the hour that is shown twice when
clocks go back: their numbers would not be those of the query module.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from admin_tools_stats.models import (
    CriteriaToStatsM2M,
    DashboardStats,
    DashboardStatsCriteria,
    Interval,
    get_charts_timezone,
)
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..models import Rollup
from ..rollup.dimensions import OTHER
from . import chart_rules as rules
from . import periods, queries
from .chart_axis import Axis, axis_of, shown_days
from .periods import Period

SERIES_LIMIT = 10
"""The largest keys are drawn, the rest is one more series."""
MICROSECOND = datetime.timedelta(microseconds=1)
User = AbstractUser | AnonymousUser


class ChartError(Exception):
    """Why a chart cannot be drawn, in a sentence for whoever looks at it."""


def visible_charts() -> models.QuerySet[DashboardStats]:
    """In the order in which they were made."""
    return DashboardStats.objects.filter(is_visible=True).order_by("pk")


def parse_days(text: str | None) -> int | None:
    """The range that an address asks for; None: each chart's own."""
    if not text:
        return None
    if text not in map(str, rules.RANGES):
        choices = ", ".join(map(str, rules.RANGES))
        raise ChartError(_("A range is one of %(days)s days.") % {"days": choices})
    return int(text)


def title(chart: DashboardStats, days: int | None = None) -> str:
    """With the days that it shows, where it may be drawn at all."""
    try:
        shown = _("last %(days)d days") % {"days": shown_days(chart, days)}
    except (ValidationError, queries.UnknownName):
        return chart.graph_title
    return f"{chart.graph_title}, {shown}"


def drawing(
    chart: DashboardStats,
    user: User,
    days: int | None = None,
    now: datetime.datetime | None = None,
) -> dict[str, Any]:
    """What the chart module draws; raises `ChartError`.

    Some three queries: the chart's criteria, its rows, the labels of its keys.
    """
    try:
        rules.verify_chart(chart)
        links = _links(chart)
        split = _split(chart, links)
        rules.verify_split(chart, split is not None)
        measures = rules.measures_of(chart)
        axis = axis_of(chart, days, now)
    except ValidationError as error:
        raise ChartError(rules.sentences(error)) from error
    except queries.UnknownName as error:
        raise ChartError(str(error)) from error
    # The package takes the days of whatever zone is the current one.
    with timezone.override(axis.period.zone):
        _verify_zone(axis.period)
        if split is None:
            series = _by_measure(chart, user, axis, measures, links)
        else:
            series = _by_key(chart, user, axis, measures[0], links, split)
    return {
        "title": title(chart, days),
        "type": rules.TYPES[chart.default_chart_type],
        "unit": "bytes" if measures == ["bytes"] else "",
        "labels": axis.labels(),
        "running": axis.place(axis.period.now),
        "series": [
            {"name": name, "values": axis.values(sums), "compare": False}
            for name, sums in series
        ],
    }


def _verify_zone(period: Period) -> None:
    zone = get_charts_timezone()
    if str(zone) != period.zone.key:
        raise ChartError(
            _(
                "ADMIN_CHARTS_TIMEZONE is %(charts)s, but days are counted in "
                "%(zone)s: remove that setting."
            )
            % {"charts": zone, "zone": period.zone.key}
        )


# The criteria.


def _links(chart: DashboardStats) -> list[CriteriaToStatsM2M]:
    links = list(
        chart.criteriatostatsm2m_set.select_related("criteria").order_by("order", "pk")
    )
    for link in links:
        rules.verify_link(link)
        rules.verify_criteria(link.criteria)
    return links


def _split(
    chart: DashboardStats, links: Sequence[CriteriaToStatsM2M]
) -> DashboardStatsCriteria | None:
    """The criteria that makes a series of each key: the default one, or the first."""
    found = [
        link
        for link in links
        if link.use_as == "multiple_series"
        and link.criteria.dynamic_criteria_field_name
    ]
    default = chart.default_multiseries_criteria_id
    found.sort(key=lambda link: link.pk != default)
    return found[0].criteria if found else None


# The numbers.


def _rows(
    chart: DashboardStats,
    user: User,
    axis: Axis,
    measure: str,
    links: Sequence[CriteriaToStatsM2M],
    group_by: str,
) -> Iterator[tuple[Any, Any, int]]:
    """Day (or week, month) of the package, value of ``group_by``, sum."""
    filters = {
        lookup: value
        for link in links
        for lookup, value in (link.criteria.criteria_fix_mapping or {}).items()
    }
    try:
        rows = chart.get_time_series(
            filters,
            [],
            user,
            axis.period.start,
            axis.period.end - MICROSECOND,
            rules.OPERATION,
            measure,
            Interval(axis.scale),
            group_by_field=group_by,
        )
    except ValidationError as error:
        raise ChartError(rules.sentences(error)) from error
    for day, group, total in rows:
        yield day, group, int(total)


def _by_measure(
    chart: DashboardStats,
    user: User,
    axis: Axis,
    measures: Sequence[str],
    links: Sequence[CriteriaToStatsM2M],
) -> list[tuple[str, dict[int, int]]]:
    """One series for each measure, by the buckets themselves."""
    found = []
    for measure in measures:
        sums: dict[int, int] = defaultdict(int)
        for _day, bucket, total in _rows(
            chart, user, axis, measure, links, rules.DATE_FIELD
        ):
            sums[axis.place(bucket)] += total
        name = capfirst(Rollup._meta.get_field(measure).verbose_name)
        found.append((str(name), sums))
    return found


def _by_key(
    chart: DashboardStats,
    user: User,
    axis: Axis,
    measure: str,
    links: Sequence[CriteriaToStatsM2M],
    split: DashboardStatsCriteria,
) -> list[tuple[str, dict[int, int]]]:
    """One series for each of the largest keys, or of those that the criteria names."""
    names = rules.named_keys(split)
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for day, key, total in _rows(chart, user, axis, measure, links, rules.KEY_FIELD):
        if names and key not in names:
            continue
        place = axis.place(periods.day_start(day.date(), axis.period.zone))
        found[names.get(key, key)][place] += total
    largest = _largest(found)
    labels = {} if names else _labels(chart, largest)
    series = [(labels.get(key, key), found.pop(key)) for key in largest]
    if any(any(sums.values()) for sums in found.values()):
        series.append((_("others"), _merged(found.values())))
    return series


def _largest(found: Mapping[str, Mapping[int, int]]) -> list[str]:
    """The keys with the largest sums; what the drain calls (other) is never one."""
    totals = {key: sum(sums.values()) for key, sums in found.items()}
    keys = [key for key, total in totals.items() if total and key != OTHER]
    return sorted(keys, key=lambda key: (-totals[key], key))[:SERIES_LIMIT]


def _labels(chart: DashboardStats, keys: Sequence[str]) -> dict[str, str]:
    """Their names; with the key behind it where two have the same one."""
    dimension = queries.dimension_of(rules.model_of(chart).objects.dimension)
    texts = {
        key: str(label.text) or chart.graph_title
        for key, label in queries.labels_of(dimension, keys).items()
    }
    every = list(texts.values())
    return {
        key: f"{text} ({key})" if every.count(text) > 1 else text
        for key, text in texts.items()
    }


def _merged(series: Any) -> dict[int, int]:
    merged: dict[int, int] = defaultdict(int)
    for sums in series:
        for place, value in sums.items():
            merged[place] += value
    return merged
