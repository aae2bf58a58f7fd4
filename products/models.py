"""What is sold: `Product`, one row each.

Written by the admin and by the first start's seed; read by the public pages.
"""

from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse


class ProductQuerySet(models.QuerySet):
    def available(self) -> "ProductQuerySet":
        """What visitors may see; sold-out products stay visible, and say so."""
        return self.filter(is_active=True)

    def in_category(self, category: str) -> "ProductQuerySet":
        return self.filter(category=category)


class Product(models.Model):
    class Category(models.TextChoices):
        KITCHEN = "kitchen", "Kitchen"
        OFFICE = "office", "Office"
        OUTDOOR = "outdoor", "Outdoor"
        LIGHTING = "lighting", "Lighting"
        TEXTILES = "textiles", "Textiles"

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True)
    category = models.CharField(max_length=20, choices=Category.choices)
    description = models.TextField(blank=True)
    price = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(0)]
    )
    stock = models.PositiveIntegerField(default=0)
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

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("products:detail", args=[self.slug])
