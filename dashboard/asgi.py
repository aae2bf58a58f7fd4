"""The ASGI application, for uvicorn and other servers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

# The admin's *run now* sends tasks: it needs the project's Celery, not a default one.
import celery_app  # noqa: F401

application = get_asgi_application()
