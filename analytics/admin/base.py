"""What the lists have in common: read-only, bounded counts, numbers for people."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .. import sites
from ..conf import get_config
from ..words import NOTHING, number

COUNT_LIMIT = 10_000
Text = str | Promise


class AtLeast(int):
    """Where counting stopped; it says so wherever it is shown."""

    def __str__(self) -> str:
        return _("%s or more") % number(int(self))


class BoundedPaginator(Paginator):
    """Counts no further than pages are looked at: a full COUNT reads the table."""

    @cached_property
    def count(self) -> int:
        count = self.object_list.order_by()[:COUNT_LIMIT].count()
        return AtLeast(count) if count == COUNT_LIMIT else count


class ReadOnlyAdmin(admin.ModelAdmin):
    """A list to look at. Who may view it is Django's ``view`` permission."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    # Counts by filter read the whole table, several times.
    show_facets = admin.ShowFacets.NEVER
    empty_text: Text = ""
    """What the empty list says: why, and what would fill it."""

    class Media:
        css = {"all": ("analytics/admin.css", "analytics/filters.css")}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        title = capfirst(self.opts.verbose_name_plural)
        context = {"title": title, "empty_text": self.empty_text}
        context |= extra_context or {}
        return super().changelist_view(request, context)


class SiteFilter(admin.SimpleListFilter):
    """One site at a time, our own unless the address names another: numbers of several
    are never mixed. Shown where there are several."""

    title = _("site")
    parameter_name = "site"
    template = "admin/analytics/site_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(site.name, str(site)) for site in sites.known()]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        chosen = self.value() or get_config().site
        for name, label in self.lookup_choices:
            yield {
                "selected": name == chosen,
                "query_string": changelist.get_query_string({"site": name}),
                "display": label,
            }

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet
    ) -> models.QuerySet:
        """An unknown site leads to the list of ours, with a message."""
        chosen = self.value() or get_config().site
        if chosen not in dict(self.lookup_choices):
            messages.warning(
                request, _("There is no site of this name: this is our own.")
            )
            raise IncorrectLookupParameters
        return queryset.filter(site=chosen)


def number_columns(names: Iterable[str], **labels: str) -> Callable[[type], type]:
    """Gives an admin class a column ``<name>_number`` for each field of integers, and
    those of ``labels`` another label than their name."""

    def decorate(admin_class: type) -> type:
        for name in names:
            setattr(
                admin_class, f"{name}_number", _column(name, labels.get(name, name))
            )
        return admin_class

    return decorate


def _column(name: str, label: str) -> Callable[[Any, models.Model], str]:
    @admin.display(description=_(label), ordering=name)
    def column(self: Any, row: models.Model) -> str:
        return number(getattr(row, name))

    return column


def local(instant: datetime.datetime | None) -> str:
    """A time in the current zone, as it sorts."""
    if instant is None:
        return NOTHING
    return date_format(timezone.localtime(instant), "Y-m-d H:i:s")


def span(length: datetime.timedelta) -> str:
    """A length of time in its largest unit that fits: '12 s', '3 min', '5 h'."""
    seconds = abs(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def visible(text: str) -> str:
    """``text`` with what does not print written as an escape, line ends apart."""
    return "".join(
        char
        if char.isprintable() or char == "\n"
        else char.encode("unicode_escape").decode()
        for char in text
    )
