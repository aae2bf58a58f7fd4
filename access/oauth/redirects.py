"""Addresses that users are sent back to: which can be registered, and their origin.

https, or plain http to a loopback address; nothing that a browser and a server could
read differently. Reads and writes nothing.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LOOPBACK = ("127.0.0.1", "localhost")
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*")
SAFE = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()+,;=%]+")
"""What may be in one. Asterisks are not: they would be taken for wildcards."""
LENGTH_LIMIT = 500

WRONG = {
    "length": _("“%(uri)s” is too long."),
    "characters": _("“%(uri)s” has characters that are not allowed, as * or #."),
    "form": _("“%(uri)s” is not an address: write https://host/path."),
    "scheme": _(
        "“%(uri)s” must begin with https://. Plain http:// is for 127.0.0.1 and "
        "localhost alone."
    ),
    "host": _("“%(uri)s” has no host name that is taken: write it in small letters."),
    "path": _("“%(uri)s” needs a path, and be it /."),
}


def errors_of(uri: str) -> list[ValidationError]:
    """What speaks against registering it; the first thing is enough."""
    found = _wrong(uri)
    shown = {"uri": uri[:LENGTH_LIMIT]}
    return [ValidationError(WRONG[found], code=found, params=shown)] if found else []


def _wrong(uri: str) -> str:
    if len(uri) > LENGTH_LIMIT:
        return "length"
    if not SAFE.fullmatch(uri):
        return "characters"
    try:
        parts, port = urlsplit(uri), urlsplit(uri).port
    except ValueError:
        return "form"
    host, tail = parts.hostname or "", f":{port}" if port else ""
    if not host or not uri.startswith(f"{parts.scheme}://"):
        return "form"
    if parts.scheme != "https" and (parts.scheme, host) not in PLAIN:
        return "scheme"
    # As it was written: neither a name before an @ nor capitals nor an empty port.
    if parts.netloc != host + tail or not HOST.fullmatch(host):
        return "host"
    return "" if parts.path else "path"


PLAIN = tuple(("http", host) for host in LOOPBACK)


def origin(uri: str) -> str:
    """Scheme, host and port of one that is registered."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
