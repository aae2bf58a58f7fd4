"""What lists of products and categories can be narrowed by: these names, no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from products.models import Category, Product

PRICE = {"max_digits": 12, "decimal_places": 2}
STOCK = {"min_value": 0, "max_value": 2**31 - 1, "decimal_places": 0}
# Years that every database and every zone can tell.
SINCE = [
    MinValueValidator(datetime(1970, 1, 2, tzinfo=UTC)),
    MaxValueValidator(datetime(9999, 12, 30, tzinfo=UTC)),
]


def refuse_empty(words: Mapping[str, str], filters: Iterable[str]) -> None:
    """Raises `ValidationError`: what was to narrow a list would show all of it."""
    if empty := [name for name in filters if words.get(name) == ""]:
        raise ValidationError({name: ["It is empty."] for name in empty}, "blank")


def number(name: str, end: str, text: str, **bounds: Any) -> filters.NumberFilter:
    return filters.NumberFilter(
        field_name=name, lookup_expr=end, help_text=text, **bounds
    )


@extend_schema_field(OpenApiTypes.BOOL)
class TrueOrFalse(filters.TypedChoiceFilter):
    """In these words: of any other the library's own would show everything."""

    def __init__(self, **options: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(choices=choices, coerce="true".__eq__, **options)


class ProductFilter(filters.FilterSet):
    sku = filters.CharFilter(max_length=40, help_text="Exactly this one.")
    category = filters.CharFilter(
        field_name="category__slug", max_length=60, help_text="A category's slug."
    )
    is_active = TrueOrFalse(help_text="true: only what visitors see.")
    price_min = number("price", "gte", "At least this price.", **PRICE)
    price_max = number("price", "lte", "At most this price.", **PRICE)
    stock_min = number("stock", "gte", "At least so many pieces.", **STOCK)
    stock_max = number("stock", "lte", "At most so many pieces.", **STOCK)
    updated_since = filters.IsoDateTimeFilter(
        field_name="updated",
        lookup_expr="gte",
        validators=SINCE,
        help_text="Changed at or after this time (ISO 8601, with its zone).",
    )

    class Meta:
        model = Product
        fields: list[str] = []


class CategoryFilter(filters.FilterSet):
    slug = filters.CharFilter(max_length=60, help_text="Exactly this one.")

    class Meta:
        model = Category
        fields: list[str] = []
