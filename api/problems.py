"""What the API says when it refuses: problem details (RFC 9457), in every format.

``answer`` is Django REST framework's exception handler. Reads nothing but exceptions;
counts refused sign-ins. What nobody foresaw it leaves to Django, which logs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import OperationalError
from django.http import Http404
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from api.throttles import wait_after_refusal

PROBLEM_KINDS = {kind: f"application/problem+{kind}" for kind in ("json", "xml")}
"""Formats that have a type of their own for problems."""

Errors = dict[str, list[dict[str, str]]]


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The request is too large."


class Stale(exceptions.APIException):
    status_code = HTTPStatus.PRECONDITION_FAILED
    default_code = "stale"
    default_detail = "It was changed since you read it. Nothing was done: read it anew."


class Conflict(exceptions.APIException):
    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"
    default_detail = "Somebody else took that name or number a moment ago."


class InUse(Conflict):
    default_code = "in_use"


class Unavailable(exceptions.APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "Accounts cannot be looked up at the moment. Nothing was done."

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


CODES = {
    "invalid": "Some values cannot be taken; `errors` says which, and why.",
    "parse_error": "The body cannot be read as what its Content-Type says.",
    "not_authenticated": "No credential was sent.",
    "authentication_failed": "The credential is not, or no longer, good.",
    "credential_refused": "The credential is not, or no longer, good.",
    "otp_required": "The password is right; a code of the second factor is needed.",
    "otp_refused": "The code of the second factor is wrong, or was used before.",
    "permission_denied": "The credential is good, but its user may not do this.",
    "scope_missing": "The credential is good, but does not have the scope for this.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "The address does not take this method.",
    "not_acceptable": "The answer does not come in the format that was asked for.",
    "in_use": "It is needed by something else, and was not deleted.",
    "conflict": "Somebody else took that name or number a moment ago.",
    "stale": "If-Match names a version that is no longer the present one.",
    "too_large": "The body is larger than is read.",
    "unsupported_media_type": "The body is in a format that is not read.",
    "unavailable": "Accounts cannot be looked up; Retry-After says when to come back.",
    "throttled": "Too many requests; Retry-After says when to come back.",
}
"""Every code, and what it means. The readable description shows them."""


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The problem; None for what is no refusal but a fault of ours."""
    error = _translated(error)
    if not isinstance(error, exceptions.APIException):
        return None
    request = context.get("request")
    if isinstance(error, UNKNOWN_PERSON) and (wait := wait_after_refusal(request)):
        error = exceptions.Throttled(wait)
    set_rollback()
    return Response(
        body(error),
        status=error.status_code,
        headers=_headers(error),
        content_type=_content_type(request),
    )


UNKNOWN_PERSON = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)


def body(error: exceptions.APIException) -> dict[str, Any]:
    """The problem's members; ``errors`` where single fields are to blame."""
    code, detail = _code(error), _detail(error)
    found: dict[str, Any] = {
        "type": f"{reverse('v1:docs')}#problem-{code}",
        "title": HTTPStatus(error.status_code).phrase,
        "status": int(error.status_code),
        "detail": detail,
        "code": code,
    }
    if isinstance(error, exceptions.ValidationError):
        found["errors"] = errors_of(error.get_full_details())
    return found


def errors_of(details: Any) -> Errors:
    """Messages and codes by field, inner ones by dotted names; ``all`` is the whole."""
    found: Errors = {}
    for name, message in _flat(details, ""):
        found.setdefault(name or "all", []).append(message)
    return found


def _flat(details: Any, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(details, list):
        for place, inner in enumerate(details):
            is_message = "message" in inner
            yield from _flat(inner, name if is_message else _dotted(name, place))
    elif isinstance(details.get("message"), str):
        yield name, {"message": str(details["message"]), "code": str(details["code"])}
    else:
        for key, inner in details.items():
            yield from _flat(inner, _dotted(name, key))


def _dotted(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)


def _translated(error: Exception) -> Exception:
    """Django's refusals as Django REST framework's."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError("The request has more parts than are read.")
    if isinstance(error, OperationalError) and (wait := _wait(error)):
        return Unavailable(wait)
    return error


def _wait(error: OperationalError) -> int | None:
    """Of a database without which much goes on; of others it is a fault of ours."""
    return getattr(error, "retry_after", None)


def _code(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ValidationError):
        return "invalid"
    codes = error.get_codes()
    if isinstance(codes, dict):
        # A detail of several members, as that of a token that is no longer good.
        codes = error.default_code
    return str(codes) if str(codes) in CODES else str(error.default_code)


def _detail(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ValidationError):
        return CODES["invalid"].replace("`", "")
    if isinstance(error.detail, dict):
        return str(error.detail.get("detail", error.default_detail))
    return str(error.detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    found = {}
    if challenge := getattr(error, "auth_header", None):
        found["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        found["Retry-After"] = str(int(wait))
    return found


def _content_type(request: Any) -> str | None:
    """JSON and XML have types of their own for problems; others have none."""
    renderer = getattr(request, "accepted_renderer", None)
    return PROBLEM_KINDS.get(getattr(renderer, "format", "json"))
