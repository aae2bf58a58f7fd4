"""The SQL of the largest keys of a dimension, the one statement that is put together.

Reads rollup rows, and asks a dimension what a search finds; writes nothing but a
temporary file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from msgspec import json

from ..batches import batched
from ..models import Rollup
from ..rollup.dimensions import OTHER, Dimension

FOUND_LIMIT = 500
"""So many keys may a dimension's own search find."""
BATCH_ROWS = 500

Row = tuple[Any, ...]


def top_rows(
    where: Q, dimension: Dimension, measure: str, search: str, limit: int, offset: int
) -> list[Row]:
    """(key, sum, views, requests, errors, sum over all keys, number of keys found), the
    largest sums first.

    Windows over the groups save a second and a third look at all the rows. The sum over
    all keys has those in it that a search leaves out.
    """
    statement, values = _statement(where, dimension, measure, search)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} LIMIT %s OFFSET %s", [*values, limit, offset])
        return cursor.fetchall()


def every_row(
    where: Q, dimension: Dimension, measure: str, search: str
) -> Iterator[list[Row]]:
    """As `top_rows` all of them, in batches.

    They lie in a file: whoever takes the batches may take hours, and the database is
    not to wait for that.
    """
    yield from spooled(_fetched(where, dimension, measure, search))


def _fetched(
    where: Q, dimension: Dimension, measure: str, search: str
) -> Iterator[Row]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(*_statement(where, dimension, measure, search))
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield from ((key, *map(int, numbers)) for key, *numbers in rows)


def spooled(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The same in batches, from a file that has all of them before the first is given.

    Nobody else can open it. Rows are of texts and numbers.
    """
    with TemporaryFile() as file:
        for batch in batched(rows, BATCH_ROWS):
            file.write(json.encode(batch) + b"\n")
        file.seek(0)
        yield from map(json.decode, file)


def _statement(
    where: Q, dimension: Dimension, measure: str, search: str
) -> tuple[str, list[Any]]:
    table = Rollup.objects.filter(where).order_by()
    names = table.values("key").annotate(
        value=Sum(measure),
        all_views=Sum("views"),
        all_requests=Sum("requests"),
        all_errors=Sum("errors"),
    )
    query, values = names.query.sql_with_params()
    key = connection.ops.quote_name("key")
    matches, words = _matches(dimension, search)
    # Put together from names of our own; what comes from outside is a value.
    statement = (
        f"WITH sums AS ({query}), totals AS (SELECT SUM(value) AS total FROM sums) "  # noqa: S608
        f"SELECT {key}, value, all_views, all_requests, all_errors, "
        "(SELECT total FROM totals), COUNT(*) OVER () "
        f"FROM sums WHERE {key} <> %s AND value > 0 AND {matches} "
        f"ORDER BY value DESC, {key}"
    )
    return statement, [*values, OTHER, *words]


def _matches(dimension: Dimension, search: str) -> tuple[str, list[str]]:
    """The condition of a search, and its values."""
    if not search:
        return "1 = 1", []
    key = connection.ops.quote_name("key")
    if dimension.find is None:
        prepared = connection.ops.prep_for_like_query
        words = [f"%{prepared(text)}%" for text in (search.lower(), search)]
        # SQLite knows no small letters beyond ASCII: as it is written a key is found.
        either = f"LOWER({key}) LIKE %s ESCAPE '\\' OR {key} LIKE %s ESCAPE '\\'"
        return f"({either})", words
    keys = list(dimension.find(search))[:FOUND_LIMIT]
    marks = ", ".join(["%s"] * len(keys))
    return (f"{key} IN ({marks})", keys) if keys else ("1 = 0", [])
