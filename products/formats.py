"""The two kinds of files that products are exported to.

Both get cells that `products.cells` made: text that no spreadsheet takes for a formula,
and numbers that stay numbers.
"""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import tablib
from import_export.formats import base_formats
from openpyxl.cell import WriteOnlyCell

from analytics.reporting.formulas import text_cell

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class CSV(base_formats.CSV):
    """With a byte order mark: without it, Excel reads UTF-8 as something else."""

    def get_title(self) -> str:
        return "CSV"

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> str:
        return MARK + dataset.export("csv", **kwargs)


class XLSX(base_formats.XLSX):
    def get_title(self) -> str:
        return "XLSX"

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Products")
        sheet.freeze_panes = "A2"
        for row in (dataset.headers, *dataset):
            sheet.append([_cell(sheet, value) for value in row])
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, str):
        return text_cell(sheet, value)
    if not isinstance(value, Decimal):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = "0.00"
    return cell
