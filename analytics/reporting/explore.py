"""All keys of a dimension: searched, ranked, page by page, beside the time before.

Reads the query module; knows neither requests nor templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from ..recording.event import clean
from ..rollup.dimensions import Dimension
from ..words import change, number, signed, trend
from . import dimension_menu, queries
from .measures import Top, TopRow, User
from .periods import Period
from .question import BadQuestion, Question, whole_number

PAGE_ROWS = 50
LAST_PAGE = 10_000
RANKINGS = ("views", "requests", "errors")
SEARCH_LIMIT = 100
GOOD = {"views": 1, "errors": -1}
"""Whether more is better, where that can be said."""


@dataclass(frozen=True, slots=True)
class Search:
    """What an address asks for, beside the `Question`."""

    question: Question
    by: str = "views"
    text: str = ""
    page: int = 1

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> Search:
        """Raises `BadQuestion`."""
        site = words.get("site", "")
        dimension = words.get("dimension") or dimension_menu.first(site).name
        question = Question.parse({**words, "dimension": dimension, "measure": ""})
        by = words.get("by") or "views"
        if by not in RANKINGS:
            raise BadQuestion(_("Keys are ranked by one of %s.") % ", ".join(RANKINGS))
        page = whole_number(words.get("page") or "1", LAST_PAGE)
        if page is None:
            raise BadQuestion(_("A page is a number from 1 on."))
        question = replace(question, key="")
        return cls(question, by, clean(words.get("q", ""), SEARCH_LIMIT), page)

    @property
    def dimension(self) -> Dimension:
        return queries.dimension_of(self.question.dimension)

    @property
    def before(self) -> Period:
        """What is compared with, as far as rows of the dimension tell it."""
        return self.question.before.of_dimension(self.dimension)

    @property
    def arguments(self) -> dict[str, Any]:
        """Of the query module: which keys, of which time, by what."""
        return {
            "dimension": self.question.dimension,
            "period": self.question.period,
            "audiences": self.question.audiences,
            "measure": self.by,
            "search": self.text,
            "site": self.question.site,
        }

    def query(self, **changes: str) -> str:
        """The address's query with some words changed; a change leads to page 1."""
        words = {"by": self.by} | ({"q": self.text} if self.text else {})
        return self.question.query(**(words | changes))

    def at(self, page: int) -> str:
        """The query of a page."""
        return self.query(page=str(page))


@dataclass(frozen=True, slots=True)
class Row:
    """A key, as people read it."""

    row: TopRow
    change: str
    trend: str
    """``good``, ``bad`` or empty."""
    url: str
    """The overview of this key alone."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of keys."""

    search: Search
    top: Top
    rows: tuple[Row, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.top.found // PAGE_ROWS))

    @property
    def found_text(self) -> str:
        return number(self.top.found)

    @property
    def previous(self) -> str:
        """The query of the page before, if there is one."""
        return self.search.at(self.search.page - 1) if self.search.page > 1 else ""

    @property
    def next(self) -> str:
        return self.search.at(self.search.page + 1) * (self.search.page < self.pages)

    def for_user(self, user: User) -> Found:
        """Without the links that lead where the user may not go."""
        rows = tuple(replace(one, row=one.row.for_user(user)) for one in self.rows)
        return replace(self, rows=rows)


def explore(search: Search) -> Found:
    """The keys; behind the last page, those of the first. Two queries, and those of
    the labels."""
    top = queries.top(
        **search.arguments,
        limit=PAGE_ROWS,
        offset=(search.page - 1) * PAGE_ROWS,
        before=search.question.before,
    )
    if search.page > 1 and not top.rows:
        return explore(replace(search, page=1))
    compared = any(row.before for row in top.rows)
    return Found(search, top, tuple(_row(search, row, compared) for row in top.rows))


def as_dict(found: Found) -> dict[str, Any]:
    """The same for programs."""
    return {
        "dimension": found.top.dimension.name,
        "measure": found.search.by,
        "total": found.top.total,
        "found": found.top.found,
        "page": found.search.page,
        "pages": found.pages,
        "rows": [
            {
                "key": one.row.key,
                "label": one.row.label.text,
                "value": one.row.value,
                "before": one.row.before,
                "requests": one.row.requests,
                "errors": one.row.errors,
                "share": round(one.row.share, 4),
            }
            for one in found.rows
        ],
    }


def _row(search: Search, row: TopRow, compared: bool) -> Row:
    """``compared``: whether there was anything in the time before."""
    growth = change(row.value, row.before)
    text = _("new") if compared and not row.before else ""
    question = replace(search.question, key=row.key)
    return Row(
        row,
        text if growth is None else signed(growth),
        trend(growth, GOOD.get(search.by, 0)),
        question.query(),
    )
