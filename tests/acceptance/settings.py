"""The settings of the site that the acceptance tests start: the project's own.

Reads the environment that `site.Site` makes. Other than the project's are only the
URLs, and that nothing needs collectstatic or the shop.
"""

from dashboard.settings import *  # noqa: F403
from dashboard.settings import STORAGES, TEMPLATES

ROOT_URLCONF = "tests.acceptance.urls"
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STATIC_ROOT = None
# Django's own error pages: the project's lead to its shop, which is not here.
TEMPLATES[0]["APP_DIRS"] = False
