"""What all views of the API have in common: bounds, conditions, and no surprises.

Reads the request's headers and the names of its parameters before anything else. A
body that is too large, or text that is not UTF-8, is refused before it is read.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.exceptions import (
    NotFound,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from api.conditions import tag
from api.problems import TooLarge

MAX_BYTES = 10 * 1024 * 1024
PRIVATE = "private, no-cache"
"""To be kept by the client alone, and to be asked for anew each time."""


class Bounded:
    """Before `APIView` in the bases of a view."""

    metadata_class = None
    parameters: frozenset[str] = frozenset()
    """Names that may be in the query, beside ``format``."""
    shown: Any = None
    """The object that the answer is about, for its ETag."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        refuse_body(request)
        super().initial(request, *args, **kwargs)
        refuse_parameters(request, self.known_parameters())

    def known_parameters(self) -> frozenset[str]:
        return self.parameters

    def finalize_response(
        self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", PRIVATE)
        patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
        data = getattr(response, "data", None)
        if data is None or response.status_code not in (200, 201):
            return response
        name = request.accepted_renderer.format
        response["ETag"] = tag(data, name, self.shown)
        if request.method not in ("GET", "HEAD"):
            return response
        response.render()
        return get_conditional_response(request, response["ETag"], response=response)


def refuse_body(request: Any) -> None:
    """By its headers alone."""
    limit = getattr(settings, "API_MAX_BYTES", MAX_BYTES)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise ParseError("Content-Length is no number.")
    if len(length) > 15 or int(length) > limit:
        raise TooLarge(f"The body has {length[:15]} bytes; {limit} are read.")
    charset = request.content_params.get("charset", "utf-8").strip('"').lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(
            request.content_type, f"The charset “{charset[:40]}” is not read: UTF-8 is."
        )


def refuse_parameters(request: Any, known: frozenset[str]) -> None:
    """A filter that is misspelt would else show everything."""
    names = sorted(known | {"format"})
    unknown = [name for name in request.query_params if name not in names]
    if unknown:
        text = f"There is no such parameter. There are: {', '.join(names)}."
        raise ValidationError({name[:100]: [text] for name in unknown}, "unknown")


def plain_body(data: Any) -> Any:
    """Of a form the same as of every other format: a dict of texts."""
    if not isinstance(data, QueryDict):
        return data
    doubles = [name for name, values in data.lists() if len(values) > 1]
    if doubles:
        raise ParseError(f"The form has “{doubles[0][:40]}” twice.")
    return {name: data[name] for name in data if name != "csrfmiddlewaretoken"}


class Nothing(Bounded, APIView):
    """For addresses that are none: a problem instead of a page."""

    permission_classes = [IsAuthenticated]
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super(Bounded, self).initial(request, *args, **kwargs)
        if request.path.endswith("/"):
            raise NotFound
        raise NotFound("There is nothing at this address. All end with a slash.")
