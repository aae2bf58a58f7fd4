"""The admin: rollups, ledger, records of what ran, retention, schedule, charts.

All but schedule, charts and retention are read-only: the drain alone changes what is
counted.
"""

from django.apps import apps

from . import ledger, records, retention, rollups, sites

__all__ = ["ledger", "records", "retention", "rollups", "sites"]

if apps.is_installed("django_celery_beat"):
    from . import schedule

    __all__ += ["schedule"]

if apps.is_installed("admin_tools_stats"):
    from . import charts

    __all__ += ["charts"]
