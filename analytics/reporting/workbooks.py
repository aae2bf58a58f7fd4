"""Rollups as a workbook, for those who read the numbers in a spreadsheet.

Reads the rows that `exports` reads. Writes temporary files that nobody else may read,
and leaves none of them behind. Never makes half a workbook: more rows than fit are
refused before the first is written.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import models

from .exports import COLUMNS, exported
from .formulas import text_cell

SHEET_ROWS = 1_048_575
"""As many as a sheet holds below the columns' names."""
ROWS = 100_000
"""As many as are written well within the half minute that servers give a request."""
WIDTH = 20
"""Of all columns, in letters: a time that does not fit would be shown as ####."""
CHUNK = 1 << 16

Made = Callable[[Callable[[str], Any]], Iterable[Sequence[Sequence[Any]]]]


class TooManyRows(Exception):
    """What was asked for does not fit; ``limit`` says how many would."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A workbook takes {limit} rows.")
        self.limit = limit


def available() -> bool:
    """Whether openpyxl is installed: it is an extra."""
    return find_spec("openpyxl") is not None


def verify_size(rows: models.QuerySet) -> None:
    """Raise TooManyRows unless all rows fit; counts no further than that."""
    limit = min(ROWS, SHEET_ROWS)
    if rows.order_by()[: limit + 1].count() > limit:
        raise TooManyRows(limit)


def xlsx_chunks(rows: models.QuerySet) -> Iterator[bytes]:
    """The bytes of the workbook, which is complete before the first of them."""
    verify_size(rows)
    return workbook(
        "rollups", COLUMNS, lambda text: exported(rows, text=text, moment=_naive)
    )


def workbook(name: str, columns: Sequence[str], made: Made) -> Iterator[bytes]:
    """The bytes of a workbook with one sheet, of the rows that ``made`` gives when it
    is told what makes a cell of a text."""
    with TemporaryFile() as file:
        _write(name, columns, made, file)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _write(name: str, columns: Sequence[str], made: Made, file: IO[bytes]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    sheet.sheet_format.defaultColWidth = WIDTH
    with _without_remains(sheet):
        text = partial(text_cell, sheet)
        sheet.append([text(column) for column in columns])
        written = 0
        for batch in made(text):
            written += len(batch)
            if written > SHEET_ROWS:
                # Rows that came after they were counted.
                raise TooManyRows(SHEET_ROWS)
            for row in batch:
                sheet.append(row)
        book.save(file)


def _naive(moment: datetime.datetime) -> datetime.datetime:
    """Spreadsheets know no zones: the local time as it is."""
    return moment.replace(tzinfo=None)


@contextmanager
def _without_remains(sheet: Any) -> Iterator[None]:
    """Deletes openpyxl's own temporary file, which it forgets when anything fails."""
    try:
        yield
    except BaseException:
        if sheet._writer:
            try:
                if not sheet.closed:
                    sheet.close()
            finally:
                sheet._writer.cleanup()
        raise
