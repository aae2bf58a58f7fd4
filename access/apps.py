"""The app's configuration: what has to be connected when Django starts."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """Tokens, JSON web tokens, protection of the sign-in, and the audit list."""

    name = "access"
    verbose_name = _("Access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The description of the API needs `openapi` to be imported, and no more.
        from . import audit, checks, lockout, openapi, schedule, sessions  # noqa: F401
        from .factors import signin
        from .users import checks as users_checks
        from .users import copies

        sessions.connect()
        audit.connect()
        lockout.connect()
        signin.connect()
        checks.connect()
        users_checks.connect()
        copies.connect()
        post_migrate.connect(schedule.seed, sender=self, dispatch_uid="access-schedule")
