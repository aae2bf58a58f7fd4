"""Whole dimensions in one answer, which streams: every key, and the series of each.

Reads the query module in batches. Needs the permission to export beside the one to
look, and writes into the admin's log who took what, as downloads of the pages do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.fields import DateTimeField
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..admin.exporting import begun, download, log_export
from ..models import Rollup
from ..recording.event import clean
from ..reporting import queries
from ..reporting.explore import Search
from ..reporting.measures import UnknownName
from ..reporting.pages import EXPORT_PERMISSION
from ..reporting.question import BadQuestion, Question
from . import parameters, serializers, streams
from .serializers import rounded
from .views import Numbers, asked, days, described, of

Batches = Iterator[list[tuple[Any, ...]]]
WORDS_LIMIT = 500
"""So much of what was asked is in the log."""


class MayExport(BasePermission):
    """Who may download all of it in the admin."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm(EXPORT_PERMISSION)


class NotByLink(BasePermission):
    """A link on another site would have its follower written down as who took it."""

    message = _("Not by a link on another site.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        crossed = request.headers.get("Sec-Fetch-Site") == "cross-site"
        return request.auth is not None or not crossed


class Long(Numbers):
    """What both have in common."""

    permission_classes: ClassVar = [
        *Numbers.permission_classes,
        MayExport,
        NotByLink,
    ]
    name = ""

    def answer(self, words: dict[str, str]) -> tuple[Question, dict[str, Any], Batches]:
        """What was asked, what is said beside the rows, and the rows."""
        raise NotImplementedError

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = self.begun(request)
        except (BadQuestion, UnknownName) as error:
            raise ValidationError({"all": [str(error)]}) from error
        if request.method != "HEAD":
            words = clean(request.META.get("QUERY_STRING", ""), WORDS_LIMIT)
            log_export(request, Rollup, f"API: {self.name}", words)
        return response

    def begun(self, request: Request) -> HttpResponseBase:
        """With the first rows made: what fails before them is a problem."""
        question, head, rows = self.answer(request.query_params.dict())
        names = list(self.serializer_class().fields["results"].child.fields)
        format = request.accepted_renderer.format
        content_type, chunks = streams.CHUNKS.get(format, ("", None))
        if chunks is None:
            found = head | {"results": streams.whole(names, rows, format)}
            return Response(self.serializer_class(found).data)
        said = self.serializer_class(head | {"results": []}).data
        del said["results"]
        body = nothing() if request.method == "HEAD" else chunks(said, names, rows)
        file = f"{self.name}-{question.dimension}-{question.audience}.{format}"
        return download(request._request, content_type, begun(body), file)


@described(
    "keys",
    (
        *parameters.PERIOD,
        parameters.dimension(),
        parameters.COMPARE,
        *parameters.RANKED[:2],
    ),
)
class OfKeys(Long):
    """All keys of a dimension, the largest first: what `top` has on all its pages.

    CSV and JSON stream, however many there are; other formats take 10 000 keys.
    """

    serializer_class = serializers.KeysSerializer
    name = "keys"

    def answer(self, words: dict[str, str]) -> tuple[Question, dict[str, Any], Batches]:
        search = Search.parse(words)
        question = search.question
        found = queries.every(**search.arguments, before=question.before)
        head = asked(question, question.before)
        head |= {"by": search.by, "before": days(search.before)}
        return question, head, ([_key(row) for row in batch] for batch in found)


def _key(row: Any) -> tuple[Any, ...]:
    sums = (row.value, row.views, row.requests, row.errors)
    return (row.key, str(row.label.text), *sums, rounded(row.share), row.before)


@described(
    "key_series", (*parameters.PERIOD, parameters.dimension(), parameters.SERIES)
)
class OfKeySeries(Long):
    """One measure of every key of a dimension, in each hour or day of a period.

    Keys in their order; what has nothing counted is left out. CSV and JSON stream,
    however long they are; other formats take 10 000 rows.
    """

    serializer_class = serializers.KeySeriesSerializer
    name = "key-series"

    def answer(self, words: dict[str, str]) -> tuple[Question, dict[str, Any], Batches]:
        question = Question.parse(words)
        whole = {name: it for name, it in of(question).items() if name != "key"}
        found = queries.every_series(measure=question.measure, **whole)
        dimension = queries.dimension_of(question.dimension)
        period = question.period.of_dimension(dimension)
        head = {"measure": question.measure, "grain": period.grain.label}
        return question, asked(question) | head, _points(dimension, period, found)


def _points(dimension: Any, period: Any, found: Any) -> Batches:
    buckets, shown = period.buckets(), DateTimeField().to_representation
    start = cache(lambda place: shown(buckets[place]))
    for batch in found:
        labels = queries.labels_of(dimension, list({key: None for key, *_ in batch}))
        texts = {key: str(label.text) for key, label in labels.items()}
        yield [
            (key, texts[key], start(place), None if value is None else rounded(value))
            for key, place, value in batch
        ]


def nothing() -> Iterator[bytes]:
    yield from ()
