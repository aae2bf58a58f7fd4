"""The schedule: django-celery-beat's list, with what each task did, and *run now*."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from .. import schedule
from ..models import JobRun
from .base import span

# Registered by the import above, whichever app comes first in INSTALLED_APPS.
with contextlib.suppress(NotRegistered):
    admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class ScheduleAdmin(PeriodicTaskAdmin):
    """What runs when, what it did last, and a button to run it at once."""

    # The package's own form has an inline script, which a strict CSP forbids.
    change_form_template = "admin/analytics/schedule_form.html"
    list_display = ("name", "enabled", "interval_text", "last", "outcome", "next")
    list_filter = ("enabled",)
    date_hierarchy = None
    actions = ("enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks")

    class Media:
        css = {"all": ("analytics/admin.css", "analytics/filters.css")}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        name, *columns = super().get_list_display(request)
        if self.has_change_permission(request):
            return [name, "button", *columns]
        return [name, *columns]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The package lets everybody who sees the list switch its tasks off."""
        if not self.has_change_permission(request):
            return {}
        return super().get_actions(request)

    def get_urls(self) -> list[URLPattern]:
        run = self.admin_site.admin_view(self.run_view)
        name = "analytics_schedule_run"
        return [path("<path:object_id>/run/", run, name=name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        task = kwargs.get("obj")
        if task and self.has_change_permission(request, task):
            context["run_url"] = self._run_url(task)
        return super().render_change_form(request, context, **kwargs)

    @method_decorator(require_POST)
    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        task = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, task):
            raise PermissionDenied
        if task is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        self._run(request, task)
        return redirect(reverse(f"{self.admin_site.name}:{_LIST}"))

    @admin.action(description=_("Run selected tasks now"), permissions=["change"])
    def run_tasks(
        self, request: HttpRequest, queryset: models.QuerySet[PeriodicTask]
    ) -> None:
        for task in queryset:
            if not self._run(request, task):
                return

    def _run(self, request: HttpRequest, task: PeriodicTask) -> bool:
        """Send it, write down who did, and say so. False if the broker is away."""
        names = {"name": task.name, "task": task.task}
        try:
            queue = schedule.run_now(task)
        except ValueError:
            text = gettext("“%(name)s” (%(task)s) can only be run by its schedule.")
            self.message_user(request, text % names, messages.WARNING)
            return True
        except schedule.BrokerError as error:
            text = gettext(
                "“%(name)s” was not started: the broker did not take it (%(error)s). "
                "Is Redis running?"
            )
            names["error"] = str(error)
            self.message_user(request, text % names, messages.ERROR)
            return False
        self.log_change(request, task, f"Run now: sent to the queue {queue}.")
        text = gettext("“%(name)s” was sent to the queue “%(queue)s”.")
        self.message_user(request, text % (names | {"queue": queue}), messages.SUCCESS)
        return True

    @admin.display(description=_("interval"))
    def interval_text(self, task: PeriodicTask) -> str:
        return str(task.scheduler)

    @admin.display(description=_("last run"), ordering="last_run_at")
    def last(self, task: PeriodicTask) -> str:
        run = JobRun.objects.latest_of(task.task)
        times = [task.last_run_at, run and run.started]
        last = max((time for time in times if time), default=None)
        return _ago(last) if last else gettext("not yet")

    @admin.display(description=_("outcome"))
    def outcome(self, task: PeriodicTask) -> str:
        run = JobRun.objects.latest_of(task.task)
        if run is None:
            return gettext("nothing to report") if task.last_run_at else "–"
        return format_html(
            '<span class="analytics-state {}">{}</span> {} '
            '<span class="quiet">{}</span>',
            run.outcome,
            run.get_outcome_display(),
            run.message,
            _ago(run.started),
        )

    @admin.display(description=_("next run"))
    def next(self, task: PeriodicTask) -> str:
        due = schedule.next_run(task)
        if due is None:
            return gettext("never: disabled")
        wait = due - timezone.now()
        if wait <= datetime.timedelta():
            return gettext("due")
        return gettext("in %(span)s") % {"span": span(wait)}

    @admin.display(description=_("run"))
    def button(self, task: PeriodicTask) -> str:
        """A button of the list's own form, which carries the CSRF token."""
        if schedule.entry_of(task.task) is None:
            return ""
        return format_html(
            '<button class="button" formaction="{}" aria-label="{}">{}</button>',
            self._run_url(task),
            gettext("Run “%(name)s” now") % {"name": task.name},
            gettext("Run now"),
        )

    def _run_url(self, task: PeriodicTask) -> str:
        if schedule.entry_of(task.task) is None:
            return ""
        name = f"{self.admin_site.name}:analytics_schedule_run"
        return reverse(name, args=[task.pk])


_LIST = "django_celery_beat_periodictask_changelist"


def _ago(time: datetime.datetime) -> str:
    return gettext("%(span)s ago") % {"span": span(timezone.now() - time)}
