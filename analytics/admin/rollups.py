"""The list of rollups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from ..models import Rollup
from ..reporting.queries import labels_of
from ..rollup.buckets import Grain
from ..rollup.dimensions import get_dimensions
from ..rollup.sketches import duration
from .base import NOTHING, ReadOnlyAdmin, SiteFilter, number, number_columns
from .exporting import ExportMixin
from .overview import OverviewAddresses

FORMATS = {Grain.MINUTE: "Y-m-d H:i", Grain.HOUR: "Y-m-d H:i", Grain.DAY: "Y-m-d"}


class DimensionFilter(admin.SimpleListFilter):
    """By dimension: from the declarations, a DISTINCT would read the table."""

    title = _("dimension")
    parameter_name = "dimension"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(each.name, each.label) for each in get_dimensions()]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet
    ) -> models.QuerySet:
        return queryset.filter(dimension=self.value()) if self.value() else queryset


def label_keys(rows: Iterable[Rollup]) -> None:
    """Ask each dimension for the labels of its keys, once."""
    by_dimension: dict[str, list[Rollup]] = defaultdict(list)
    for row in rows:
        by_dimension[row.dimension].append(row)
    for dimension in get_dimensions():
        found = by_dimension[dimension.name]
        labels = labels_of(dimension, list({row.key for row in found}))
        for row in found:
            row.label = labels[row.key].text


@admin.register(Rollup)
@number_columns(("requests", "views", "errors"))
class RollupAdmin(OverviewAddresses, ExportMixin, ReadOnlyAdmin):
    """Newest rows first: that is the order of the primary key, and cheap."""

    list_display = (
        "bucket_local",
        "grain",
        "dimension",
        "key_text",
        "audience",
        "requests_number",
        "views_number",
        "errors_number",
        "visitors_number",
        "average",
        "p95",
        "size",
    )
    list_filter = (SiteFilter, DimensionFilter, "grain", "audience", "bucket")
    search_fields = ("key",)
    ordering = ("-pk",)
    sortable_by = ("bucket_local", "requests_number", "views_number", "errors_number")
    fields = ("site", *list_display, "latency_text")
    readonly_fields = fields
    empty_text = _(
        "Nothing is counted yet. Requests appear here seconds after they were "
        "answered, as long as the drain runs."
    )

    @admin.display(description=_("bucket"), ordering="bucket")
    def bucket_local(self, row: Rollup) -> str:
        return date_format(timezone.localtime(row.bucket), FORMATS[Grain(row.grain)])

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        # A redirect, as after a filter that makes no sense, lists nothing.
        if isinstance(response, TemplateResponse) and "cl" in response.context_data:
            label_keys(response.context_data["cl"].result_list)
        return response

    @admin.display(description=_("key"))
    def key_text(self, row: Rollup) -> str:
        label = getattr(row, "label", row.key)
        if label == row.key or label.startswith(f"{row.key} "):
            return label or NOTHING
        return f"{label} ({row.key})"

    @admin.display(description=_("average"))
    def average(self, row: Rollup) -> str:
        return duration(row.duration / row.requests) if row.requests else NOTHING

    @admin.display(description=_("p95"))
    def p95(self, row: Rollup) -> str:
        found = row.latency.percentile(95)
        return NOTHING if found is None else duration(found)

    @admin.display(description=_("visitors"))
    def visitors_number(self, row: Rollup) -> str:
        return number(row.visitors.estimate()) if row.visitors.to_bytes() else NOTHING

    @admin.display(description=_("size"))
    def size(self, row: Rollup) -> str:
        return filesizeformat(row.bytes)

    @admin.display(description=_("latency"))
    def latency_text(self, row: Rollup) -> str:
        return str(row.latency)
