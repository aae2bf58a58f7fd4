"""Text of products as file imports read it, checked by the same code."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from analytics.reporting.formulas import safe_cell
from products import cells


class CellField(serializers.CharField):
    """A text that ``cell`` cleans: no control characters, codes in capitals.

    The models' validators are asked afterwards, in the serializer.
    """

    def __init__(self, cell: cells.Text, **options: Any) -> None:
        super().__init__(**options)
        self.cell = cell

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            # As a file would have it: what a cell means as text is that text.
            return self.cell.clean(safe_cell(text)) or ""
        except ValueError as error:
            raise serializers.ValidationError(str(error), "invalid") from None
