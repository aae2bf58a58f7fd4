"""Rows of a bulk upsert, brought into the columns of a file import.

Reads what a parser made of a body. A name that is missing in a row leaves the product's
value as it is; so does an empty text, but where text may be empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import ParseError

from analytics.reporting.formulas import safe_cell
from products.api.serializers import ProductSerializer
from products.resources import ProductResource

MAX_ROWS = 10_000
MISSING = None
SCALARS = (str, int, float, bool)
COLUMNS = {name: ProductResource.title(name) for name in ProductResource._meta.fields}
"""A field of the API -> its column."""
SHOWN_ONLY = set(ProductSerializer.Meta.fields) - set(COLUMNS)
"""May be there, because they were when the rows were read, and mean nothing."""
NO_LIST = (
    "A list of rows is expected. Send a file as the body itself, with its own "
    "Content-Type, such as text/csv; it is not read from a form."
)
DOUBLE = "It is in more than one row."


def dataset(rows: Any) -> tablib.Dataset:
    """Raises `ParseError` for what is no list of objects with fields of products."""
    if isinstance(rows, Mapping) and set(rows) == {"rows"}:
        rows = rows["rows"]
    if not isinstance(rows, list):
        raise ParseError(NO_LIST)
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ParseError(f"{len(rows)} rows were sent; from 1 to {MAX_ROWS} are read.")
    for number, row in enumerate(rows, 1):
        _check(number, row)
    headers = list(COLUMNS.values())
    cells = [[_cell(row.get(name)) for name in COLUMNS] for row in rows]
    return tablib.Dataset(*cells, headers=headers)


def _check(number: int, row: Any) -> None:
    if not isinstance(row, Mapping):
        raise ParseError(f"Row {number} is no object.")
    for name, value in row.items():
        if name not in COLUMNS and name not in SHOWN_ONLY:
            raise ParseError(
                f"Row {number} has “{str(name)[:40]}”, which is no field, so nothing "
                f"was read. There are: {', '.join(COLUMNS)}."
            )
        if value is not None and not isinstance(value, SCALARS):
            raise ParseError(f"Row {number}, {name}: it is neither text nor number.")


def _cell(value: Any) -> Any:
    """As a file would have it: what a cell means as text is that text."""
    return safe_cell(value) if isinstance(value, str) else value


class BulkResource(ProductResource):
    """File imports, for rows that may be saved although others have errors."""

    locking = False
    """To be set in a transaction: nobody else changes the products meanwhile."""

    def get_queryset(self) -> QuerySet:
        products = super().get_queryset()
        if self.locking:
            return products.select_for_update(of=("self",)).order_by("pk")
        return products

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        skus = Counter(self.sku_of({"sku": cell or ""}) for cell in dataset["sku"])
        self.doubles = {sku for sku, count in skus.items() if sku and count > 1}

    def sku_of(self, row: Mapping[str, Any]) -> str:
        return super().sku_of(row) if row.get("sku") is not MISSING else ""

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name in [name for name, cell in row.items() if cell is MISSING]:
            del row[name]

    def skip_row(self, instance: Any, *args: Any, **kwargs: Any) -> bool:
        """A row whose product is in another row is an error, also if it is the same:
        what one row began to change must not be saved by the next."""
        return instance.sku not in self.doubles and super().skip_row(
            instance, *args, **kwargs
        )

    def validate_instance(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        if instance.sku in self.doubles:
            raise ValidationError({"sku": [ValidationError(DOUBLE, "double")]})
        super().validate_instance(instance, *args, **kwargs)
