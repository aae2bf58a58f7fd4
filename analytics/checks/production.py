"""What a site that others reach needs: keys, proxies counted, a closed Redis.

Reads settings; runs with ``check --deploy``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import get_config

KEY_LENGTH = 32
LOOPBACK = frozenset(("", "localhost", "127.0.0.1", "::1"))


def check_key(**kwargs: Any) -> list[checks.CheckMessage]:
    own = getattr(settings, "ANALYTICS_KEY", "")
    name = "ANALYTICS_KEY" if own else "SECRET_KEY"
    messages: list[checks.CheckMessage] = []
    if not own and settings.SECRET_KEY_FALLBACKS:
        messages.append(
            checks.Warning(
                "SECRET_KEY is being changed, and the analytics key is made from it: "
                "every visitor would be counted as a new one.",
                hint="Set ANALYTICS_KEY to the old SECRET_KEY.",
                id="analytics.W030",
            )
        )
    if len(own or settings.SECRET_KEY) < KEY_LENGTH:
        messages.append(
            checks.Warning(
                f"{name} is short: whoever guesses it can tell visitors' addresses "
                "from the journal, and forge events in Redis.",
                hint=f"Use {KEY_LENGTH} random characters or more.",
                id="analytics.W031",
            )
        )
    return messages


def check_proxies(**kwargs: Any) -> list[checks.CheckMessage]:
    behind = settings.SECURE_PROXY_SSL_HEADER or settings.USE_X_FORWARDED_HOST
    if not behind or getattr(settings, "ANALYTICS_PROXIES", 0):
        return []
    return [
        checks.Warning(
            "The site is behind a proxy, and ANALYTICS_PROXIES is 0: all visitors "
            "seem to come from the proxy's address.",
            hint="Set ANALYTICS_PROXIES to the number of your proxies that add to "
            "X-Forwarded-For.",
            id="analytics.W032",
        )
    ]


def check_redis_url(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        url = urlsplit(get_config().recorder.redis_url)
    except ImproperlyConfigured:
        return []
    if url.scheme == "unix" or (url.hostname or "") in LOOPBACK:
        return []
    lacks = []
    if not url.password and "password=" not in url.query:
        lacks.append("without a password")
    if url.scheme != "rediss":
        lacks.append("unencrypted")
    if not lacks:
        return []
    return [
        checks.Warning(
            f"Redis at {url.hostname} is spoken to over the network "
            f"{' and '.join(lacks)}.",
            hint="Use rediss://:password@host/0, or a socket of the same machine.",
            id="analytics.W033",
        )
    ]
