"""The Django apps of this site: its wiring, and the admin that it puts on show."""

from django.apps import AppConfig
from django.contrib.admin import apps


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Dashboard"
    default = True


class AdminConfig(apps.AdminConfig):
    default_site = "dashboard.admin_site.DashboardSite"
    default = False
