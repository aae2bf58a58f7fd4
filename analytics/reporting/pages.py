"""The overview's page, and the JSON that it draws, on whatever admin site they hang.

Reads requests; asks ``overview`` for numbers. All of it needs the permission to view
rollups; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import sites
from ..conf import get_config
from ..models import Producer
from ..rollup.dimensions import dimensions_of
from ..words import number
from . import dimension_menu, health, key_exports, periods, queries
from . import explore as exploring
from .explore import Search
from .measures import SUM_LABELS
from .overview import as_dict, chart, numbers
from .question import AUDIENCES, BadQuestion, Question

PERMISSION = "analytics.view_rollup"
EXPORT_PERMISSION = "analytics.export_rollup"
DAYS = ("range", "from", "to")
"""The words of an address that name the days."""
SHOWN_RANGES = 5
"""The others are in a menu."""
OVERVIEW = "admin/analytics/overview.html"
EXPLORE = "admin/analytics/explore.html"
Asked = TypeVar("Asked", Question, Search)


@require_safe
def overview(
    request: HttpRequest,
    admin_site: AdminSite,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page, of everything or of one key of a dimension; with a sentence and the
    usual period if its address makes no sense."""
    _must_view(request)
    question, problem = _parsed(Question.parse, request)
    urls = _addresses(request, admin_site, question)
    if question.dimension != "total" and not question.key:
        return HttpResponseRedirect(urls["explore"] + question.query())
    subject = _subject(request, question)
    context = {
        "title": subject["text"] if subject else _("Overview"),
        "subject": subject,
        "found": numbers(question).for_user(request.user),
        "urls": urls,
        **_bar(question, question),
        **(extra_context or {}),
    }
    return _page(request, admin_site, OVERVIEW, context, problem)


@require_safe
def explore(request: HttpRequest, admin_site: AdminSite) -> HttpResponse:
    """All keys of a dimension."""
    _must_view(request)
    search, problem = _parsed(Search.parse, request)
    found = exploring.explore(search).for_user(request.user)
    search = found.search
    context = {
        "title": _("Explore"),
        "subtitle": search.dimension.label,
        "found": found,
        "switched_off": dimension_menu.switched_off(
            search.dimension, search.question.site
        ),
        "groups": _groups(search),
        "rankings": [
            {
                "label": SUM_LABELS[name],
                "url": search.query(by=name),
                "current": name == search.by,
            }
            for name in exploring.RANKINGS
        ],
        "overview_url": reverse(f"{admin_site.name}:analytics_overview"),
        "export": _export(request, admin_site, search),
        **_bar(search, search.question),
    }
    return _page(request, admin_site, EXPLORE, context, problem)


@require_safe
def explore_data(request: HttpRequest, admin_site: AdminSite) -> JsonResponse:
    """A page of keys for programs."""
    _must_view(request)
    search, problem = _parsed(Search.parse, request)
    if problem:
        return JsonResponse({"error": problem}, status=400)
    return JsonResponse(exploring.as_dict(exploring.explore(search)))


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
    question, problem = _parsed(Question.parse, request)
    if problem:
        return JsonResponse({"error": problem}, status=400)
    found = health.check_health(question.site)
    ok = found.part("database").ok
    sums = health.ledger_sums(found, question.site) if ok else {}
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


def _answer(
    request: HttpRequest, ask: Callable[[Question], dict[str, Any]]
) -> JsonResponse:
    _must_view(request)
    question, problem = _parsed(Question.parse, request)
    if problem:
        return JsonResponse({"error": problem}, status=400)
    return JsonResponse(ask(question))


def _parsed(
    parse: Callable[[Mapping[str, str]], Asked], request: HttpRequest
) -> tuple[Asked, str]:
    """What an address asks for, or the usual and what is wrong with the address."""
    try:
        return parse(request.GET.dict()), ""
    except BadQuestion as error:
        return parse({}), str(error)


def _page(
    request: HttpRequest,
    admin_site: AdminSite,
    template: str,
    context: dict[str, Any],
    problem: str,
) -> TemplateResponse:
    common = admin_site.each_context(request)
    request.current_app = admin_site.name
    return TemplateResponse(
        request,
        template,
        {**common, "subtitle": None, "problem": problem, **context},
        status=400 if problem else 200,
    )


def _bar(asked: Asked, question: Question) -> dict[str, Any]:
    """The choices above the numbers; whatever else ``asked`` says stays as it is."""
    ranges = _choices(asked, question, "range", periods.RANGES)
    return {
        "question": question,
        "before": question.before.of_dimension(
            queries.dimension_of(question.dimension)
        ),
        "note": queries.note(
            period=question.period, before=question.before, dimension=question.dimension
        ),
        "ranges": ranges[:SHOWN_RANGES],
        "more_ranges": ranges[SHOWN_RANGES:],
        "comparisons": _choices(asked, question, "compare", periods.COMPARISONS),
        "comparison": periods.COMPARISONS[question.compare],
        "sites": _sites(asked, question),
        "audiences": _choices(asked, question, "audience", _labels(AUDIENCES)),
        "custom": question.range not in list(periods.RANGES)[:SHOWN_RANGES],
        "kept": [
            (name, value)
            for name, value in parse_qsl(asked.query()[1:])
            if name not in DAYS
        ],
        "today": question.period.now.astimezone(question.period.zone).date(),
    }


def _sites(asked: Asked, question: Question) -> list[dict[str, Any]]:
    """The switch between sites; empty where there is but one."""
    found = sites.known()
    own = get_config().site
    return [
        {
            "label": site,
            "url": asked.query(**_words_of(site.name, question)),
            "current": site.name == (question.site or own),
        }
        for site in found
        if len(found) > 1
    ]


def _words_of(site: str, question: Question) -> dict[str, str]:
    """What leads to the same of another site, or to all of it."""
    if question.dimension in (one.name for one in dimensions_of(site)):
        return {"site": site}
    return {"site": site, "dimension": "" if question.key else "route", "key": ""}


def _groups(search: Search) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The menu of dimensions."""
    return [
        (
            title,
            [
                {
                    "label": one.label,
                    "url": search.question.query(dimension=one.name, by=search.by),
                    "current": one is search.dimension,
                }
                for one in members
            ],
        )
        for title, members in dimension_menu.groups(search.question.site)
    ]


def _export(
    request: HttpRequest, admin_site: AdminSite, search: Search
) -> dict[str, Any] | None:
    """The form of a download, for who may have one."""
    if not request.user.has_perm(EXPORT_PERMISSION):
        return None
    address = reverse(f"{admin_site.name}:analytics_explore_export")
    return {"url": address + search.query(), "formats": key_exports.available()}


def _subject(request: HttpRequest, question: Question) -> dict[str, Any] | None:
    """The key whose numbers are shown, if it is not everything."""
    if question.dimension == "total":
        return None
    dimension = queries.dimension_of(question.dimension)
    label = queries.labels_of(dimension, [question.key])[question.key]
    label = label.seen_by(request.user)
    return {
        "kind": dimension.label,
        "meaning": dimension.meaning,
        "text": label.text,
        "url": label.url,
        "all": replace(question, key="").query(),
    }


def _must_view(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _choices(
    asked: Asked, question: Question, name: str, choices: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The links of a row of choices."""
    return [
        {
            "label": label,
            "url": asked.query(**{name: value}),
            "current": getattr(question, name) == value,
        }
        for value, label in choices.items()
    ]


def _labels(choices: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: label for name, (_meaning, label) in choices.items()}


def site_query(site: str) -> str:
    """For addresses that need no other word; empty for the own site."""
    return "?" + urlencode({"site": site}) if site else ""


def _addresses(
    request: HttpRequest, admin_site: AdminSite, question: Question
) -> dict[str, str]:
    def address(name: str) -> str:
        return reverse(f"{admin_site.name}:{name}")

    addresses = {
        "explore": address("analytics_explore"),
        "everything": address("analytics_overview"),
        "page": address("analytics_overview") + question.query(),
        "chart": address("analytics_chart_data") + question.query(),
        "waiting": address("analytics_waiting") + site_query(question.site),
        "same": "&" + replace(question, dimension="total").query()[1:],
    }
    ledger = admin_site.is_registered(Producer)
    if ledger and request.user.has_perm("analytics.view_producer"):
        ledger = address("analytics_producer_changelist")
        addresses["ledger"] = ledger + site_query(question.site)
    return addresses
