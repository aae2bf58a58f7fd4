"""CSV in and out: a header, and a row for each object.

Formulas get a quote before them on their way out and lose it on their way in; a byte
order mark is tolerated, and so are semicolons and tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from analytics.reporting.formulas import plain_text
from api.formats.table import table
from api.formats.tree import Limits, text_of

DELIMITERS = ",;\t"
MAX_COLUMNS = 100


class CsvRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        if data is None:
            return ""
        file = io.StringIO(newline="")
        csv.writer(file).writerows(
            [_cell(value) for value in row] for row in table(data, renderer_context)
        )
        return file.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class CsvParser(BaseParser):
    media_type = "text/csv"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """A list where the view takes rows, else the one row that there is."""
        rows = _rows(text_of(stream, "CSV"))
        view = (parser_context or {}).get("view")
        if getattr(view, "takes_rows", False):
            return rows
        if len(rows) != 1:
            raise ParseError(
                f"The CSV has {len(rows)} rows below its header; one is expected."
            )
        return rows[0]


def _rows(text: str) -> list[dict[str, str]]:
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [plain_text(name).strip() for name in next(reader, [])]
        _check(header)
        limits, found = Limits("CSV"), []
        for row in reader:
            if row:
                limits.nodes += len(row)
                limits.node(1)
                found.append(_row(header, row, reader.line_num))
    except csv.Error as error:
        raise ParseError(
            f"The CSV can't be read at line {reader.line_num}: {error}."
        ) from None
    return found


def _check(header: list[str]) -> None:
    if not any(header):
        raise ParseError("The CSV's first line has to name the columns.")
    if len(header) > MAX_COLUMNS:
        raise ParseError(f"The CSV has more than {MAX_COLUMNS} columns.")
    for name in header:
        if header.count(name) > 1:
            raise ParseError(f"The CSV has the column “{name[:40]}” twice.")


def _row(header: list[str], row: list[str], line: int) -> dict[str, str]:
    if len(row) != len(header):
        raise ParseError(
            f"The CSV has {len(row)} cells at line {line}, but its header names "
            f"{len(header)} columns."
        )
    return dict(zip(header, map(plain_text, row), strict=True))
