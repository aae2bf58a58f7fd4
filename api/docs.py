"""The readable page of the API, made of its description, for members of staff.

Reads the description that drf-spectacular generates; no script runs in the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from api.description import VERBS, Described, description
from api.problems import CODES


@require_safe
@staff_member_required(login_url="admin:login")
def docs(request: HttpRequest) -> HttpResponse:
    found = description()
    context = admin.site.each_context(request) | {
        "title": "API",
        "api": found,
        "groups": groups(found),
        "codes": {code: text.replace("`", "") for code, text in CODES.items()},
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "api/docs.html", context)


def groups(found: Described) -> list[tuple[str, list[Described]]]:
    """The operations, by what they are about."""
    sorted_by_tag: dict[str, list[Described]] = {}
    for operation in operations(found):
        sorted_by_tag.setdefault(operation["tag"], []).append(operation)
    return list(sorted_by_tag.items())


def operations(found: Described) -> Iterator[Described]:
    for path, verbs in found["paths"].items():
        for verb in VERBS:
            if verb in verbs:
                yield shown(found, path, verb, verbs[verb])


def shown(found: Described, path: str, verb: str, operation: Described) -> Described:
    """What the page tells of an operation."""
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "verb": verb.upper(),
        "path": path,
        "tag": operation.get("tags", ["other"])[0],
        "about": about(operation),
        "text": operation.get("description", ""),
        "parameters": [parameter(each) for each in operation.get("parameters", [])],
        "reads": list(body),
        "fields": list(fields(found, next(iter(body.values()), {}).get("schema", {}))),
        "answers": list(answers(found, operation["responses"])),
        "members": list(members(found, operation["responses"])),
    }


ABOUT = {
    "list": "A page of them.",
    "create": "Adds one.",
    "retrieve": "One of them.",
    "update": "Changes all of one.",
    "partial_update": "Changes some of one.",
    "destroy": "Deletes one.",
}
"""What is done to what a viewset is about, which is all that its operations tell."""


def about(operation: Described) -> str:
    """In one sentence."""
    verb = operation["operationId"].partition("_")[2]
    if verb in ABOUT:
        return ABOUT[verb]
    text = words(operation).replace("\n", " ").partition(". ")[0]
    return text.rstrip(".") + "."


def parameter(found: Described) -> Described:
    schema = found.get("schema", {})
    values = schema.get("enum") or schema.get("items", {}).get("enum", [])
    text = words(found)
    choices = "One of: " + ", ".join(map(str, values)) if values else ""
    return {
        "name": found["name"],
        "place": found["in"],
        "kind": kind(schema),
        "text": f"{text} {choices}".strip(),
    }


def words(found: Described) -> str:
    """What is said of it, without the marks of code."""
    return found.get("description", "").replace("`", "").strip()


def kind(schema: Described) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    inner = schema.get("items")
    if inner is not None:
        return f"list of {kind(inner)}"
    return schema.get("format") or schema.get("type") or "value"


def fields(found: Described, schema: Described) -> Iterator[Described]:
    """Name, kind and meaning of an object's members, or of those of a list."""
    schema = resolved(found, schema.get("items", schema))
    for name, member in schema.get("properties", {}).items():
        yield {
            "name": name,
            "kind": kind(member),
            "schema": inside(found, member),
            "needed": name in schema.get("required", ()),
            "read_only": member.get("readOnly", False),
            "text": words(member),
        }


def members(found: Described, responses: Described) -> Iterator[Described]:
    """What is in the answer if all went well, inner names behind a dot."""
    good = responses.get("200") or responses.get("201") or {}
    content = next(iter(good.get("content", {}).values()), {})
    yield from inner(found, content.get("schema", {}), "")


def inner(found: Described, schema: Described, before: str) -> Iterator[Described]:
    for each in fields(found, schema):
        yield each | {"name": before + each["name"]}
        if each["schema"]:
            yield from inner(found, each["schema"], f"{before}{each['name']}.")


def inside(found: Described, member: Described) -> Described:
    """The object, or the one of a list, that a member is; else nothing."""
    schema = member.get("items", member)
    schema = next(iter(schema.get("allOf", [])), schema)
    return schema if "properties" in resolved(found, schema) else {}


def resolved(found: Described, schema: Described) -> Described:
    name = schema.get("$ref", "").rpartition("/")[2]
    return found["components"]["schemas"][name] if name else schema


def answers(found: Described, responses: Described) -> Iterator[Described]:
    for status in sorted(responses):
        answer = responses[status]
        content = next(iter(answer.get("content", {}).values()), {})
        yield {
            "status": status,
            "title": HTTPStatus(int(status)).phrase,
            "text": answer.get("description", ""),
            "kind": kind(content["schema"]) if content else "",
        }
