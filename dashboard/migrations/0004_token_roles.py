"""Analysts and product managers may make tokens for scripts, and look at their own.

A token can do no more than its user; that its user may make one is nevertheless said for
each role: viewers and schedulers have nothing to automate.
"""

from importlib import import_module

from django.db import migrations

TOKENS = ("access.view_apitoken", "access.add_apitoken")
ROLES = {"Analyst": TOKENS, "Product manager": TOKENS}


def give(apps, schema_editor):
    """Only to groups that are still there: one that staff deleted stays deleted."""
    groups = apps.get_model("auth", "Group").objects
    groups = groups.using(schema_editor.connection.alias).filter(name__in=ROLES)
    left = {name: ROLES[name] for name in groups.values_list("name", flat=True)}
    import_module("dashboard.migrations.0001_roles").give(apps, schema_editor, left)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0003_more_roles"), ("access", "0001_initial")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
