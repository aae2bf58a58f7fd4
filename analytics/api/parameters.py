"""What an address of the analytics API may ask with: the words of the pages' addresses.

Names, and what they mean, in one place: what is not here is refused, and the API's
description lists it. Queries nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from drf_spectacular.utils import OpenApiParameter

from ..reporting.explore import LAST_PAGE, RANKINGS
from ..reporting.measures import MEASURES, RANKS
from ..reporting.periods import COMPARISONS, DEFAULT, RANGES
from ..reporting.question import AUDIENCES
from ..rollup.dimensions import get_dimensions

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000


def _text(name: str, description: str, **more: object) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=description, **more)


def _number(most: int) -> dict[str, object]:
    return {"type": "integer", "minimum": 1, "maximum": most}


SITE = _text("site", "One of the registered sites; that of the dashboard by default.")
PERIOD = (
    _text("range", f"Days by name; `{DEFAULT}` if none are given.", enum=list(RANGES)),
    _text("from", "The first day, YYYY-MM-DD, instead of a range."),
    _text("to", "The last day, YYYY-MM-DD, included."),
    _text("audience", "Whose requests; `people` by default.", enum=list(AUDIENCES)),
    SITE,
)
COMPARE = _text("compare", "What the period is compared with.", enum=list(COMPARISONS))
KEY = _text("key", "One key of the dimension: see `dimensions`.")
SERIES = _text("measure", "What is drawn; `views` by default.", enum=list(MEASURES))
RANKED = (
    _text("by", "The sum that ranks the keys; `views` by default.", enum=RANKINGS),
    _text("q", "Only keys that have this in their text."),
    OpenApiParameter("page", _number(LAST_PAGE), description="From 1 on."),
    OpenApiParameter(
        "page_size",
        _number(MAX_PAGE_SIZE),
        description=f"Rows in a page, at most {MAX_PAGE_SIZE}; {PAGE_SIZE} by default.",
    ),
)
PERCENTS = _text(
    "ranks",
    "Percentiles, from 0 to 100, with commas between; "
    f"`{','.join(map(str, RANKS))}` by default.",
)


def dimension(names: Iterable[str] | None = None) -> OpenApiParameter:
    """The parameter of a view that asks for one of the declared dimensions."""
    names = names or (one.name for one in get_dimensions())
    return _text("dimension", "What requests are counted by.", enum=list(names))
