"""What a stored chart may say: which tables, measures and keys.

Reads definitions, those of the form and those that somebody wrote into the tables by
other ways. Queries nothing and writes nothing. A definition that breaks a rule raises
ValidationError with a sentence for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ..managers import TrafficManager
from ..models import Rollup
from ..rollup.buckets import Grain
from .chart_filters import (
    DATE_FIELD,
    KEY_FIELD,
    MEASURES,
    VALUES_LIMIT,
    is_text,
    verify_lookups,
    verify_modifiers,
)

OPERATION = "Sum"
RANGES = (7, 30, 90, 365)
"""Days that a chart may look back."""
SCALES = ("hours", "days", "weeks", "months")
HOURLY, DAILY = SCALES[:2], SCALES[1:]
"""The scales of the models that have hours, and of those that have days."""
TYPES = {
    "lineChart": "line",
    "discreteBarChart": "bar",
    "multiBarChart": "bar",
    "stackedAreaChart": "stacked",
    "pieChart": "pie",
}
"""The package's names of what our module draws."""


class Chart(Protocol):
    """What is read of a ``DashboardStats``."""

    model_app_name: str
    model_name: str
    date_field_name: str
    user_field_name: str | None
    operation_field_name: str | None
    type_operation_field_name: str | None
    queryset_modifiers: Any
    distinct: bool
    default_chart_type: str
    default_time_scale: str
    default_time_period: int


def chart_models() -> dict[str, type[Rollup]]:
    """Label -> model: the proxies of rollups whose rows may be added up."""
    return {
        model._meta.label: model
        for model in apps.get_models()
        if issubclass(model, Rollup)
        and isinstance(model._default_manager, TrafficManager)
        and isinstance(getattr(model, "objects", None), TrafficManager)
    }


def model_of(chart: Chart) -> type[Rollup]:
    wanted = f"{chart.model_app_name}.{chart.model_name}".lower()
    for label, model in chart_models().items():
        if label.lower() == wanted:
            return model
    raise ValidationError(
        _("Charts of “%(model)s” are not offered: choose one of the traffic models.")
        % {"model": f"{chart.model_app_name}.{chart.model_name}"}
    )


def measures_of(chart: Chart) -> list[str]:
    """The columns that are added up, one series each."""
    names = (chart.operation_field_name or "").replace(" ", "").split(",")
    unknown = [name for name in names if name not in MEASURES]
    if unknown or len(set(names)) < len(names):
        raise ValidationError(
            _("Charts add up %(measures)s, nothing else.")
            % {"measures": ", ".join(MEASURES)}
        )
    if "bytes" in names and len(names) > 1:
        raise ValidationError(_("Bytes need a chart of their own."))
    return names


def verify_chart(chart: Chart) -> None:
    """Raise ValidationError, by field, unless the chart keeps all rules."""
    errors: dict[str, ValidationError] = {}
    for field, rule in _RULES.items():
        try:
            rule(chart)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)


def verify_split(chart: Chart, split: bool) -> None:
    """Whether the chart may, or must, have a series for each key."""
    measures = measures_of(chart)
    if split and len(measures) > 1:
        raise ValidationError(
            _("A chart with a series for each key has one measure, not several.")
        )
    if split and chart.default_time_scale == "hours":
        raise ValidationError(
            _("A chart with a series for each key is drawn by day, week or month.")
        )
    if not split and len(measures) == 1 and chart.default_chart_type == "pieChart":
        raise ValidationError(
            _("A pie needs several parts: add a criteria, or a second measure.")
        )


def verify_criteria(criteria: Any) -> None:
    """The same for a ``DashboardStatsCriteria``."""
    errors: dict[str, ValidationError] = {}
    if criteria.dynamic_criteria_field_name not in (None, "", KEY_FIELD):
        errors["dynamic_criteria_field_name"] = ValidationError(
            _("Charts have a series for each key, or none: write “key”, or nothing.")
        )
    try:
        if criteria.criteria_fix_mapping not in (None, "", {}):
            verify_lookups(criteria.criteria_fix_mapping)
    except ValidationError as error:
        errors["criteria_fix_mapping"] = error
    try:
        named_keys(criteria)
    except ValidationError as error:
        errors["criteria_dynamic_mapping"] = error
    if errors:
        raise ValidationError(errors)


def named_keys(criteria: Any) -> dict[str, str]:
    """Key -> name of its series, where a criteria names them; else empty.

    ``{"/": "Home", "shop": [["/a/", "/b/"], "Shop"]}`` are the package's two ways.
    """
    mapping = criteria.criteria_dynamic_mapping
    if mapping in (None, "", {}):
        return {}
    if not isinstance(mapping, dict) or len(mapping) > VALUES_LIMIT:
        raise ValidationError(_('Write a JSON object: {"/shop/": "Shop"}.'))
    names: dict[str, str] = {}
    for key, value in mapping.items():
        if key == "":
            continue
        keys, name = value if _is_pair(value) else (key, value)
        keys = keys if isinstance(keys, list) else [keys]
        if len(keys) > VALUES_LIMIT or not all(map(is_text, [*keys, name])):
            raise ValidationError(
                _('Write names of keys: {"/": "Home", "x": [["/a/", "/b/"], "Both"]}.')
            )
        names |= dict.fromkeys(keys, name)
    return names


def verify_link(link: Any) -> None:
    """The same for a ``CriteriaToStatsM2M``."""
    if link.prefix:
        raise ValidationError(
            _("A prefix leads out of the table of the chart: leave it empty.")
        )


def sentences(error: ValidationError) -> str:
    return " ".join(error.messages)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _scale(chart: Chart) -> None:
    if chart.default_time_scale not in SCALES:
        _refuse(_("Charts are drawn by hour, day, week or month."))
    hourly = model_of(chart).objects.grain == Grain.HOUR
    if chart.default_time_scale not in (HOURLY if hourly else DAILY):
        _refuse(
            _("The hours of this model are not kept for long: choose hours or days.")
            if hourly
            else _("This model has days, no hours.")
        )


def _among(name: str, allowed: tuple[Any, ...], sentence: str) -> Callable:
    def rule(chart: Chart) -> None:
        if getattr(chart, name) not in allowed:
            _refuse(_(sentence))

    return rule


def _refuse(sentence: str) -> None:
    raise ValidationError(sentence)


_RULES: Mapping[str, Callable[[Any], object]] = {
    "model_name": model_of,
    "operation_field_name": measures_of,
    "queryset_modifiers": lambda chart: verify_modifiers(chart.queryset_modifiers),
    "default_time_scale": _scale,
    **{
        name: _among(name, allowed, sentence)
        for name, allowed, sentence in (
            ("date_field_name", (DATE_FIELD,), "The time of a chart is “bucket”."),
            ("user_field_name", (None, ""), "Traffic belongs to no user."),
            ("type_operation_field_name", (OPERATION,), "Charts add up: choose Sum."),
            ("distinct", (False,), "A sum of distinct values says nothing."),
            ("default_chart_type", tuple(TYPES), "This type of chart is not drawn."),
            ("default_time_period", RANGES, "Charts show 7, 30, 90 or 365 days."),
        )
    },
}
