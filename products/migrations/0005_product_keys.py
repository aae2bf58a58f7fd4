"""Files what was counted by a product's slug under its primary key.

A slug that no product has stays as it is, unless it could be taken for a key.
"""

from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr

MARK = "~"
"""In no slug and no number: what has it was renamed already."""


def use_primary_keys(apps, schema_editor):
    slugs = slugs_of(apps, schema_editor)
    rename(apps, schema_editor, {slug: str(pk) for pk, slug in slugs})


def use_slugs(apps, schema_editor):
    slugs = slugs_of(apps, schema_editor)
    rename(apps, schema_editor, {str(pk): slug for pk, slug in slugs})


def slugs_of(apps, schema_editor):
    products = rows_of(apps, schema_editor, "products", "Product")
    return products.values_list("pk", "slug")


def rows_of(apps, schema_editor, app, name):
    """Those of the database that is migrated."""
    alias = schema_editor.connection.alias
    return apps.get_model(app, name).objects.using(alias)


def rename(apps, schema_editor, names):
    """By way of a mark: the slug of one product may be the key of another."""
    # Whoever folds events right now has to begin anew.
    writers = rows_of(apps, schema_editor, "analytics", "Writer")
    writers.update(generation=F("generation") + 1)
    rows = rows_of(apps, schema_editor, "analytics", "Rollup")
    rows = rows.filter(dimension="product")
    for key in list(rows.order_by("key").values_list("key", flat=True).distinct()):
        if key in names:
            rows.filter(key=key).update(key=MARK + names[key])
        elif key.isdigit():
            rows.filter(key=key).update(key=Concat(Value("(deleted) "), F("key")))
    marked = rows.filter(key__startswith=MARK)
    marked.update(key=Substr("key", len(MARK) + 1))


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0001_initial"),
        ("products", "0004_require_category"),
    ]

    operations = [
        migrations.RunPython(use_primary_keys, use_slugs),
        migrations.CreateModel(
            name="DailyProductTraffic",
            fields=[],
            options={
                "verbose_name": "daily traffic by product",
                "verbose_name_plural": "daily traffic by product",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("analytics.rollup",),
        ),
    ]
