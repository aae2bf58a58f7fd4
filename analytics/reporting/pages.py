"""The overview's page, and the JSON that it draws, on whatever admin site they hang.

Reads requests; asks ``overview`` for numbers. All of it needs the permission to view
rollups; nothing here changes anything.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..models import Producer
from ..words import number
from . import health, periods
from .overview import AUDIENCES, BadQuestion, Question, as_dict, chart, numbers

PERMISSION = "analytics.view_rollup"
TEMPLATE = "admin/analytics/overview.html"


@require_safe
def overview(
    request: HttpRequest,
    admin_site: AdminSite,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page; with a sentence and the usual period if its address makes no sense."""
    _must_view(request)
    status, problem = 200, ""
    try:
        question = Question.parse(request.GET.dict())
    except BadQuestion as error:
        status, problem = 400, str(error)
        question = Question.parse({})
    context = {
        **admin_site.each_context(request),
        "title": _("Overview"),
        "subtitle": None,
        "problem": problem,
        "found": numbers(question).for_user(request.user),
        "ranges": _choices(question, "range", periods.RANGES),
        "audiences": _choices(question, "audience", AUDIENCES),
        "today": question.period.now.astimezone(question.period.zone).date(),
        "urls": _addresses(request, admin_site, question),
        **(extra_context or {}),
    }
    request.current_app = admin_site.name
    return TemplateResponse(request, TEMPLATE, context, status=status)


@require_safe
def chart_data(request: HttpRequest, admin_site: AdminSite) -> JsonResponse:
    """The series of one measure, and of the period before."""
    return _answer(request, chart)


@require_safe
def numbers_data(request: HttpRequest, admin_site: AdminSite) -> JsonResponse:
    """The tiles and the largest keys."""
    return _answer(request, lambda question: as_dict(numbers(question)))


@require_safe
def waiting_data(request: HttpRequest, admin_site: AdminSite) -> JsonResponse:
    """What was recorded, counted and lost, what waits, and whether all parts run."""
    _must_view(request)
    found = health.check_health()
    sums = health.ledger_sums(found) if found.part("database").ok else {}
    waiting = found.numbers["waiting"]
    return JsonResponse(
        {
            "ok": found.ok,
            "problems": [
                f"{part.name}: {part.message}" for part in found.parts if not part.ok
            ],
            "lag_s": found.numbers["lag_s"],
            **{
                name: None if value is None else number(value)
                for name, value in {**sums, "waiting": waiting}.items()
            },
        }
    )


def _answer(request: HttpRequest, ask: Any) -> JsonResponse:
    _must_view(request)
    try:
        question = Question.parse(request.GET.dict())
    except BadQuestion as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse(ask(question))


def _must_view(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _choices(
    question: Question, name: str, choices: dict[str, tuple[Any, Any]]
) -> list[dict[str, Any]]:
    """The links of a row of choices."""
    return [
        {
            "label": label,
            "url": question.query(**{name: value}),
            "current": getattr(question, name) == value,
        }
        for value, (_meaning, label) in choices.items()
    ]


def _addresses(
    request: HttpRequest, admin_site: AdminSite, question: Question
) -> dict[str, str]:
    def address(name: str) -> str:
        return reverse(f"{admin_site.name}:{name}")

    addresses = {
        "page": address("analytics_overview") + question.query(),
        "chart": address("analytics_chart_data") + question.query(),
        "waiting": address("analytics_waiting"),
    }
    ledger = admin_site.is_registered(Producer)
    if ledger and request.user.has_perm("analytics.view_producer"):
        addresses["ledger"] = address("analytics_producer_changelist")
    return addresses
