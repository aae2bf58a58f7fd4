"""The Celery application `app`: queue `drain` for counting, `jobs` for the rest.

Reads the Django settings that start with `CELERY_` and the tasks of the installed apps.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For all threads: Celery makes an app current only in the one that created it.
app.set_default()
