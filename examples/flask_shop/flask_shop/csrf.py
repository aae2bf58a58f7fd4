"""Protection of the forms: a token in the signed session, and again in the form.

Reads both of every request that could change something, before any view is called;
refuses it with 400 if they are not the same. Sets the session's cookie only where a
form is shown.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest

from flask import Flask, request, session
from werkzeug.exceptions import BadRequest

FIELD = "csrf_token"
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


class FormExpired(BadRequest):
    description = "The form has expired, or is not ours. Please fill it in again."


def token() -> str:
    """The token of this visitor's session, made when first a form needs it."""
    return session.setdefault(FIELD, secrets.token_urlsafe(32))


def check() -> None:
    if request.method in SAFE or request.routing_exception is not None:
        return
    kept, sent = session.get(FIELD, ""), request.form.get(FIELD, "")
    if not kept or not compare_digest(kept.encode(), sent.encode()):
        raise FormExpired


def protect_forms(app: Flask) -> None:
    app.before_request(check)
    app.add_template_global(token, FIELD)
