"""What is sold: `Product`, one row each, in a `Category`; and the views it had.

Written by the admin, by imports and by the first start's seed; read by the public
pages. A product that is renamed keeps its old address as a `FormerSlug`.
"""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.urls import reverse

from analytics.managers import TrafficManager
from analytics.models import Rollup
from analytics.rollup.buckets import Grain
from products.managers import (
    LOW_STOCK,
    CategoryQuerySet,
    FormerSlugManager,
    ProductQuerySet,
)

PICTURES = frozenset(("kitchen", "lighting", "office", "outdoor", "textiles"))
"""The categories, by slug, that have a drawing of their own."""
SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


class Category(models.Model):
    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(
        max_length=60, unique=True, help_text="Its part of the address in the shop."
    )
    description = models.TextField(
        blank=True, help_text="A sentence or two above its products."
    )
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Lower numbers come first."
    )

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("products:category", args=[self.slug])

    @property
    def picture(self) -> str:
        """The name of its drawing in the static files."""
        return self.slug if self.slug in PICTURES else "goods"


class Product(models.Model):
    sku = models.CharField(
        "SKU",
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[A-Z0-9][A-Z0-9._-]*\Z",
                "Use capital letters, digits, dots, dashes and underscores.",
            )
        ],
        help_text="The article number, such as PG-0001. Imports find products by it.",
    )
    name = models.CharField(max_length=120)
    slug = models.SlugField(
        max_length=120,
        unique=True,
        help_text="Its part of the address in the shop. An old address still works.",
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="products"
    )
    # More than a spreadsheet's cell holds could not be exported.
    description = models.TextField(blank=True, validators=[MaxLengthValidator(5_000)])
    price = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Use an ISO code such as EUR.")],
        help_text="ISO 4217 code.",
    )
    stock = models.PositiveIntegerField(default=0, help_text="Pieces on the shelf.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Inactive products are hidden from visitors."
    )
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__gte=0), name="product_price_not_negative"
            )
        ]
        indexes = [
            # The catalogue: one category, in the order of its pages.
            models.Index(fields=["category", "name"], name="product_category_name")
        ]
        permissions = [
            ("import_product", "Can import products"),
            ("export_product", "Can export products"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        with transaction.atomic():
            if fields is None or "slug" in fields:
                FormerSlug.objects.follow(self)
            super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("products:detail", args=[self.slug])

    @property
    def price_text(self) -> str:
        """'€ 24.00', 'CHF 24.00'."""
        sign = SIGNS.get(self.currency, self.currency)
        return f"{sign}\N{NO-BREAK SPACE}{self.price:,.2f}"

    @property
    def is_low(self) -> bool:
        """Nearly sold out; see ``ProductQuerySet.low_stock``."""
        return 0 < self.stock <= LOW_STOCK


class FormerSlug(models.Model):
    """An address that a product had: it leads to the product, and counts for it."""

    slug = models.SlugField("former slug", max_length=120, unique=True)
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="former_slugs"
    )

    objects = FormerSlugManager()

    class Meta:
        ordering = ["slug"]
        # It is written with its product only, and shown with it.
        default_permissions = ()
        verbose_name = "former address"
        verbose_name_plural = "former addresses"

    def __str__(self) -> str:
        return self.slug


class DailyProductTraffic(Rollup):
    """What people asked for, by day and product."""

    objects = TrafficManager("product", Grain.DAY)

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "daily traffic by product"
        verbose_name_plural = "daily traffic by product"
