"""Turns an uploaded file into a table of cells, within limits that come first.

Reads the bytes of a CSV or XLSX file. Writes nothing. Never believes a file's name
alone, and never unpacks or parses before it knows that the result is small.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from analytics.reporting.formulas import plain_text
from products.imports.refusal import Refused
from products.imports.workbook import ZIP_SIGNATURE, worksheet_rows

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 50
MAX_CELL = 10_000
"""Characters."""
DELIMITERS = ",;\t"
ENCODINGS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order marks, and what they say."""

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """What was in a file: a header, and rows that are as long as it is."""

    headers: list[str]
    rows: list[Row]
    numbers: list[int]
    """For each row, its number in the spreadsheet, where the header is row 1."""


def read(name: str, data: bytes, columns: Sequence[str]) -> Table:
    """The table in a file, of which only ``columns`` may be there.

    Raises `Refused`, whose text is for the person who uploaded the file.
    """
    if len(data) > MAX_BYTES:
        raise Refused(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    rows = _bounded(_rows(name, data))
    number, header = next(rows, (0, []))
    if number != 1:
        raise Refused("The first row has to name the columns, and it is empty.")
    headers = _headers(header, columns)
    table = Table(headers, [], [])
    for number, row in rows:
        table.rows.append(_fitted(row, len(headers), number))
        table.numbers.append(number)
    if not table.rows:
        raise Refused("The file has no rows below its header.")
    return table


def _rows(name: str, data: bytes) -> Iterable[Sequence[Any]]:
    kind = PurePath(name).suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise Refused("Only files named .csv or .xlsx can be imported.")
    if not data:
        raise Refused("The file is empty.")
    is_zip = data.startswith(ZIP_SIGNATURE)
    if kind == ".xlsx":
        if not is_zip:
            raise Refused("The file is named .xlsx, but it is not an XLSX workbook.")
        return worksheet_rows(data)
    if is_zip:
        raise Refused("The file is named .csv, but it is a workbook or an archive.")
    return _csv_rows(_text(data))


def _text(data: bytes) -> str:
    encoding = next(
        (ENCODINGS[mark] for mark in ENCODINGS if data.startswith(mark)), "utf-8"
    )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(
            "The file is not UTF-8 text. Save it as “CSV UTF-8” and try again."
        ) from None
    if "\0" in text:
        raise Refused("The file contains NUL characters; it is not a CSV file.")
    return text


def _csv_rows(text: str) -> Iterator[list[str]]:
    first = text[:MAX_CELL].splitlines()[:1]
    delimiter = max(DELIMITERS, key="".join(first).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise Refused(
            f"The CSV file can't be read at line {reader.line_num}: {error}."
        ) from None


def _bounded(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Row]]:
    """The rows that are not blank, numbered from 1."""
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS + 1:
            raise Refused(f"The file has more than {MAX_ROWS:,} rows.")
        if len(row) > MAX_COLUMNS:
            raise Refused(f"Row {number} has more than {MAX_COLUMNS} columns.")
        cells = ["" if cell is None else cell for cell in row]
        for cell in cells:
            if isinstance(cell, str) and len(cell) > MAX_CELL:
                raise Refused(
                    f"Row {number} has a cell of more than {MAX_CELL:,} characters."
                )
        while cells and cells[-1] == "":
            cells.pop()
        if any(cell != "" for cell in cells):
            yield number, cells


def _headers(row: Row, columns: Sequence[str]) -> list[str]:
    headers = [plain_text(str(cell)).strip().lower() for cell in row]
    unknown = [repr(name[:40]) for name in headers if name not in columns]
    if unknown:
        raise Refused(
            f"Unknown columns: {', '.join(unknown)}. There are: {', '.join(columns)}."
        )
    doubles = sorted({name for name in headers if headers.count(name) > 1})
    if doubles:
        raise Refused(f"These columns are there twice: {', '.join(doubles)}.")
    if columns[0] not in headers:
        raise Refused(f"The column {columns[0]} is missing; products are found by it.")
    return headers


def _fitted(row: Row, width: int, number: int) -> Row:
    if len(row) > width:
        raise Refused(
            f"Row {number} has {len(row)} cells, but the header names {width} columns."
        )
    return row + [""] * (width - len(row))
