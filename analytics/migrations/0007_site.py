from django.db import migrations, models


def register_counted(apps, schema_editor):
    """What has rows here is counted here."""
    using = schema_editor.connection.alias
    sites = apps.get_model("analytics", "Site").objects.using(using)
    writers = apps.get_model("analytics", "Writer").objects.using(using)
    for name in writers.values_list("site", flat=True):
        sites.get_or_create(name=name, defaults={"added_by": "migration"})


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0006_retention_since"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=50, unique=True, verbose_name="name"),
                ),
                (
                    "label",
                    models.CharField(
                        blank=True,
                        help_text="What people call it.",
                        max_length=100,
                        verbose_name="label",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="What one that is not active records waits, and is kept.",
                        verbose_name="active",
                    ),
                ),
                (
                    "first_seen",
                    models.DateTimeField(null=True, verbose_name="first seen"),
                ),
                (
                    "added_by",
                    models.CharField(
                        blank=True, max_length=150, verbose_name="added by"
                    ),
                ),
            ],
            options={"verbose_name": "site", "verbose_name_plural": "sites"},
        ),
        migrations.RunPython(register_counted, migrations.RunPython.noop),
    ]
