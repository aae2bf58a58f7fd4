from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0004_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="producer",
            name="alive",
            field=models.DateTimeField(
                help_text="Others may speak for a process that has ended.",
                null=True,
                verbose_name="last alive",
            ),
        ),
        migrations.CreateModel(
            name="Coverage",
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
                ("site", models.CharField(max_length=50, verbose_name="site")),
                ("start", models.DateTimeField(verbose_name="start")),
                ("end", models.DateTimeField(verbose_name="end")),
            ],
            options={
                "verbose_name": "coverage",
                "verbose_name_plural": "coverage",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "start"), name="analytics_coverage_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__gte", models.F("start"))),
                        name="analytics_coverage_is_forward",
                    ),
                ],
            },
        ),
    ]
