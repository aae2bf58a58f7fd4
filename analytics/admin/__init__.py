"""The admin's lists: rollups, the ledger, dead letters, job runs, schedule, charts.

All but schedule and charts are read-only: the drain alone changes what is counted.
"""

from django.apps import apps

from . import ledger, records, rollups

__all__ = ["ledger", "records", "rollups"]

if apps.is_installed("django_celery_beat"):
    from . import schedule

    __all__ += ["schedule"]

if apps.is_installed("admin_tools_stats"):
    from . import charts

    __all__ += ["charts"]
