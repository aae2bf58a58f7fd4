"""Turns the words that products had for categories into rows, and numbers products."""

from django.db import migrations


def rows_of(apps, schema_editor, name):
    """Those of the database that is migrated."""
    alias = schema_editor.connection.alias
    return apps.get_model("products", name).objects.using(alias)


def fill(apps, schema_editor):
    products = rows_of(apps, schema_editor, "Product")
    categories = rows_of(apps, schema_editor, "Category")
    words = products.order_by("category_word")
    for position, word in enumerate(
        words.values_list("category_word", flat=True).distinct(), 1
    ):
        category = categories.create(
            slug=word or "other",
            name=(word or "other").capitalize(),
            position=10 * position,
        )
        products.filter(category_word=word).update(category=category)
    for product in products.order_by("pk"):
        products.filter(pk=product.pk).update(sku=f"PG-{product.pk:04}")


def empty(apps, schema_editor):
    products = rows_of(apps, schema_editor, "Product")
    for category in rows_of(apps, schema_editor, "Category"):
        products.filter(category=category).update(
            category_word=category.slug[:20], category=None
        )
        category.delete()


class Migration(migrations.Migration):
    dependencies = [("products", "0002_category")]

    operations = [migrations.RunPython(fill, empty)]
