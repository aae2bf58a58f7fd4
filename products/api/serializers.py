"""Categories and products, as the API shows and takes them.

What may be written is listed here, field by field; what the admin and file imports
refuse is refused, by the models' own validators.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.text import slugify
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from api.permissions import may
from products import cells
from products.api.fields import CellField
from products.models import Category, Product

VIEWS = "views_7d"


class Strict(serializers.ModelSerializer):
    """Names that are no field are errors, and models have the last word."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {*self.fields, *self.Meta.fields}
            if unknown := [name for name in data if name not in known]:
                text = "There is no such field."
                raise serializers.ValidationError(
                    {str(name)[:100]: [text] for name in unknown}, "unknown"
                )
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As ``full_clean``; what has to be unique was asked before."""
        model = self.Meta.model
        candidate = model(
            **{
                field.attname: getattr(self.instance, field.attname)
                for field in model._meta.concrete_fields
                if self.instance
            }
        )
        for name, value in attrs.items():
            setattr(candidate, name, value)
        candidate.clean_fields(exclude=links(model))
        candidate.clean()
        return attrs


def links(model: type[Model]) -> set[str]:
    """Fields whose validation would ask the database what the serializer asked."""
    return {field.name for field in model._meta.concrete_fields if field.is_relation}


def rules(model: type[Model], name: str) -> list[Any]:
    """What the model says about a field's values."""
    return list(model._meta.get_field(name).validators)


class CategorySerializer(Strict):
    name = CellField(
        cells.Text(),
        validators=[*rules(Category, "name"), UniqueValidator(Category.objects.all())],
    )
    description = CellField(
        cells.Paragraphs(),
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A sentence or two above its products.",
    )
    product_count = serializers.IntegerField(
        read_only=True, help_text="The inactive ones included."
    )

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "description", "position", "product_count"]


class ProductSerializer(Strict):
    sku = CellField(
        cells.Code(),
        validators=[*rules(Product, "sku"), UniqueValidator(Product.objects.all())],
        help_text="The article number, in capitals. Bulk upserts find products by it.",
    )
    name = CellField(cells.Text(), validators=rules(Product, "name"))
    category = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Category.objects.all(),
        help_text="The category's slug.",
        error_messages={"does_not_exist": "There is no category “{value}”."},
    )
    description = CellField(
        cells.Paragraphs(),
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        validators=rules(Product, "description"),
    )
    currency = CellField(
        cells.Code(),
        required=False,
        validators=rules(Product, "currency"),
        help_text="ISO 4217 code.",
    )
    views_7d = serializers.IntegerField(
        read_only=True,
        required=False,
        help_text="Views by people in the last seven days; only for those who may "
        "see the numbers.",
    )

    class Meta:
        model = Product
        fields = [
            "id",
            "sku",
            "name",
            "slug",
            "category",
            "description",
            "price",
            "currency",
            "stock",
            "is_active",
            "created",
            "updated",
            VIEWS,
        ]
        read_only_fields = ["created", "updated"]
        extra_kwargs = {
            "slug": {
                "required": False,
                "help_text": "Its part of the address; made of the name if not given.",
            }
        }

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        request = self.context.get("request")
        if request is not None and not may_see_views(request):
            del found[VIEWS]
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and not attrs.get("slug"):
            attrs["slug"] = made_of(attrs["name"])
        return super().validate(attrs)


def made_of(name: str) -> str:
    """The slug of a name, as imports make it."""
    slug = slugify(name)[:120]
    if not slug:
        raise ValidationError({"slug": ["The name makes no address: give a slug."]})
    owner = Product.objects.filter(slug=slug).values_list("sku", flat=True).first()
    if owner is not None:
        raise ValidationError({"slug": [f"“{slug}” is the address of {owner}."]})
    return slug


def may_see_views(request: Any) -> bool:
    """Without a user it is the description that is being made."""
    if getattr(request, "user", None) is None:
        return True
    return may(request, "analytics.view_rollup", "analytics:read")
