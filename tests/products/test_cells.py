"""Cells of spreadsheets: what is read from them, what is written into them."""

from decimal import Decimal

import pytest

from products import cells
from tests.products.making import category


@pytest.mark.parametrize(
    ("widget", "cell", "value"),
    [
        (cells.Text(), "  Mug ", "Mug"),
        (cells.Text(), "'=1+1", "=1+1"),
        (cells.Text(), "'tis", "'tis"),
        (cells.Text(), 1001.0, "1001"),
        (cells.Text(), " ", None),
        (cells.Paragraphs(), "a\r\nb\rc ", "a\nb\nc "),
        (cells.Paragraphs(), "", ""),
        (cells.Code(), " pg-1 ", "PG-1"),
        (cells.Code(), "", None),
        (cells.Price(), "24.50", Decimal("24.50")),
        (cells.Price(), 24.1, Decimal("24.1")),
        (cells.Price(), 24, Decimal(24)),
        (cells.Price(), "-1", Decimal(-1)),
        (cells.Price(), "", None),
        (cells.Count(), "7", 7),
        (cells.Count(), 7.0, 7),
        (cells.Count(), "", None),
        (cells.YesNo(), "Yes", True),
        (cells.YesNo(), True, True),
        (cells.YesNo(), 0, False),
        (cells.YesNo(), "", None),
    ],
)
def test_cell_is_read(widget, cell, value):
    read = widget.clean(cell)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("widget", "cell"),
    [
        (cells.Text(), "a\nb"),
        (cells.Text(), "a\x1bb"),
        (cells.Paragraphs(), "a\x00b"),
        (cells.Price(), "24,50"),
        (cells.Price(), "€ 24"),
        (cells.Price(), "NaN"),
        (cells.Price(), "1e5"),
        (cells.Price(), True),
        (cells.Price(), float("inf")),
        (cells.Price(), "9" * 100),
        (cells.Count(), "1.5"),
        (cells.Count(), "-1"),
        (cells.Count(), False),
        (cells.YesNo(), "perhaps"),
    ],
)
def test_cell_is_refused(widget, cell):
    with pytest.raises(ValueError, match=r"\w.*\."):
        widget.clean(cell)


@pytest.mark.django_db
def test_category_is_read_by_its_slug():
    kitchen = category("kitchen")
    widget = cells.CategorySlug()
    widget.load()
    assert widget.clean(" kitchen ") == kitchen
    assert widget.clean("") is None
    assert widget.render(kitchen) == "kitchen"
    with pytest.raises(ValueError, match="no category “Kitchen”, only: kitchen"):
        widget.clean("Kitchen")


@pytest.mark.parametrize(
    ("widget", "value", "cell"),
    [
        (cells.Text(), "=1+1", "'=1+1"),
        (cells.Paragraphs(), "\t=1", "'\t=1"),
        (cells.Text(), "Mug", "Mug"),
        (cells.Code(), "-1", "'-1"),
        (cells.Price(), Decimal("-1.50"), Decimal("-1.50")),
        (cells.Count(), 7, 7),
        (cells.YesNo(), False, "no"),
    ],
)
def test_value_is_written(widget, value, cell):
    assert widget.render(value) == cell
