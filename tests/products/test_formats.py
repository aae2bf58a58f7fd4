"""Exported files, as programs that open them see them."""

import io
from decimal import Decimal

import openpyxl
import tablib

from products.formats import CSV, XLSX


def sheet(*row):
    data = XLSX().export_data(tablib.Dataset(row, headers=["x"] * len(row)))
    return openpyxl.load_workbook(io.BytesIO(data)).active


def test_csv_is_known_as_utf8():
    text = CSV().export_data(tablib.Dataset(["ä"], headers=["x"]))
    assert text.encode() == b"\xef\xbb\xbfx\r\n\xc3\xa4\r\n"


def test_workbook_keeps_numbers_and_texts_apart():
    kinds = [cell.data_type for cell in sheet("=1+1", "7", 7, Decimal("9.50"))[2]]
    assert kinds == ["s", "s", "n", "n"]


def test_price_is_shown_with_cents():
    assert sheet(Decimal("9.50"))["A2"].number_format == "0.00"


def test_what_a_workbook_cannot_hold_is_replaced():
    assert sheet("a\x0bb")["A2"].value == "a\N{REPLACEMENT CHARACTER}b"
