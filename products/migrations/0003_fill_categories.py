"""Turns the words that products had for categories into rows, and numbers products."""

from django.db import migrations


def fill(apps, schema_editor):
    product_model = apps.get_model("products", "Product")
    category_model = apps.get_model("products", "Category")
    words = product_model.objects.order_by("category_word")
    for position, word in enumerate(
        words.values_list("category_word", flat=True).distinct(), 1
    ):
        category = category_model.objects.create(
            slug=word or "other",
            name=(word or "other").capitalize(),
            position=10 * position,
        )
        product_model.objects.filter(category_word=word).update(category=category)
    for product in product_model.objects.order_by("pk"):
        product_model.objects.filter(pk=product.pk).update(sku=f"PG-{product.pk:04}")


def empty(apps, schema_editor):
    product_model = apps.get_model("products", "Product")
    for category in apps.get_model("products", "Category").objects.all():
        product_model.objects.filter(category=category).update(
            category_word=category.slug[:20], category=None
        )
        category.delete()


class Migration(migrations.Migration):
    dependencies = [("products", "0002_category")]

    operations = [migrations.RunPython(fill, empty)]
