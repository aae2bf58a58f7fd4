"""The pages for what went wrong: in the shop's look, and telling nothing of inside.

Reads the error; asks neither the database nor the session, which may be the cause.
"""

from __future__ import annotations

from flask import Flask, render_template
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    SecurityError,
)

from .csrf import FormExpired

TITLES = {
    400: "We did not understand that",
    404: "There is no such page",
    405: "That is not possible here",
    413: "That is too much",
    500: "Something broke, and it was not you",
}


def show(error: HTTPException) -> tuple[str, int] | HTTPException:
    """A page of ours; redirects, which come this way too, as they are.

    Under a host name that is not ours no address of ours can be written.
    """
    code = error.code or InternalServerError.code
    if isinstance(error, SecurityError):
        return BadRequest()
    if code < 500 and code not in TITLES:
        return error
    title = TITLES.get(code, TITLES[500])
    said = error.description if isinstance(error, FormExpired) else ""
    return render_template("error.html", code=code, title=title, said=said), code


def show_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, show)
