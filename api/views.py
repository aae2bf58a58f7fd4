"""What all views of the API have in common: bounds, conditions, and no surprises.

Reads the request's headers and the names of its parameters before anything else. A
body that is too large, or text that is not UTF-8, is refused before it is read.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.refusals import refuse_unknown
from api.conditions import tag
from api.description import addresses
from api.permissions import StaffOrCredential
from api.problems import Stale, TooLarge

MAX_BYTES = 10 * 1024 * 1024
PRIVATE = "private, no-cache"
"""To be kept by the client alone, and to be asked for anew each time."""
NOT_SHOWN = "It is no longer the version that If-Match names."


class Bounded:
    """Before `APIView` in the bases of a view."""

    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    parameters: frozenset[str] = frozenset()
    """Names that may be in the query, beside ``format``."""
    shown: Any = None
    """The object that the answer is about, for its ETag."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        refuse_body(request)
        super().initial(request, *args, **kwargs)
        # What is no method here is told so, whatever its parameters.
        if request.method in self.allowed_methods:
            refuse_unknown(request, self.known_parameters())

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
        found = get_conditional_response(request, response["ETag"], response=response)
        if found.status_code != HTTPStatus.PRECONDITION_FAILED:
            return found
        refusal = self.handle_exception(Stale(NOT_SHOWN))
        return self.finalize_response(request, refusal, *args, **kwargs)


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


def plain_body(data: Any) -> Any:
    """Of a form the same as of every other format: a dict of texts."""
    if not isinstance(data, QueryDict):
        return data
    doubles = [name for name, values in data.lists() if len(values) > 1]
    if doubles:
        raise ParseError(f"The form has “{doubles[0][:40]}” twice.")
    return {name: data[name] for name in data if name != "csrfmiddlewaretoken"}


class Index(Bounded, APIView):
    """What there is: every address that takes no number, and its methods."""

    permission_classes = [IsAuthenticated, StaffOrCredential]
    schema = None

    def get(self, request: Any) -> Response:
        return Response({"results": list(addresses())})


class Nothing(Bounded, APIView):
    """For addresses that are none: a problem instead of a page."""

    permission_classes = [IsAuthenticated]
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super(Bounded, self).initial(request, *args, **kwargs)
        if request.path.endswith("/"):
            raise NotFound
        raise NotFound("There is nothing at this address. All end with a slash.")
