"""A small shop in Flask whose requests are counted by the dashboard.

`create_app` puts it together from settings that it is given; `wsgi.py` reads them
from the environment. Never knows of Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.routing import BaseConverter

from .config import Settings
from .csrf import protect_forms
from .database import connect_app
from .errors import show_errors
from .headers import set_headers
from .recording import record_requests
from .views import pages

if TYPE_CHECKING:
    from analytics.recording.options import Options

FORM_BYTES = 64 * 1024
CSS_SECONDS = 3_600


class SlugConverter(BaseConverter):
    """Lower-case words with hyphens; whatever else is no address of ours."""

    regex = "[a-z0-9]+(?:-[a-z0-9]+)*"


def create_app(settings: Settings, options: Options | None) -> Flask:
    """The shop; without ``options`` nothing is recorded."""
    app = Flask(__name__)
    # Not by FLASK_DEBUG either: its pages show the source.
    app.debug = False
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.hosts),
        SESSION_COOKIE_NAME="session" if settings.local else "__Host-session",
        SESSION_COOKIE_SECURE=not settings.local,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=FORM_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=CSS_SECONDS,
    )
    app.url_map.converters["slug"] = SlugConverter
    app.add_template_filter(money)
    if options:
        record_requests(app, options)
    connect_app(app, settings.database_url)
    protect_forms(app)
    set_headers(app, https=not settings.local)
    show_errors(app)
    app.register_blueprint(pages)
    return app


def money(cents: int) -> str:
    return f"€\u202f{cents // 100}.{cents % 100:02}"
