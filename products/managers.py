"""The questions that the shop and the admin ask of the catalogue, by name.

Reads products and categories; `FormerSlugManager` alone writes: the old addresses of
renamed products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Q

if TYPE_CHECKING:
    from products.models import Product

LOW_STOCK = 5
"""So many pieces, or fewer, are worth a look."""


class CategoryQuerySet(models.QuerySet):
    def in_use(self) -> CategoryQuerySet:
        """Those that visitors find something in."""
        shown = models.Exists(
            self.model._meta.get_field("products")
            .related_model.objects.available()
            .filter(category=models.OuterRef("pk"))
        )
        return self.filter(shown)

    def with_counts(self) -> CategoryQuerySet:
        """Each with ``product_count``, the inactive ones included."""
        return self.annotate(product_count=Count("products"))


class ProductQuerySet(models.QuerySet):
    def available(self) -> ProductQuerySet:
        """What visitors may see; sold-out products stay visible, and say so."""
        return self.filter(is_active=True)

    def in_stock(self) -> ProductQuerySet:
        return self.filter(stock__gt=0)

    def sold_out(self) -> ProductQuerySet:
        return self.filter(stock=0)

    def low_stock(self, limit: int = LOW_STOCK) -> ProductQuerySet:
        """Nearly sold out: something is left, but not more than ``limit``."""
        return self.filter(stock__gt=0, stock__lte=limit)

    def matching(self, text: str) -> ProductQuerySet:
        """Those that have every word of ``text`` in name, description or category."""
        products = self
        for word in text.split():
            products = products.filter(
                Q(name__icontains=word)
                | Q(description__icontains=word)
                | Q(category__name__icontains=word)
                | Q(sku__iexact=word)
            )
        return products

    def with_category(self) -> ProductQuerySet:
        """Each with its category, in the same query."""
        return self.select_related("category")


class FormerSlugManager(models.Manager):
    """Keeps the old addresses of products that get a new one."""

    def follow(self, product: Product) -> None:
        """To be called before ``product`` is saved, in the same transaction.

        A slug that a product takes is nobody's former slug any longer.
        """
        products = type(product)._base_manager
        before = products.filter(pk=product.pk).values_list("slug", flat=True).first()
        if before == product.slug:
            return
        self.filter(slug=product.slug).delete()
        if before is not None:
            self.update_or_create(slug=before, defaults={"product": product})
