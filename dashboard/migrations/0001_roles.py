"""The groups that members of the staff are put into, with their permissions.

Adds groups and permissions that are not there; never takes a permission away. A role is
changed by a later migration, or by hand in the admin.
"""

from collections.abc import Iterator

from django.apps import apps as installed
from django.db import migrations

VIEWER = (
    "analytics.view_rollup",
    "analytics.view_dailytraffic",
    "analytics.view_hourlytraffic",
    "analytics.view_dailyroutetraffic",
    "analytics.view_dailybottraffic",
    "products.view_product",
    "products.view_category",
    "products.view_dailyproducttraffic",
    "admin_tools_stats.view_dashboardstats",
)
ROLES = {
    "Viewer": VIEWER,
    "Analyst": (
        *VIEWER,
        "analytics.export_rollup",
        "analytics.view_producer",
        "products.export_product",
    ),
    "Product manager": (
        "analytics.view_rollup",
        "admin_tools_stats.view_dashboardstats",
        "products.view_product",
        "products.add_product",
        "products.change_product",
        "products.delete_product",
        "products.import_product",
        "products.export_product",
        "products.view_category",
        "products.add_category",
        "products.change_category",
        "products.delete_category",
    ),
    "Scheduler": (
        "analytics.view_rollup",
        "analytics.view_jobrun",
        "analytics.view_producer",
        "analytics.view_deadletter",
        "django_celery_beat.view_periodictask",
        "django_celery_beat.change_periodictask",
        "django_celery_beat.view_intervalschedule",
        "django_celery_beat.add_intervalschedule",
        "django_celery_beat.change_intervalschedule",
        "django_celery_beat.view_crontabschedule",
        "django_celery_beat.add_crontabschedule",
        "django_celery_beat.change_crontabschedule",
    ),
}


def declared() -> dict[str, tuple[str, str]]:
    """What the installed models declare: ``app.codename`` → (model, its name).

    Django makes permissions after the last migration only. Taking them from the models'
    declarations instead of the tables makes this migration independent of the others'.
    """
    found = {}
    for model in installed.get_models():
        opts = model._meta
        named = [
            (f"{action}_{opts.model_name}", f"Can {action} {opts.verbose_name_raw}")
            for action in opts.default_permissions
        ]
        for codename, name in (*named, *opts.permissions):
            found[f"{opts.app_label}.{codename}"] = (opts.model_name, str(name))
    return found


def make_roles(apps, schema_editor) -> None:
    give(apps, schema_editor, ROLES)


def give(apps, schema_editor, roles: dict[str, tuple[str, ...]]) -> None:
    """Make the groups that are missing, and give each its permissions."""
    alias = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(alias)
    wanted = {name for names in roles.values() for name in names}
    permissions = dict(_permissions(apps, alias, wanted))
    for role, names in roles.items():
        group, _made = groups.get_or_create(name=role)
        # An app that is not installed has no permissions to give.
        group.permissions.add(*(permissions[n] for n in names if n in permissions))


def _permissions(apps, alias: str, wanted: set[str]) -> Iterator[tuple]:
    """The permissions by ``app.codename``, made where they are missing."""
    types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for full, (model, name) in declared().items():
        if full in wanted:
            label, codename = full.split(".")
            kind, _made = types.get_or_create(app_label=label, model=model)
            permission, _made = permissions.get_or_create(
                content_type=kind, codename=codename, defaults={"name": name}
            )
            yield full, permission


def remove_roles(apps, schema_editor) -> None:
    """Groups that somebody is in stay: they are the staff's by now."""
    groups = apps.get_model("auth", "Group").objects
    groups = groups.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLES, user__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, remove_roles)]
