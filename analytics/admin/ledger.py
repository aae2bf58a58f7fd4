"""The list of the ledger: what each producer recorded, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import sites
from ..conf import get_config
from ..models import Producer
from ..reporting.ledger import State, in_state, state_of
from .base import (
    NOTHING,
    ReadOnlyAdmin,
    SiteFilter,
    local,
    number,
    number_columns,
)
from .health import health_view

TOTALS = (
    ("recorded", _("recorded")),
    ("counted", _("counted")),
    ("waiting", _("waiting")),
    ("lost", _("lost")),
    ("rejected", _("rejected")),
)


class StateFilter(admin.SimpleListFilter):
    """Live, silent, closed or missing."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(State.choices)

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet
    ) -> models.QuerySet:
        if self.value() not in State.values:
            return queryset
        return in_state(queryset, self.value(), timezone.now())


class LossFilter(admin.SimpleListFilter):
    """Whether anything of it is lost or rejected."""

    title = _("losses")
    parameter_name = "losses"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("has losses")), ("no", _("has none"))]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet
    ) -> models.QuerySet:
        losses = models.Q(lost__gt=0) | models.Q(rejected__gt=0)
        if self.value() == "yes":
            return queryset.filter(losses)
        return queryset.exclude(losses) if self.value() == "no" else queryset


@admin.register(Producer)
@number_columns(("recorded", "counted", "lost", "rejected"))
class ProducerAdmin(ReadOnlyAdmin):
    """One line for each web process."""

    change_list_template = "admin/analytics/ledger.html"
    list_display = (
        "producer",
        "state",
        "recorded_number",
        "counted_number",
        "waiting_number",
        "lost_number",
        "rejected_number",
        "seen_local",
        "started_local",
        "process",
    )
    list_filter = (SiteFilter, StateFilter, LossFilter)
    search_fields = ("producer", "host")
    ordering = ("-seen", "-pk")
    fields = ("site", *list_display, "alive", "oldest", "expected", "advice")
    readonly_fields = fields
    empty_text = _(
        "No web process was heard of yet. Each gets a line here soon after its first "
        "request, as long as Redis and the drain run."
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.health_view)
        return [path("health/", view, name="analytics_health"), *super().get_urls()]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return health_view(request, self.admin_site)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        try:
            site = sites.chosen(request.GET.get("site", ""))
        except sites.SiteError:
            # The list says so.
            site = get_config().site
        sums = self.get_queryset(request).filter(site=site).sums()
        totals = [(label, number(sums[name]), name) for name, label in TOTALS]
        return super().changelist_view(request, {"totals": totals})

    @admin.display(description=_("process"), ordering="host")
    def process(self, line: Producer) -> str:
        return f"{line.host}:{line.pid}" if line.host else NOTHING

    @admin.display(description=_("last heard of"), ordering="seen")
    def seen_local(self, line: Producer) -> str:
        return local(line.seen)

    @admin.display(description=_("started"), ordering="started")
    def started_local(self, line: Producer) -> str:
        return local(line.started)

    @admin.display(description=_("waiting"))
    def waiting_number(self, line: Producer) -> str:
        return number(line.waiting)

    @admin.display(description=_("state"))
    def state(self, line: Producer) -> str:
        state = state_of(line, timezone.now())
        return format_html(
            '<span class="analytics-state {}">{}</span>', state.value, state.label
        )

    @admin.display(description=_("what to do"))
    def advice(self, line: Producer) -> str:
        if state_of(line, timezone.now()) != State.MISSING:
            return gettext("Nothing.")
        return gettext(
            "It was not heard of for a day, with events waiting. If its disk still "
            "exists, run analytics_ship on its machine. If not, give the events up "
            "with: analytics_status --write-off %(producer)s"
        ) % {"producer": line.producer}
