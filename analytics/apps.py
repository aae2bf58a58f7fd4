"""The app's configuration: what has to be connected when Django starts."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """Traffic analytics in the admin, counted by a middleware."""

    name = "analytics"
    verbose_name = _("Analytics")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, schedule, sites

        checks.connect()
        post_migrate.connect(
            schedule.seed, sender=self, dispatch_uid="analytics-schedule"
        )
        post_migrate.connect(
            sites.register_own, sender=self, dispatch_uid="analytics-own-site"
        )
