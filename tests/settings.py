"""The settings that the tests run under: the project's own, made self-contained.

Reads no key file and no running server: the key is random, and Redis points at a port
where nobody listens, so that a test which needs one has to start its own.
"""

import os
import secrets

os.environ["DASHBOARD_LOCAL"] = "1"
os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ["JWT_KEY"] = secrets.token_urlsafe(48)
os.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"

from dashboard.settings import *  # noqa: F403
from dashboard.settings import CACHES, SESSION_CACHE_ALIAS, STORAGES, USERS_APART

# Templates must render without collectstatic.
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# The rows that tests write are of this site.
ANALYTICS_SITE = "test"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# WhiteNoise warns of a folder that collectstatic has not made; a warning is an error.
STATIC_ROOT = None
if USERS_APART:
    # The suite with USERS_DATABASE_URL: sessions and copies without a server.
    CACHES[SESSION_CACHE_ALIAS] = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "sessions",
    }
