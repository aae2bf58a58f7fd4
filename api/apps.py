"""The Django app of the API: its templates and its style sheet; it has no models."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = "API"
