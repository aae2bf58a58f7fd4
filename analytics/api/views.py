"""The analytics API: every number of the query module, one call each; read only.

Reads the query module and what the address asks for, in the words of the pages. Needs
the permission to view rollups and, of a credential, the scope ``analytics:read``; what
else every request needs is what the project's REST_FRAMEWORK says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from .. import sites
from ..conf import get_config
from ..reporting import queries
from ..reporting.explore import Search
from ..reporting.measures import RANKS, UnknownName
from ..reporting.pages import PERMISSION
from ..reporting.periods import Period
from ..reporting.question import BadQuestion, Question, whole_number
from ..rollup.dimensions import dimensions_of, get_dimensions
from . import parameters, serializers
from .refusals import refuse_unknown

MOST_RANKS = 20


class MayView(BasePermission):
    """Who may see the numbers in the admin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm(PERMISSION)


class Numbers(APIView):
    """What all of them have in common."""

    scope_read = "analytics:read"
    http_method_names: ClassVar = ["get", "head"]
    metadata_class = None
    permission_classes: ClassVar = [*api_settings.DEFAULT_PERMISSION_CLASSES, MayView]
    asked_with: Collection[OpenApiParameter] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, (one.name for one in self.asked_with))
        refuse_choices(self.asked_with, request.query_params)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        words = {**request.query_params.dict()}
        try:
            found = self.answer(words)
        except (BadQuestion, UnknownName) as error:
            raise ValidationError({"all": [str(error)]}) from error
        return Response(self.serializer_class(found).data)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError


def described(name: str, asked_with: Collection[OpenApiParameter] = ()) -> Any:
    """Tells the API's description what ``get`` of a view is asked with, and answers."""

    def decorate(view: type[Numbers]) -> type[Numbers]:
        view.asked_with = asked_with
        get = extend_schema(
            operation_id=f"analytics_{name}",
            tags=["analytics"],
            parameters=list(asked_with),
            responses=view.serializer_class(many=name == "dimensions"),
        )
        return extend_schema_view(get=get)(view)

    return decorate


ASKED = (*parameters.PERIOD, parameters.dimension(), parameters.KEY)
OF_DURATIONS = (
    *parameters.PERIOD,
    parameters.dimension(one.name for one in get_dimensions() if one.latency),
    parameters.KEY,
)


@described("dimensions", (parameters.SITE,))
class Dimensions(Numbers):
    """What requests are counted by."""

    serializer_class = serializers.DimensionSerializer

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            site = sites.chosen(request.query_params.get("site", ""))
        except sites.SiteError as error:
            raise ValidationError({"site": [str(error)]}) from error
        found = [
            {
                "name": one.name,
                "label": str(one.label),
                "meaning": str(one.meaning),
                "measures": queries.measures_of(one),
                "cap": one.cap,
            }
            for one in dimensions_of(site)
        ]
        return Response(self.serializer_class(found, many=True).data)


@described("totals", ASKED)
class OfTotals(Numbers):
    """The measures of everything, or of one key, over a whole period. One query."""

    serializer_class = serializers.TotalsSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        question = Question.parse(words)
        return {**asked(question), "totals": queries.totals(**of(question))}


@described("comparison", (*ASKED, parameters.COMPARE))
class OfComparison(Numbers):
    """The measures of a period beside those of another one. Two queries."""

    serializer_class = serializers.ComparisonSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        question = Question.parse(words)
        found = queries.compare(before=question.before, **of(question))
        dimension = queries.dimension_of(question.dimension)
        return {
            **asked(question, question.before),
            "before": days(question.before.of_dimension(dimension)),
            "now": found.now,
            "then": found.then,
            "changes": found.changes,
        }


@described("series", (*ASKED, parameters.SERIES))
class OfSeries(Numbers):
    """One measure of each hour or day of a period. Two queries at most."""

    serializer_class = serializers.SeriesSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        question = Question.parse(words)
        found = queries.series(measure=question.measure, **of(question))
        gaps = set(found.gaps)
        pairs = enumerate(zip(found.buckets, found.values, strict=True))
        return {
            **asked(question),
            "measure": question.measure,
            "grain": found.period.grain.label,
            "results": [
                {"start": start, "value": value, "gap": place in gaps}
                for place, (start, value) in pairs
            ],
        }


@described("percentiles", (*OF_DURATIONS, parameters.PERCENTS))
class OfPercentiles(Numbers):
    """The durations that parts of the requests stayed within. One query."""

    serializer_class = serializers.PercentilesSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        question = Question.parse(words)
        found = queries.percentiles(ranks=ranks(words), **of(question))
        results = [{"rank": rank, "duration": found[rank]} for rank in found]
        return {**asked(question), "results": results}


@described("histogram", OF_DURATIONS)
class OfHistogram(Numbers):
    """How many requests took how long. One query."""

    serializer_class = serializers.HistogramSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        question = Question.parse(words)
        bars = queries.histogram(**of(question))
        rows = zip(bars.edges, bars.edges[1:], bars.counts, strict=False)
        names = ("start", "end", "requests")
        results = [dict(zip(names, row, strict=True)) for row in rows]
        return {**asked(question), "results": results}


@described(
    "top",
    (
        *parameters.PERIOD,
        parameters.dimension(),
        parameters.COMPARE,
        *parameters.RANKED,
    ),
)
class OfTop(Numbers):
    """The largest keys of a dimension, in pages. Two queries, and the labels'; one more
    behind the last page."""

    serializer_class = serializers.TopSerializer

    def answer(self, words: dict[str, str]) -> dict[str, Any]:
        search, size = Search.parse(words), page_size(words)
        question = search.question
        found = queries.top(
            **search.arguments,
            limit=size,
            offset=(search.page - 1) * size,
            before=question.before,
        )
        if search.page > 1 and not found.rows:
            # Behind the last page: what there is on the others is told all the same.
            found = replace(queries.top(**search.arguments, limit=1), rows=())
        return {
            **asked(question, question.before),
            "by": search.by,
            "before": days(search.before),
            "total": found.total,
            "count": found.found,
            "page": search.page,
            "pages": max(1, -(-found.found // size)),
            "results": [
                {
                    "key": row.key,
                    "label": str(row.label.text),
                    "value": row.value,
                    "views": row.views,
                    "requests": row.requests,
                    "errors": row.errors,
                    "share": row.share,
                    "before": row.before,
                }
                for row in found.rows
            ],
        }


def refuse_choices(
    known: Collection[OpenApiParameter], words: Mapping[str, str]
) -> None:
    """Values that are none of a parameter's, by its name."""
    wrong = {
        one.name: [f"It must be of: {', '.join(one.enum)}."]
        for one in known
        if one.enum and one.name in words and words[one.name] not in one.enum
    }
    if wrong:
        raise ValidationError(wrong)


def of(question: Question) -> dict[str, Any]:
    """The arguments of the query module."""
    return {
        "period": question.period,
        "audiences": question.audiences,
        "dimension": question.dimension,
        "key": question.key,
        "site": question.site,
    }


def asked(question: Question, before: Period | None = None) -> dict[str, Any]:
    """What is answered, as it was understood; ``before`` is what is compared with."""
    return {
        "site": question.site or get_config().site,
        "period": days(question.period),
        "audience": question.audience,
        "dimension": question.dimension,
        "key": question.key,
        "note": queries.note(
            period=question.period, before=before, dimension=question.dimension
        ),
    }


def days(period: Period) -> dict[str, Any]:
    names = ("first", "last", "start", "end", "running")
    return {name: getattr(period, name) for name in names}


def ranks(words: dict[str, str]) -> list[float]:
    """Those asked for. Raises `BadQuestion`."""
    text = words.get("ranks", "")
    if not text:
        return list(RANKS)
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not 0 < len(found) <= MOST_RANKS or not all(0 <= one <= 100 for one in found):
        raise BadQuestion(f"Give up to {MOST_RANKS} ranks from 0 to 100, as 50,95.")
    return found


def page_size(words: dict[str, str]) -> int:
    """Raises `BadQuestion`."""
    text = words.get("page_size") or str(parameters.PAGE_SIZE)
    size = whole_number(text, parameters.MAX_PAGE_SIZE)
    if size is None:
        raise BadQuestion(f"A page has from 1 to {parameters.MAX_PAGE_SIZE} rows.")
    return size
