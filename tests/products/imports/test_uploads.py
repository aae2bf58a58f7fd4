"""Files as tables of cells. What is refused: tests/products/test_import_security.py."""

import pytest

from products.imports.refusal import Refused
from products.imports.uploads import Table, read
from tests.products.making import csv_bytes, xlsx_bytes

COLUMNS = ("sku", "name", "stock")


@pytest.mark.parametrize(
    ("make", "name"), [(csv_bytes, "a.csv"), (xlsx_bytes, "A.XLSX")]
)
def test_rows_keep_their_numbers_and_get_the_headers_width(make, name):
    data = make(("SKU ", "Name"), ("A", "x"), ("", ""), ("B",), ("C", "y", None), ())
    assert read(name, data, COLUMNS) == Table(
        ["sku", "name"], [["A", "x"], ["B", ""], ["C", "y"]], [2, 4, 5]
    )


def test_workbook_keeps_numbers():
    data = xlsx_bytes(("sku", "stock"), (1001, 2.5))
    assert read("a.xlsx", data, COLUMNS).rows == [[1001, 2.5]]


def test_quoted_headers_are_read():
    assert read("a.csv", b'"sku",\'name\nA,b', ("sku", "'name")).headers[0] == "sku"


def test_the_header_has_to_come_first():
    with pytest.raises(Refused, match="first row"):
        read("a.csv", b"\nsku,name\nA,b", COLUMNS)


def test_a_header_alone_is_nothing():
    with pytest.raises(Refused, match="no rows"):
        read("a.csv", b"sku,name\n", COLUMNS)


def test_a_formula_without_a_value_is_no_empty_cell():
    """openpyxl, for one, writes formulas without computing them."""
    data = xlsx_bytes(COLUMNS, ("A", "=1+1"))
    with pytest.raises(Refused, match="Row 2 has a formula without a value"):
        read("a.xlsx", data, COLUMNS)
