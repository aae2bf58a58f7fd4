"""What a request line asked for: method, route, view, campaign.

Reads the project's URL patterns; of a query string its utm_* words. Paths are resolved
as Django does it for a request, and remembered, for most come again and again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from mimetypes import MimeTypes
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.encoding import repercent_broken_unicode
from django.utils.translation import get_language_from_path, override

from ..recording.event import KWARG_LIMIT, clean
from ..recording.headers import campaign
from ..rollup.dimensions import declared_kwargs

REMEMBERED = 16_384
LONG = 500
"""Longer lines are not remembered: whoever sends them sends each once."""
PAGES = (None, "text/html", "application/xhtml+xml")
_REQUEST = re.compile(
    r"([A-Za-z][A-Za-z_-]{0,19}) (?:https?://[^/?]*)?([/?*]\S*)(?: HTTP/[\d.]{1,5})?"
)
_TYPES = MimeTypes()
"""The types that Python itself knows: the same on every machine."""


class Target(NamedTuple):
    """What was asked for."""

    method: str
    route: str = ""
    view: str = ""
    kwargs: Mapping[str, str] = {}
    page: bool = False
    """Whether it would be a page, if answered well."""
    campaign: str = ""
    path: str = ""
    """As it was asked for."""


class Targets:
    """Finds targets, each once."""

    def __init__(self, ignore: tuple[str, ...], own: bool = True) -> None:
        self._ignore = ignore
        self._own = own
        self._declared = declared_kwargs()
        self._languages = is_language_prefix_patterns_used(settings.ROOT_URLCONF)[0]
        self._prefix = get_script_prefix()
        self._known = lru_cache(REMEMBERED)(self._find)
        self._place = lru_cache(REMEMBERED)(self._resolve)
        self._campaign = lru_cache(REMEMBERED)(campaign)

    def __call__(self, request: str) -> Target | None:
        """None for a path that is ignored, and for what is no request to the site."""
        return self._known(request) if len(request) < LONG else self._find(request)

    def _find(self, request: str) -> Target | None:
        found = _REQUEST.fullmatch(request)
        if found is None or request.startswith("PRI "):
            return None
        method, asked = found.groups()
        path, _, query = asked.partition("?")
        path = _decoded(path)
        inside = self._inside(path)
        if inside.startswith(self._ignore):
            return None
        route, view, kwargs, shown = self._place(inside[:2_000])
        return Target(
            clean(method, 20),
            route,
            view,
            kwargs,
            shown and method == "GET",
            self._campaign(query) if "utm_" in query else "",
            clean(path),
        )

    def _inside(self, path: str) -> str:
        """Of a path that part which patterns and ``ANALYTICS_IGNORE`` speak of."""
        if path.startswith(self._prefix):
            return "/" + path[len(self._prefix) :]
        return path

    def _resolve(self, path: str) -> tuple[str, str, Mapping[str, str], bool]:
        """Route, view and declared keyword arguments, empty where nothing is found or
        the patterns are another site's; and whether it is called as pages are."""
        shown = _TYPES.guess_type(path)[0] in PAGES
        if not self._own:
            return "", "", {}, shown
        try:
            match = self._match(path)
        except Resolver404:
            return "", "", {}, False
        view = match.view_name or ""
        kwargs = {
            name: clean(str(match.kwargs[name]), KWARG_LIMIT)
            for name in self._declared.get(view, ())
            if name in match.kwargs
        }
        return clean(f"/{match.route}"), clean(view), kwargs, shown

    def _match(self, path: str):
        if not self._languages:
            return resolve(path)
        with override(get_language_from_path(path) or settings.LANGUAGE_CODE):
            return resolve(path)


def _decoded(path: str) -> str:
    """As Django decodes the path of a request."""
    raw = unquote_to_bytes(path.encode("latin-1"))
    return repercent_broken_unicode(raw).decode()
