"""What Explore shows on its way out: all keys that are found, as CSV, XLSX or JSON.

Reads the query module, some keys at a time, so that memory does not grow with their
number. Writes a temporary file of keys. Never leaves a key out: where one cannot be
exported the chunks end with an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.text import slugify

from . import queries, workbooks
from .explore import Search
from .exports import csv_field, csv_lines, json_objects

COLUMNS = (
    "dimension",
    "key",
    "label",
    "audience",
    "from",
    "to",
    "views",
    "requests",
    "errors",
    "ranked_by",
    "share_percent",
    "before",
    "compared_with",
)
"""``share_percent`` and ``before`` are of the sum that ranks the keys."""
SHARE_DIGITS = 4
NAME_LIMIT = 40

Text = Callable[[str], Any]


def available() -> list[str]:
    """The formats that this installation can write."""
    return ["csv", *(["xlsx"] if workbooks.available() else []), "json"]


def csv_chunks(search: Search) -> Iterator[bytes]:
    """UTF-8, a line with the columns' names first; texts safe from spreadsheets."""
    return csv_lines(COLUMNS, rows(search, csv_field))


def json_chunks(search: Search) -> Iterator[bytes]:
    """An array with an object for each key, closed only when all are in it."""
    return json_objects(COLUMNS, rows(search, str))


def xlsx_chunks(search: Search) -> Iterator[bytes]:
    """Raises `workbooks.TooManyRows`."""
    verify_size(search)
    return workbooks.workbook("keys", COLUMNS, lambda text: rows(search, text))


def verify_size(search: Search) -> None:
    """Raise `workbooks.TooManyRows` unless a workbook takes all keys. One query."""
    limit = workbooks.ROWS
    if queries.top(**search.arguments, limit=1).found > limit:
        raise workbooks.TooManyRows(limit)


def rows(search: Search, text: Text) -> Iterator[list[tuple[Any, ...]]]:
    """The values of `COLUMNS` of all keys, in batches and in the page's order."""
    question, period = search.question, search.question.period
    before = search.before
    about = text(question.dimension)
    asked = (text(question.audience), f"{period.first}", f"{period.last}")
    compared = text(f"{before}, {before.part}" if before.part else f"{before}")
    found = queries.every(**search.arguments, before=question.before)
    for batch in found:
        yield [
            (
                about,
                text(row.key),
                text(str(row.label.text)),
                *asked,
                *(row.views, row.requests, row.errors, search.by),
                *(round(row.share, SHARE_DIGITS), row.before, compared),
            )
            for row in batch
        ]


def file_name(search: Search, ending: str) -> str:
    """``<dimension>-<audience>-<from>-<to>``, in letters that every system takes; of
    another site than ours, with its name before."""
    question, period = search.question, search.question.period
    words = [question.dimension, question.audience, f"{period.first}", f"{period.last}"]
    words = [*filter(None, [question.site]), *words]
    if search.text:
        words.append(slugify(search.text)[:NAME_LIMIT] or "search")
    return "-".join(words) + f".{ending}"
