"""Parameters that an address does not know, or twice: refused by name, never ignored.

Reads the names of a request's query; the frame of the project's API asks here too.
"""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

NAME_LIMIT = 100


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raises `ValidationError`: a misspelt filter would else show everything, and of
    two only the last."""
    names = sorted({*known, "format"})
    unknown = [name for name in request.query_params if name not in names]
    if unknown:
        text = f"There is no such parameter. There are: {', '.join(names)}."
        errors = {name[:NAME_LIMIT]: [text] for name in unknown}
        raise ValidationError(errors, "unknown")
    if request.query_params.get("format") == "":
        raise ValidationError({"format": ["It is empty."]}, "blank")
    if double := [name for name, all in request.query_params.lists() if len(all) > 1]:
        raise ValidationError({name: ["It is there twice."] for name in double})
