from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_coverage"),
    ]

    operations = [
        migrations.AddField(
            model_name="retention",
            name="since",
            field=models.DateTimeField(
                blank=True,
                help_text=(
                    "Rows of earlier buckets may be gone, though they would be kept "
                    "now."
                ),
                null=True,
                verbose_name="since",
            ),
        ),
    ]
