"""The charts that superusers define, and the page on which others look at them.

django-admin-charts has the tables, the lists and the query code; its own addresses,
which draw whatever a request asks for, must not be included (a check says so). Who may
look is Django's permission ``admin_tools_stats.view_dashboardstats``, and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any
from urllib.parse import urlencode

from admin_tools_stats.admin import DashboardStatsAdmin, DashboardStatsCriteriaAdmin
from admin_tools_stats.models import (
    CachedValue,
    CriteriaToStatsM2M,
    DashboardStats,
    DashboardStatsCriteria,
)
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from .. import sites
from ..conf import get_config
from ..managers import traffic_of
from ..reporting import chart_rules as rules
from ..reporting import charts
from ..reporting.chart_guard import guard
from ..reporting.charts import ChartError
from .chart_forms import (
    TYPES,
    ChartForm,
    CriteriaForm,
    CriteriaLinkForm,
    CriteriaLinks,
)

VIEW = "admin_tools_stats.view_dashboardstats"
log = logging.getLogger(__name__)

guard()

# Registered by the import above, whichever app comes first in INSTALLED_APPS. Values
# in the package's cache are as old as they like to be.
for model in (DashboardStats, DashboardStatsCriteria, CachedValue):
    with contextlib.suppress(NotRegistered):
        admin.site.unregister(model)


class SuperusersChange:
    """A definition decides what is read from the database: nobody else writes one,
    whatever permissions they were given."""

    view_permission = VIEW
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(self.view_permission)


class PlainNames:
    """Titles in words for people: the package calls everything "dashboard stats"."""

    change_list_template = "admin/analytics/charts_list.html"
    names: tuple[Any, Any, Any]
    """Of the list, of the form for a new one, of the form for one that there is."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": self.names[0], "charts_url": _url(self)}
        return super().changelist_view(request, context | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"title": self.names[2 if object_id else 1]}
        context |= extra_context or {}
        return super().changeform_view(request, object_id, form_url, context)


class CriteriaInline(SuperusersChange, admin.StackedInline):
    model = CriteriaToStatsM2M
    form = CriteriaLinkForm
    formset = CriteriaLinks
    fields = ("criteria",)
    extra = 0
    max_num = 5
    verbose_name = _("criteria")
    verbose_name_plural = _("criteria: a series for each key, or a filter")


@admin.register(DashboardStatsCriteria)
class ChartCriteriaAdmin(PlainNames, SuperusersChange, DashboardStatsCriteriaAdmin):
    view_permission = "admin_tools_stats.view_dashboardstatscriteria"
    names = (_("Chart criteria"), _("Add criteria"), _("Criteria"))
    form = CriteriaForm
    fields = CriteriaForm.Meta.fields
    readonly_fields = ()
    list_display = ("criteria_name", "dynamic_criteria_field_name", "updated_date")
    list_filter = search_fields = ()


@admin.register(DashboardStats)
class ChartAdmin(PlainNames, SuperusersChange, DashboardStatsAdmin):
    form = ChartForm
    inlines = (CriteriaInline,)
    names = (_("Chart definitions"), _("Add a chart"), _("Chart"))
    fieldsets = (
        (None, {"fields": ("graph_title", "graph_key", "is_visible")}),
        (
            _("What is counted"),
            {"fields": ("model_name", "operation_field_name", "queryset_modifiers")},
        ),
        (
            _("How it is drawn"),
            {
                "fields": (
                    "default_chart_type",
                    "default_time_scale",
                    "default_time_period",
                )
            },
        ),
    )
    list_display = ("graph_title", "model_text", "measures", "kind", "is_visible")
    list_filter = ("is_visible",)
    ordering = ("graph_title",)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.charts_view)
        data = self.admin_site.admin_view(self.data_view)
        return [
            path("charts/", page, name="analytics_charts"),
            path("charts/<int:pk>/data/", data, name="analytics_charts_data"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def charts_view(self, request: HttpRequest) -> HttpResponse:
        """All visible charts; each draws itself, or says why it cannot."""
        self._must_view(request)
        days, site, problem = None, get_config().site, ""
        try:
            days = charts.parse_days(request.GET.get("days"))
            site = sites.chosen(request.GET.get("site", ""))
        except (ChartError, sites.SiteError) as error:
            problem = str(error)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Charts"),
            "opts": self.opts,
            "problem": problem,
            "ranges": _ranges(days, site),
            "sites": _sites(days, site),
            "charts": [
                self._figure(chart, days, site) for chart in charts.visible_charts()
            ],
            "may_change": self.has_change_permission(request),
            "list_url": _url(self, "admin_tools_stats_dashboardstats_changelist"),
            "add_url": _url(self, "admin_tools_stats_dashboardstats_add"),
        }
        request.current_app = self.admin_site.name
        status = 400 if problem else 200
        template = "admin/analytics/charts.html"
        return TemplateResponse(request, template, context, status=status)

    @method_decorator(require_safe)
    def data_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """What the chart module draws. Of the request, the range alone is read."""
        self._must_view(request)
        chart = charts.visible_charts().filter(pk=pk).first()
        if chart is None:
            return _problem(gettext("There is no such chart any more."), 404)
        try:
            days = charts.parse_days(request.GET.get("days"))
            with traffic_of(sites.chosen(request.GET.get("site", ""))):
                return JsonResponse(charts.drawing(chart, request.user, days))
        except sites.SiteError as error:
            return _problem(str(error))
        except ChartError as error:
            log.warning("Chart %s cannot be drawn: %s", chart.graph_key, error)
            return _problem(str(error))
        except Exception:
            log.exception("Chart %s failed", chart.graph_key)
            return _problem(
                gettext("This chart cannot be drawn. The reason is in the site's log.")
            )

    @admin.display(description=_("model"))
    def model_text(self, chart: DashboardStats) -> str:
        wanted = f"{chart.model_app_name}.{chart.model_name}"
        model = rules.chart_models().get(wanted)
        return capfirst(str(model._meta.verbose_name)) if model else wanted

    @admin.display(description=_("measures"))
    def measures(self, chart: DashboardStats) -> str:
        return ", ".join((chart.operation_field_name or "").split(","))

    @admin.display(description=_("type"))
    def kind(self, chart: DashboardStats) -> str:
        return dict(TYPES).get(chart.default_chart_type, chart.default_chart_type)

    def _must_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _figure(
        self, chart: DashboardStats, days: int | None, site: str
    ) -> dict[str, Any]:
        query = _query(days, site)
        change = "admin_tools_stats_dashboardstats_change"
        return {
            "pk": chart.pk,
            "name": chart.graph_title,
            "title": charts.title(chart, days),
            "data": _url(self, "analytics_charts_data", chart.pk) + query,
            "change": _url(self, change, chart.pk),
        }


def _url(
    page: admin.ModelAdmin, name: str = "analytics_charts", *arguments: Any
) -> str:
    return reverse(f"{page.admin_site.name}:{name}", args=arguments)


def _query(days: int | None, site: str) -> str:
    """Of the page, and of each chart on it; our own site needs no word."""
    words: dict[str, Any] = {"days": days} if days else {}
    words |= {"site": site} if site != get_config().site else {}
    return f"?{urlencode(words)}" if words else ""


def _sites(days: int | None, site: str) -> list[dict[str, Any]]:
    """The switch between sites; empty where there is but one."""
    found = sites.known()
    return [
        {
            "label": one,
            "url": _query(days, one.name) or "?",
            "current": one.name == site,
        }
        for one in found
        if len(found) > 1
    ]


def _ranges(days: int | None, site: str) -> list[dict[str, Any]]:
    """The links of the choice; the first leaves each chart its own period."""
    url = _query(None, site) or "?"
    own = {"label": gettext("As defined"), "url": url, "current": days is None}
    return [
        own,
        *(
            {
                "label": gettext("%d days") % each,
                "url": _query(each, site),
                "current": each == days,
            }
            for each in rules.RANGES
        ),
    ]


def _problem(sentence: str, status: int = 400) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
