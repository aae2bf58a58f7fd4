"""The description of the API (OpenAPI 3): where it is served, and what we add to it.

What serializers and views say drf-spectacular reads; here are the answers that every
operation may give, because `api.problems` and `api.conditions` give them.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.settings import api_settings

from api.permissions import StaffOrCredential
from api.problems import CODES

PROBLEM = "Problem"
VERBS = ("get", "put", "post", "patch", "delete")
EVERYWHERE = {
    "400": "A parameter or a value that cannot be taken.",
    "401": "No credential, or one that is not good.",
    "403": "The credential is not good for this.",
    "406": "The answer does not come in that format.",
    "429": "Too many requests; Retry-After says when to come back.",
}
WITH_BODY = {
    "409": "In use, or taken by somebody else a moment ago.",
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


def add_problems(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """A hook of drf-spectacular, called when all else is described."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas[PROBLEM] = problem_schema()
    for path, operations in result["paths"].items():
        for verb in VERBS:
            if verb in operations:
                complete(operations[verb], verb, "{" in path)
    return result


def complete(operation: dict[str, Any], verb: str, of_one: bool) -> None:
    """The answers, the parameters and the headers that an operation has anyway."""
    texts = dict(EVERYWHERE) | (OF_ONE if of_one else {})
    if verb == "get":
        operation["responses"]["304"] = {"description": "Not changed: If-None-Match."}
        texts |= MATCHED | ({} if of_one else OF_PAGES)
        header(operation, "If-None-Match", "Answer only if the ETag is another one.")
    else:
        texts |= WITH_BODY
    if of_one and verb in ("put", "patch", "delete"):
        texts |= MATCHED
        header(operation, "If-Match", "Do it only if this is still the ETag.")
    for status, text in texts.items():
        operation["responses"].setdefault(status, problem(text))


def problem(text: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}
    kinds = ["application/problem+json", "application/problem+xml"]
    kinds += [each.media_type for each in api_settings.DEFAULT_RENDERER_CLASSES[2:]]
    return {"description": text, "content": dict.fromkeys(kinds, schema)}


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
