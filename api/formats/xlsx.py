"""XLSX out: the table of a CSV file, as a workbook whose texts are texts.

Prices are numbers in it, and times are times, of the zone that the text names: where
the serializer has a field for such a value, whatever the text looks like elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

from analytics.reporting.formulas import safe_cell, text_cell
from api.formats.table import RESULTS, table

EXACT_DIGITS = 15
"""As many as a spreadsheet's numbers have: what may have more stays text."""
FIRST_YEAR = 1901
"""Spreadsheets do not agree about the days before it; they stay text too."""
WIDTH = 20
"""Of all columns, in letters: a time that does not fit would be shown as ####."""

Value = Any
"""What a cell holds before it is one: text, number, yes or no, time, nothing."""


class XlsxRenderer(BaseRenderer):
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Data")
        sheet.freeze_panes = "A2"
        sheet.sheet_format.defaultColWidth = WIDTH
        for row in table(data, renderer_context, _typed(_serializer(data))):
            sheet.append([_cell(sheet, value) for value in row])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


def _serializer(data: Any) -> Any:
    """What made the rows, or None: a problem is made by none."""
    whole = getattr(data, "serializer", None)
    rows = data.get(RESULTS) if isinstance(data, Mapping) else None
    if not isinstance(rows, list):
        return whole
    return getattr(rows, "serializer", None) or _inside(whole, RESULTS)


def _inside(serializer: Any, name: str) -> Any:
    """A field of an object's serializer, or of the one of a list's members."""
    fields = getattr(getattr(serializer, "child", serializer), "fields", {})
    return fields.get(name)


def _typed(serializer: Any) -> Callable[[str, Any], Value]:
    """Makes of a column's name and a value what the field there says that it is."""

    @cache
    def reader(name: str) -> Callable[[str], Value]:
        found = serializer
        for part in name.split("."):
            found = _inside(found, part)
        return _reader(found)

    def read(name: str, value: Any) -> Value:
        return reader(name)(value) if isinstance(value, str) else value

    return read


def _reader(field: Any) -> Callable[[str], Value]:
    if isinstance(field, serializers.DecimalField):
        exact = field.max_digits is not None and field.max_digits <= EXACT_DIGITS
        return Decimal if exact else safe_cell
    if isinstance(field, serializers.DateTimeField):
        return _time
    return _day if isinstance(field, serializers.DateField) else safe_cell


def _time(text: str) -> datetime | str:
    """To the millisecond: spreadsheets know no zone, and nothing finer."""
    time = datetime.fromisoformat(text).replace(tzinfo=None)
    time = time.replace(microsecond=time.microsecond // 1_000 * 1_000)
    return time if time.year >= FIRST_YEAR else text


def _day(text: str) -> date | str:
    day = date.fromisoformat(text)
    return day if day.year >= FIRST_YEAR else text


def _cell(sheet: Any, value: Value) -> Any:
    if isinstance(value, str):
        return text_cell(sheet, value)
    if not isinstance(value, Decimal):
        return value
    cell = WriteOnlyCell(sheet, value)
    # All its places, as "0.00" has two.
    cell.number_format = format(value * 0, "f").lstrip("-")
    return cell
