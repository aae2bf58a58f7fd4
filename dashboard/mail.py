"""Where mail goes: `EMAIL_URL` as Django's settings.

Reads the text it is given; writes nothing.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKENDS = "django.core.mail.backends."
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
TIMEOUT = 10
"""Seconds: a mail server that hangs must not keep a web process."""


def settings_of(url: str) -> dict[str, Any]:
    """``console:``, ``file:///folder``, or ``smtp``, ``smtp+tls`` (STARTTLS) or
    ``smtps`` with ``://user:password@host:port``."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts = None
    if parts and parts.scheme == "console":
        return {"EMAIL_BACKEND": BACKENDS + "console.EmailBackend"}
    if parts and parts.scheme == "file" and parts.path:
        backend = BACKENDS + "filebased.EmailBackend"
        return {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts is None or parts.scheme not in PORTS or not parts.hostname:
        # Not the value: there may be a password in it.
        raise ImproperlyConfigured(
            "EMAIL_URL must be console:, file:///folder or smtp[+tls|s]://host."
        )
    return {
        "EMAIL_BACKEND": BACKENDS + "smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT,
    }
