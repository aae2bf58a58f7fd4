"""The settings that the benchmarks run under: the project's, with the peers' apps.

Reads the environment that ``bench.workspace`` has prepared.
"""

from dashboard.settings import *  # noqa: F403
from dashboard.settings import INSTALLED_APPS, STORAGES

# django_nvd3 draws the charts of django-admin-charts; a project must not install it.
INSTALLED_APPS += ["django_prometheus", "request", "django_nvd3"]
ROOT_URLCONF = "bench.pages"
# Both sides of a comparison have these; the middleware that is measured comes first.
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# Metrics of middleware only: the peer's own settings, as its documentation has them.
PROMETHEUS_EXPORT_MIGRATIONS = False
ANALYTICS_SITE = "bench"
ANALYTICS_RECORD_USERS = True
