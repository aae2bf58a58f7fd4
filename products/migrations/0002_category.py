"""Adds categories, article numbers, currencies and former slugs, all still empty."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def primary_key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", primary_key()),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "slug",
                    models.SlugField(
                        help_text="Its part of the address in the shop.",
                        max_length=60,
                        unique=True,
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True, help_text="A sentence or two above its products."
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Lower numbers come first."
                    ),
                ),
            ],
            options={
                "ordering": ["position", "name"],
                "verbose_name_plural": "categories",
            },
        ),
        migrations.CreateModel(
            name="FormerSlug",
            fields=[
                ("id", primary_key()),
                (
                    "slug",
                    models.SlugField(
                        max_length=120, unique=True, verbose_name="former slug"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_slugs",
                        to="products.product",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "ordering": ["slug"],
                "verbose_name": "former address",
                "verbose_name_plural": "former addresses",
            },
        ),
        migrations.RemoveIndex(model_name="product", name="product_category_name"),
        migrations.RenameField("product", "category", "category_word"),
        # With a default, so that the way back can add the column to rows.
        migrations.AlterField(
            "product", "category_word", models.CharField(default="", max_length=20)
        ),
        migrations.AddField(
            "product",
            "category",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="products",
                to="products.category",
            ),
        ),
        migrations.AddField(
            "product", "sku", models.CharField(max_length=40, null=True)
        ),
        migrations.AddField(
            "product",
            "currency",
            models.CharField(
                default="EUR",
                help_text="ISO 4217 code.",
                max_length=3,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Z]{3}\\Z", "Use an ISO code such as EUR."
                    )
                ],
            ),
        ),
    ]
