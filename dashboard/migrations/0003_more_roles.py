"""What analysts and schedulers may see of the past: imported logs, and retention.

Analysts judge by it how far back numbers reach. Changing retention, which deletes, stays
with superusers.
"""

from importlib import import_module

from django.db import migrations

PAST = ("analytics.view_importedfile", "analytics.view_retention")
ROLES = {"Analyst": PAST, "Scheduler": PAST}


def give(apps, schema_editor):
    """Only to groups that are still there: one that staff deleted stays deleted."""
    groups = apps.get_model("auth", "Group").objects
    groups = groups.using(schema_editor.connection.alias).filter(name__in=ROLES)
    left = {name: ROLES[name] for name in groups.values_list("name", flat=True)}
    import_module("dashboard.migrations.0001_roles").give(apps, schema_editor, left)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0002_charts")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
