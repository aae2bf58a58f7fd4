"""The lists of dead letters, of job runs and of imported files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import DeadLetter, ImportedFile, JobRun
from ..rollup.sketches import duration
from ..schedule import SCHEDULE
from .base import (
    NOTHING,
    ReadOnlyAdmin,
    SiteFilter,
    local,
    number_columns,
    visible,
)

CONTENT_LIMIT = 2_000
STATE = '<span class="analytics-state {}">{}</span>'


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Retention keeps it to 10 000 rows, so a hierarchy of dates is cheap."""

    list_display = ("created_local", "kind", "reason", "producer", "offset", "entry")
    list_filter = (SiteFilter, "kind", "created")
    search_fields = ("reason", "producer", "entry")
    date_hierarchy = "created"
    ordering = ("-created", "-pk")
    fields = ("site", *list_display, "beginning")
    readonly_fields = fields
    empty_text = _("No dead letters: everything that came could be counted.")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[DeadLetter]:
        return super().get_queryset(request).defer("content")

    @admin.display(description=_("created"), ordering="created")
    def created_local(self, letter: DeadLetter) -> str:
        return local(letter.created)

    @admin.display(description=_("content"))
    def beginning(self, letter: DeadLetter) -> str:
        content = bytes(letter.content)
        text = visible(content[:CONTENT_LIMIT].decode("utf-8", "backslashreplace"))
        more = len(content) - CONTENT_LIMIT
        tail = _("… and %d bytes more") % more if more > 0 else ""
        return format_html('<pre class="analytics-content">{}</pre>{}', text, tail)


class TaskFilter(admin.SimpleListFilter):
    """By task: from the schedule, a DISTINCT would read the table."""

    title = _("task")
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(entry.task, entry.name) for entry in SCHEDULE]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet
    ) -> models.QuerySet:
        return queryset.filter(task=self.value()) if self.value() else queryset


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """A drain is listed when it had something to do."""

    list_display = ("started_local", "task", "took", "outcome_text", "message")
    list_filter = ("outcome", TaskFilter, "started")
    search_fields = ("message",)
    ordering = ("-started", "-pk")
    fields = list_display
    readonly_fields = fields
    empty_text = _("No task has run yet. Beat starts them; the schedule says when.")

    @admin.display(description=_("started"), ordering="started")
    def started_local(self, run: JobRun) -> str:
        return local(run.started)

    @admin.display(description=_("duration"))
    def took(self, run: JobRun) -> str:
        if run.ended is None:
            return NOTHING
        return duration((run.ended - run.started) / timedelta(microseconds=1))

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_text(self, run: JobRun) -> str:
        return format_html(STATE, run.outcome, run.get_outcome_display())


@admin.register(ImportedFile)
@number_columns(
    ("lines", "counted", "rejected", "too_new", "ignored", "read"),
    rejected="unreadable",
    too_new="too new",
    read="bytes read",
)
class ImportedFileAdmin(ReadOnlyAdmin):
    """The access logs that were read, and what became of their lines."""

    list_display = (
        "name",
        "state",
        "lines_number",
        "counted_number",
        "rejected_number",
        "too_new_number",
        "ignored_number",
        "started_local",
        "seen_local",
    )
    list_filter = (SiteFilter, "finished", "seen")
    search_fields = ("name",)
    ordering = ("-seen", "-pk")
    sortable_by = ("name", "lines_number", "counted_number", "seen_local")
    fields = ("site", *list_display, "until_local", "read_number", "producer", "digest")
    readonly_fields = fields
    empty_text = _(
        "No access log was imported. “manage.py import_access_log” counts what logs "
        "tell of the time before this site recorded itself."
    )

    @admin.display(description=_("state"), ordering="finished")
    def state(self, file: ImportedFile) -> str:
        if file.finished:
            return format_html(STATE, "done", _("read to its end"))
        return format_html(STATE, "", _("not read to its end yet"))

    @admin.display(description=_("first read"), ordering="started")
    def started_local(self, file: ImportedFile) -> str:
        return local(file.started)

    @admin.display(description=_("last read"), ordering="seen")
    def seen_local(self, file: ImportedFile) -> str:
        return local(file.seen)

    @admin.display(description=_("counted until"))
    def until_local(self, file: ImportedFile) -> str:
        return local(file.until)
