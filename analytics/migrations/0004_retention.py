from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_importedfile"),
    ]

    operations = [
        migrations.CreateModel(
            name="Retention",
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
                    "dimension",
                    models.CharField(max_length=32, verbose_name="dimension"),
                ),
                (
                    "grain",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "minute"), (1, "hour"), (2, "day")],
                        verbose_name="grain",
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: for ever.",
                        null=True,
                        verbose_name="days",
                    ),
                ),
            ],
            options={
                "verbose_name": "retention",
                "verbose_name_plural": "retention",
                "default_permissions": ("view", "change"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dimension", "grain"),
                        name="analytics_retention_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("days", None), ("grain", 2)),
                            models.Q(
                                ("days__isnull", False),
                                ("days__range", (1, 14)),
                                ("grain", 0),
                            ),
                            models.Q(
                                ("days__isnull", False),
                                ("days__range", (7, 730)),
                                ("grain", 1),
                            ),
                            models.Q(
                                ("days__isnull", False),
                                ("days__range", (400, 36500)),
                                ("grain", 2),
                            ),
                            _connector="OR",
                        ),
                        name="analytics_retention_is_safe",
                    ),
                ],
            },
        ),
    ]
