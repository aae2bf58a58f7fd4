"""Long answers on their way out: rows as CSV and JSON while they are made.

Reads batches of rows and writes them as the project's renderers write a whole answer:
the object in JSON, its ``results`` in CSV. Memory does not grow with their number.
Where a row cannot be had the chunks end with an exception, and the answer breaks off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
from rest_framework.exceptions import ValidationError

from ..reporting.exports import csv_field, csv_lines

MOST_ROWS = 10_000
"""In formats that are made as a whole."""

Row = tuple[Any, ...]
Batches = Iterable[Iterable[Row]]
Chunks = Iterator[bytes]


def csv_chunks(head: Mapping[str, Any], names: Sequence[str], rows: Batches) -> Chunks:
    """The rows; what else is said has no place in a table."""
    cells = ([tuple(map(_cell, row)) for row in batch] for batch in rows)
    return csv_lines(names, cells)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return csv_field(value) if isinstance(value, str) else value


def json_chunks(head: Mapping[str, Any], names: Sequence[str], rows: Batches) -> Chunks:
    """The object, closed only when all rows are in it."""
    encode = msgspec.json.encode
    # Together with the first rows: what fails before is an error, not half an answer.
    before = encode(head)[:-1] + b',"results":['
    for batch in rows:
        objects = [encode(dict(zip(names, row, strict=True))) for row in batch]
        yield before + b",".join(objects)
        before = b","
    yield b"]}" if before == b"," else before + b"]}"


CHUNKS: dict[str, tuple[str, Callable[..., Chunks]]] = {
    "csv": ("text/csv; charset=utf-8", csv_chunks),
    "json": ("application/json", json_chunks),
}
"""The name of a renderer -> the content type, and what writes it."""


def whole(names: Sequence[str], rows: Batches, format: str) -> list[dict[str, Any]]:
    """For all other formats. Raises `ValidationError` for more than `MOST_ROWS`."""
    found = list(islice(chain.from_iterable(rows), MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        text = f"{format} takes {MOST_ROWS} rows, and there are more: take csv or json."
        raise ValidationError({"format": [text]}, "too_many")
    return [dict(zip(names, row, strict=True)) for row in found]
