"""XLSX out: the table of a CSV file, as a workbook whose texts are texts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from rest_framework.renderers import BaseRenderer

from api.formats.table import table

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
MAX_CELL = 32_767
"""Characters, as Excel has it."""


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
        for row in table(data, renderer_context):
            sheet.append([_cell(sheet, value) for value in row])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


def _cell(sheet: Any, value: Any) -> WriteOnlyCell:
    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value)
    text = ILLEGAL_CHARACTERS_RE.sub(UNKNOWN, value)[:MAX_CELL]
    cell = WriteOnlyCell(sheet, text)
    # Whatever it begins with.
    cell.data_type = "s"
    return cell
