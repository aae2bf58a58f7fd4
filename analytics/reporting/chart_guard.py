"""Lets django-admin-charts run and save nothing but what keeps the rules.

Wraps a method of the package's model and listens to what is saved; queries nothing and
writes nothing of its own.
"""

from __future__ import annotations

from typing import Any

from admin_tools_stats.models import (
    CriteriaToStatsM2M,
    DashboardStats,
    DashboardStatsCriteria,
)
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import pre_save

from . import chart_rules as rules


def guard() -> None:
    """To be called once, when the package's models are there.

    Their own method runs the stored modifiers, whatever they are, and the model's
    ``clean()`` and a management command call it, too.
    """
    if getattr(DashboardStats.get_queryset, "is_guarded", False):
        return
    unguarded = DashboardStats.get_queryset

    def get_queryset(self: DashboardStats) -> models.QuerySet | models.Manager:
        try:
            rules.verify_chart(self)
        except ValidationError as error:
            raise ValidationError(error.messages) from error
        return unguarded(self)

    get_queryset.is_guarded = True  # type: ignore[attr-defined]
    DashboardStats.get_queryset = get_queryset
    for model, receiver in _RECEIVERS.items():
        pre_save.connect(receiver, model, dispatch_uid=f"analytics-{receiver.__name__}")


def _verify_saved_chart(sender: Any, instance: DashboardStats, **kwargs: Any) -> None:
    """Never public, never from the package's cache."""
    instance.show_to_users = instance.cache_values = False
    rules.verify_chart(instance)


def _verify_saved_criteria(
    sender: Any, instance: DashboardStatsCriteria, **kwargs: Any
) -> None:
    rules.verify_criteria(instance)


def _verify_saved_link(
    sender: Any, instance: CriteriaToStatsM2M, **kwargs: Any
) -> None:
    rules.verify_link(instance)


_RECEIVERS = {
    DashboardStats: _verify_saved_chart,
    DashboardStatsCriteria: _verify_saved_criteria,
    CriteriaToStatsM2M: _verify_saved_link,
}
