"""Requires what every product has now, and drops the words."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0003_fill_categories")]

    operations = [
        migrations.RemoveField("product", "category_word"),
        migrations.AlterField(
            "product",
            "category",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="products",
                to="products.category",
            ),
        ),
        migrations.AlterField(
            "product",
            "sku",
            models.CharField(
                help_text="The article number, such as PG-0001. Imports find products by it.",
                max_length=40,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Z0-9][A-Z0-9._-]*\\Z",
                        "Use capital letters, digits, dots, dashes and underscores.",
                    )
                ],
                verbose_name="SKU",
            ),
        ),
        migrations.AlterField(
            "product",
            "slug",
            models.SlugField(
                help_text="Its part of the address in the shop. An old address still works.",
                max_length=120,
                unique=True,
            ),
        ),
        migrations.AlterField(
            "product",
            "description",
            models.TextField(
                blank=True,
                validators=[django.core.validators.MaxLengthValidator(5000)],
            ),
        ),
        migrations.AlterField(
            "product",
            "stock",
            models.PositiveIntegerField(default=0, help_text="Pieces on the shelf."),
        ),
        migrations.AddIndex(
            "product",
            models.Index(fields=["category", "name"], name="product_category_name"),
        ),
        migrations.AlterModelOptions(
            "product",
            {
                "ordering": ["name", "pk"],
                "permissions": [
                    ("import_product", "Can import products"),
                    ("export_product", "Can export products"),
                ],
            },
        ),
    ]
