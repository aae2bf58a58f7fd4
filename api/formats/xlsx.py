"""XLSX out: the table of a CSV file, as a workbook whose texts are texts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import openpyxl
from rest_framework.renderers import BaseRenderer

from analytics.reporting.formulas import text_cell
from api.formats.table import table


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
            sheet.append(
                [
                    text_cell(sheet, value) if isinstance(value, str) else value
                    for value in row
                ]
            )
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
