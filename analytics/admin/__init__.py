"""The admin's lists: rollups, the ledger, dead letters, job runs, the schedule.

All but the schedule are read-only: what is counted is changed by the drain alone.
"""

from django.apps import apps

from . import ledger, records, rollups

__all__ = ["ledger", "records", "rollups"]

if apps.is_installed("django_celery_beat"):
    from . import schedule

    __all__ += ["schedule"]
