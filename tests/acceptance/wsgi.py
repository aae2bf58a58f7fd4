"""The WSGI application of the tested site, with small segments if a test asks."""

import os

from django.core.wsgi import get_wsgi_application

from analytics.recording import journal

if size := os.environ.get("ACCEPTANCE_SEGMENT_BYTES"):
    journal.SEGMENT_BYTES = int(size)

application = get_wsgi_application()
