"""Makes the tables of a tested site, with a schedule that drains every second.

Run once a session for each kind of database; the tests use copies.
"""

import django
from django.core.management import call_command

SECONDS = 1


def prepare() -> None:
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from django.db import connection
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    often = IntervalSchedule.objects.create(
        every=SECONDS, period=IntervalSchedule.SECONDS
    )
    entry = PeriodicTask.objects.get(task="analytics.tasks.drain")
    entry.interval = often
    entry.save()
    if connection.vendor == "sqlite":
        # The file is copied without its log, so it must hold everything.
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


if __name__ == "__main__":
    prepare()
