"""The export of a list: exactly the rows that its filters and its search select.

A POST with a CSRF token although it changes nothing that is counted: it writes down
who took what, and no other site's link may do that in somebody's name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import models
from django.http import (
    HttpRequest,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from ..conf import get_config
from ..models import Audience
from ..reporting import exports, workbooks
from ..reporting.exports import GRAINS
from .base import number

Chunks = Iterator[bytes]
NO_FILTERS = ("p", "all", "e", "o", "_facets", "_popup", "_to_field")
"""Parameters of a list that say nothing about which rows it has."""
NAMED = {
    "site": str,
    "dimension": str,
    "grain__exact": lambda value: GRAINS[int(value)],
    "audience__exact": lambda value: Audience(int(value)).name,
}
"""Filters that a file's name has in words."""
NAME_LIMIT = 40
CSV = "text/csv; charset=utf-8"
JSON = "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write rows down."""

    name: str
    content_type: str
    chunks: Callable[[models.QuerySet], Chunks]
    verify: Callable[[models.QuerySet], None] | None = None
    """Raises TooManyRows for rows that it cannot hold."""

    @property
    def label(self) -> str:
        return self.name.upper()


FORMATS = (
    Format("csv", CSV, exports.csv_chunks),
    Format("xlsx", XLSX, workbooks.xlsx_chunks, workbooks.verify_size),
    Format("json", JSON, exports.json_chunks),
)


def get_formats() -> list[Format]:
    """The formats that this installation can write."""
    missing = () if workbooks.available() else ("xlsx",)
    return [each for each in FORMATS if each.name not in missing]


class ExportMixin:
    """Buttons above the list, for those who have the permission to export."""

    change_list_template = "admin/analytics/export_list.html"

    def has_export_permission(self, request: HttpRequest) -> bool:
        permission = f"{self.opts.app_label}.export_{self.opts.model_name}"
        may_see = self.has_view_or_change_permission(request)
        return may_see and request.user.has_perm(permission)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=self._url_name()), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        context = dict(extra_context or {})
        if self.has_export_permission(request):
            context["export_formats"] = get_formats()
            context["export_url"] = self._url("export", request)
        return super().changelist_view(request, context)

    @method_decorator(require_POST)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        found = {each.name: each for each in get_formats()}
        chosen = found.get(request.POST.get("format", ""))
        if chosen is None:
            raise BadRequest("There is no such format.")
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as error:
            raise BadRequest("The list has no such filter.") from error
        return self._export(request, chosen, rows)

    def _export(
        self, request: HttpRequest, chosen: Format, rows: models.QuerySet
    ) -> HttpResponseBase:
        try:
            if chosen.verify:
                chosen.verify(rows)
        except workbooks.TooManyRows as error:
            self.message_user(request, too_many(error, chosen.name), messages.ERROR)
            return HttpResponseRedirect(self._url("changelist", request))
        selected = _parameters(request, "o").urlencode() or "no filter"
        rows_of = capfirst(str(self.opts.verbose_name_plural))
        log_export(request, self.model, rows_of, f"{chosen.label}: {selected}")
        # What fails before anything is sent is an error page, not half a file.
        chunks = begun(chosen.chunks(rows))
        name = file_name(request.GET, chosen.name)
        return download(request, chosen.content_type, chunks, name)

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def _url(self, page: str, request: HttpRequest) -> str:
        """A page of this list with the filters, search and order of the request."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        address = reverse(f"{self.admin_site.name}:{name}")
        query = _parameters(request, "o").urlencode()
        return f"{address}?{query}" if query else address


def log_export(
    request: HttpRequest, model: type[models.Model], shown: str, taken: str
) -> None:
    """Into the history of the admin, where deletions and changes are, too."""
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_repr=shown[:200],
        action_flag=CHANGE,
        change_message=f"Exported as {taken}.",
    )


def _parameters(request: HttpRequest, *kept: str) -> QueryDict:
    """What selects rows, without what turns pages."""
    query = request.GET.copy()
    for name in NO_FILTERS:
        if name not in kept:
            query.pop(name, None)
    return query


def file_name(query: QueryDict, ending: str) -> str:
    """``rollups-<site>-<filters>-<date>``, in letters that every system takes."""
    named = {"site": get_config().site} | {
        name: query[name] for name in NAMED if query.get(name)
    }
    words = [_word(name, value) for name, value in named.items()]
    if set(query) - set(NAMED) - set(NO_FILTERS):
        words.append("filtered")
    today = f"{timezone.localdate():%Y-%m-%d}"
    return "-".join(filter(None, ["rollups", *words, today])) + f".{ending}"


def _word(name: str, value: str) -> str:
    try:
        return slugify(NAMED[name](value))[:NAME_LIMIT]
    except (KeyError, ValueError):
        return ""


def too_many(error: workbooks.TooManyRows, format: str) -> str:
    """Why there is no such file, in sentences."""
    text = gettext(
        "Nothing was exported: more than %(limit)s rows are selected, and "
        "%(format)s takes no more. Take CSV, which takes all, or a filter."
    )
    return text % {"limit": number(error.limit), "format": format.upper()}


def begun(chunks: Chunks) -> Chunks:
    """The same chunks, of which the first has been made already."""
    return _resumed(next(chunks, b""), chunks)


def _resumed(first: bytes, chunks: Chunks) -> Chunks:
    try:
        yield first
        yield from chunks
    finally:
        chunks.close()


def download(
    request: HttpRequest, content_type: str, chunks: Chunks, name: str
) -> StreamingHttpResponse:
    """Streams: an exception on the way breaks the connection off, as it should."""
    content = _asynchronous(chunks) if isinstance(request, ASGIRequest) else chunks
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _asynchronous(chunks: Chunks) -> AsyncIterator[bytes]:
    """Made in the thread of the request, which has the connection to the database."""
    advance = sync_to_async(next, thread_sensitive=True)
    try:
        while (chunk := await advance(chunks, None)) is not None:
            yield chunk
    finally:
        await sync_to_async(chunks.close, thread_sensitive=True)()
