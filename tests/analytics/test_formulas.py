"""Text that a spreadsheet might take for a formula: made safe, and back again."""

import io

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.formulas import plain_text, safe_cell, text_cell

FORMULAS = (
    "=1+1",
    "==1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "   \u00a0\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "\tharmless behind a tab",
    "-",
    "=",
    "' =1",
)
HARMLESS = ("", "a", "a=1", "1-2", "'", "'tis", "' '=1", "/shop/", "é", "#REF!", " a")
trouble = st.text(alphabet=st.sampled_from("'=+-@\t\r\n\0 a＝＠\u200b"), max_size=8)


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_a_quote(text):
    assert safe_cell(text) == "'" + text
    assert plain_text("'" + text) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays(text):
    assert safe_cell(text) == text == plain_text(text)


@pytest.mark.parametrize("value", [-1, 1.5, None, True, b"=1"])
def test_what_is_no_text_stays(value):
    assert safe_cell(value) is value


def test_quotes_before_a_formula_are_kept_apart():
    assert safe_cell("'=1") == "''=1"
    assert plain_text("''=1") == "'=1"
    assert plain_text("'=1") == "=1"


@given(st.one_of(trouble, st.text(max_size=20)))
def test_nothing_is_lost(text):
    assert plain_text(safe_cell(text)) == text


@given(trouble)
def test_no_safe_cell_begins_like_a_formula(text):
    assert (
        not safe_cell(text).lstrip(" \n\u200b").startswith(tuple("=+-@\t\r\0＝＋－＠"))
    )


@pytest.mark.parametrize(
    "text",
    ["plain", "=1+1", "#REF!", "-5", "'=1", "7", "2026-03-01", "x" * 40_000, "a\nb"],
)
def test_a_text_in_a_workbook_is_read_as_that_text(text):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([text_cell(sheet, text)])
    file = io.BytesIO()
    book.save(file)
    cell = openpyxl.load_workbook(file).active["A1"]
    # As much as one holds.
    assert (cell.data_type, cell.value) == ("s", text[:32_767])


def test_what_xml_cannot_hold_is_replaced():
    sheet = openpyxl.Workbook(write_only=True).create_sheet()
    assert text_cell(sheet, "a\0b\ud800\uffff") == "a\ufffdb\ufffd\ufffd"
