"""The description of the API (OpenAPI 3): where it is served, and what we add to it.

What serializers and views say drf-spectacular reads; here are the answers that every
operation may give, because `api.problems` and `api.conditions` give them.
"""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.settings import api_settings

from api.permissions import StaffOrCredential
from api.problems import CODES, PROBLEM_KINDS
from api.views import Bounded

PROBLEM = "Problem"
EVERYWHERE = {
    "400": "A parameter or a value that cannot be taken.",
    "401": "No credential, or one that is not good.",
    "406": "The answer does not come in that format.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "Accounts cannot be looked up; Retry-After says when to come back.",
}
TO_SOME = {"403": "The credential is not good for this."}
OF_ROWS = {"409": "In use, or taken by somebody else a moment ago."}
WITH_BODY = {
    "413": "The body is too large.",
    "415": "The body is in a format that is not read.",
}
OF_ONE = {"404": "There is no such object."}
OF_PAGES = {"404": "There is no such page."}
MATCHED = {"412": "If-Match names a version that is no longer the present one."}
SENTENCE = {"type": "string"}


class Schema(SpectacularAPIView):
    """The description, as YAML or JSON, for members of staff and for scripts."""

    permission_classes = [IsAuthenticated, StaffOrCredential]
    throttle_classes = api_settings.DEFAULT_THROTTLE_CLASSES

    def finalize_response(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response


def add_problems(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """A hook of drf-spectacular, called when all else is described."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas[PROBLEM] = problem_schema()
    for path, _, method, callback in generator.endpoints:
        view = generator.create_view(callback, method)
        path = generator.coerce_path(path, method, view)
        operation = result["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            complete(operation, method.lower(), view)
    return result


def complete(operation: dict[str, Any], verb: str, view: Any) -> None:
    """The answers, the parameters and the headers that an operation has anyway."""
    for status, text in refusals(verb, view).items():
        operation["responses"].setdefault(status, problem(text, view))
    if not isinstance(view, Bounded):
        return
    if verb == "get":
        operation["responses"]["304"] = {"description": "Not changed: If-None-Match."}
        header(operation, "If-None-Match", "Answer only if the ETag is another one.")
    elif of_one(view):
        header(operation, "If-Match", "Do it only if this is still the ETag.")


def refusals(verb: str, view: Any) -> dict[str, str]:
    """What the view may refuse, by status."""
    found = dict(EVERYWHERE)
    if AllowAny not in view.permission_classes:
        found |= TO_SOME
    if of_one(view):
        found |= OF_ONE
    if getattr(view, "action", "") == "list":
        found |= OF_PAGES
    if verb != "get":
        found |= WITH_BODY
    if isinstance(view, Bounded):
        found |= MATCHED if verb == "get" or of_one(view) else {}
        found |= OF_ROWS if verb != "get" else {}
    return found


def of_one(view: Any) -> bool:
    return bool(getattr(view, "detail", False))


def problem(text: str, view: Any) -> dict[str, Any]:
    """A refusal, in every format that the view writes."""
    schema = {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}
    kinds = [kind_of(each) for each in view.renderer_classes]
    return {"description": text, "content": dict.fromkeys(kinds, schema)}


def kind_of(renderer: Any) -> str:
    own = PROBLEM_KINDS.get(renderer.format)
    return own or renderer.media_type


def header(operation: dict[str, Any], name: str, text: str) -> None:
    operation.setdefault("parameters", []).append(
        {"in": "header", "name": name, "description": text, "schema": SENTENCE}
    )


def problem_schema() -> dict[str, Any]:
    message = {
        "type": "object",
        "properties": {"message": SENTENCE, "code": SENTENCE},
        "required": ["message", "code"],
    }
    return {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": SENTENCE,
            "status": {"type": "integer"},
            "detail": SENTENCE,
            "code": {"type": "string", "enum": list(CODES)},
            "errors": {
                "type": "object",
                "description": "By field; `all` is about the whole.",
                "additionalProperties": {"type": "array", "items": message},
            },
        },
        "required": ["type", "title", "status", "detail", "code"],
    }
