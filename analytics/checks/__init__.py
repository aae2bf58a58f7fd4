"""The system checks: what can be misconfigured, each with an id and a hint.

Plain ones read settings, folders and ``/proc``. Those that ask the database run with
``check --database default``; those that ask Redis with it too, and with ``check --tag
analytics_redis``, but not before ``migrate`` and ``test``, which need no Redis. All of
them read only.
"""

from django.core import checks

from . import redis
from .charts import check_charts
from .journal import check_journal, check_journal_lasts
from .middleware import check_middleware
from .production import check_key, check_proxies, check_redis_url
from .settings import check_countries, check_settings
from .tables import check_tables

TAG = "analytics"
PLAIN = (
    check_settings,
    check_countries,
    check_middleware,
    check_journal,
    check_charts,
)
DEPLOY = (check_journal_lasts, check_key, check_proxies, check_redis_url)


def connect() -> None:
    """Register all checks."""
    for check in PLAIN:
        checks.register(check, TAG)
    for check in DEPLOY:
        checks.register(check, TAG, checks.Tags.security, deploy=True)
    checks.register(check_tables, TAG, checks.Tags.database)
    checks.register(redis.check_redis, redis.TAG, checks.Tags.database)
