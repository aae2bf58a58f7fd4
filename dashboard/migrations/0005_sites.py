"""Who may see which sites are counted: analysts, who choose between them, and schedulers.

Registering one stays with superusers, as whatever decides what is counted.
"""

from importlib import import_module

from django.db import migrations

SITES = ("analytics.view_site",)
ROLES = {"Analyst": SITES, "Scheduler": SITES}


def give(apps, schema_editor):
    """Only to groups that are still there: one that staff deleted stays deleted."""
    groups = apps.get_model("auth", "Group").objects
    groups = groups.using(schema_editor.connection.alias).filter(name__in=ROLES)
    left = {name: ROLES[name] for name in groups.values_list("name", flat=True)}
    import_module("dashboard.migrations.0001_roles").give(apps, schema_editor, left)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0004_token_roles"), ("analytics", "0007_site")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
