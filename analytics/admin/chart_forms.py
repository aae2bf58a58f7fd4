"""The forms of charts: of the package's many options those that our drawing has.

Nothing is free text that names a table, a column or a method. What the forms do not
show, they set: charts add up, by the bucket, for those who may view them.
"""

from __future__ import annotations

from typing import Any

from admin_tools_stats.models import (
    CriteriaToStatsM2M,
    DashboardStats,
    DashboardStatsCriteria,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

from ..models import Rollup
from ..reporting import chart_rules as rules

TYPES = (
    ("lineChart", _("Line")),
    ("discreteBarChart", _("Bars")),
    ("stackedAreaChart", _("Stacked areas")),
    ("pieChart", _("Pie")),
)
SCALES = (
    ("hours", _("Hour")),
    ("days", _("Day")),
    ("weeks", _("Week")),
    ("months", _("Month")),
)
PERIODS = tuple(
    (days, format_lazy(_("Last {days} days"), days=days)) for days in rules.RANGES
)
SET = {
    "date_field_name": rules.DATE_FIELD,
    "type_operation_field_name": rules.OPERATION,
    "user_field_name": None,
    "show_to_users": False,
    "distinct": False,
    "cache_values": False,
}
"""What a chart has in the fields that nobody is asked for."""
MAPPINGS = ("criteria_dynamic_mapping", "criteria_fix_mapping")
SMALL = {"rows": 3, "cols": 60}


def model_choices() -> list[tuple[str, str]]:
    return [
        (label, capfirst(str(model._meta.verbose_name)))
        for label, model in rules.chart_models().items()
    ]


def measure_choices() -> list[tuple[str, str]]:
    fields = (Rollup._meta.get_field(name) for name in rules.MEASURES)
    return [(field.name, capfirst(str(field.verbose_name))) for field in fields]


class OptionalJSON(forms.JSONField):
    """Nothing is an empty field, not the word null."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class ChartForm(forms.ModelForm):
    """A chart in words that a person knows."""

    model_name = forms.ChoiceField(
        label=_("Model"),
        choices=model_choices,
        help_text=_("What is counted, and for whom."),
    )
    operation_field_name = forms.MultipleChoiceField(
        label=_("Measures"),
        choices=measure_choices,
        widget=forms.CheckboxSelectMultiple,
        initial=["views"],
        help_text=_("Added up. Several measures become several series."),
    )
    default_chart_type = forms.ChoiceField(label=_("Type"), choices=TYPES)
    default_time_scale = forms.ChoiceField(
        label=_("One point for each"),
        choices=SCALES,
        initial="days",
        help_text=_("Hours with the hourly model only."),
    )
    default_time_period = forms.TypedChoiceField(
        label=_("Period"),
        choices=PERIODS,
        coerce=int,
        initial=30,
        help_text=_("Where whoever looks at it chooses no other."),
    )

    class Meta:
        model = DashboardStats
        fields = (
            "graph_title",
            "graph_key",
            "is_visible",
            "model_name",
            "operation_field_name",
            "queryset_modifiers",
            "default_chart_type",
            "default_time_scale",
            "default_time_period",
        )
        field_classes = {"queryset_modifiers": OptionalJSON}
        widgets = {"queryset_modifiers": forms.Textarea(attrs=SMALL)}
        labels = {
            "graph_title": _("Title"),
            "graph_key": _("Name"),
            "queryset_modifiers": _("Filters"),
        }
        help_texts = {
            "graph_title": "",
            "graph_key": _("Unique: small letters, digits and underscores."),
            "is_visible": _("Shown on the page of charts."),
            "queryset_modifiers": _(
                "To count only a part: a JSON list of filter and exclude, like "
                '[{"filter": {"key__startswith": "/shop/"}}]. Fields: key, bucket, '
                "views, requests, errors, bytes, duration."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chart = self.instance
        if chart.pk:
            self.initial["model_name"] = f"{chart.model_app_name}.{chart.model_name}"
            measures = (chart.operation_field_name or "").replace(" ", "")
            self.initial["operation_field_name"] = measures.split(",")

    def clean_operation_field_name(self) -> str:
        return ",".join(self.cleaned_data["operation_field_name"])

    def clean_model_name(self) -> str:
        app, _dot, name = self.cleaned_data["model_name"].partition(".")
        self.instance.model_app_name = app
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, value in (SET | cleaned).items():
            setattr(self.instance, name, value)
        if not self.errors:
            try:
                rules.verify_chart(self.instance)
            except ValidationError as error:
                self._add_errors(error)
        return cleaned

    def _add_errors(self, error: ValidationError) -> None:
        for name, sentences in error.message_dict.items():
            self.add_error(name if name in self.fields else None, sentences)

    def _post_clean(self) -> None:
        """The model's own ``clean()`` would run the query that was just refused."""
        if not self.errors:
            super()._post_clean()


class CriteriaLinkForm(forms.ModelForm):
    class Meta:
        model = CriteriaToStatsM2M
        fields = ("criteria",)

    def clean(self) -> dict[str, Any]:
        self.instance.use_as = "multiple_series"
        self.instance.prefix = ""
        return super().clean()


class CriteriaLinks(forms.BaseInlineFormSet):
    """The criteria of one chart, which must fit together with it."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        try:
            rules.verify_chart(self.instance)
        except ValidationError:
            # Said in the chart's own form.
            return
        rules.verify_split(self.instance, any(map(self._splits, self.forms)))

    def _splits(self, form: forms.ModelForm) -> bool:
        criteria = form.cleaned_data.get("criteria")
        deleted = form.cleaned_data.get("DELETE")
        return bool(criteria and not deleted and criteria.dynamic_criteria_field_name)


class CriteriaForm(forms.ModelForm):
    dynamic_criteria_field_name = forms.ChoiceField(
        label=_("Series"),
        required=False,
        choices=(("", _("One for all")), (rules.KEY_FIELD, _("One for each key"))),
        help_text=_("A key is a route, a product …, as the chart's model says."),
    )

    class Meta:
        model = DashboardStatsCriteria
        fields = (
            "criteria_name",
            "dynamic_criteria_field_name",
            "criteria_dynamic_mapping",
            "criteria_fix_mapping",
        )
        field_classes = dict.fromkeys(MAPPINGS, OptionalJSON)
        widgets = {name: forms.Textarea(attrs=SMALL) for name in MAPPINGS}
        labels = {
            "criteria_name": _("Name"),
            "criteria_dynamic_mapping": _("Names of keys"),
            "criteria_fix_mapping": _("Filter"),
        }
        help_texts = {
            "criteria_name": "",
            "criteria_dynamic_mapping": _(
                'Only these keys, under these names: {"/": "Home", "/shop/": "Shop"}. '
                "Empty: the ten largest keys, and the others together."
            ),
            "criteria_fix_mapping": _(
                'Counts only a part: {"key__startswith": "/shop/"}.'
            ),
        }

    def _post_clean(self) -> None:
        super()._post_clean()
        if not self.errors:
            try:
                rules.verify_criteria(self.instance)
            except ValidationError as error:
                self._update_errors(error)
