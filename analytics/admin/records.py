"""The lists of dead letters and of job runs."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import DeadLetter, JobRun
from .base import ReadOnlyAdmin, SiteFilter, span, visible

CONTENT_LIMIT = 2_000


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Retention keeps it to 10 000 rows, so a hierarchy of dates is cheap."""

    list_display = ("created", "kind", "reason", "producer", "offset", "entry")
    list_filter = (SiteFilter, "kind", "created")
    search_fields = ("reason", "producer", "entry")
    date_hierarchy = "created"
    ordering = ("-created", "-pk")
    fields = ("site", *list_display, "beginning")
    readonly_fields = fields
    empty_text = _("No dead letters: everything that came could be counted.")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    @admin.display(description=_("content"))
    def beginning(self, letter: DeadLetter) -> str:
        content = bytes(letter.content)
        text = visible(content[:CONTENT_LIMIT].decode("utf-8", "backslashreplace"))
        more = len(content) - CONTENT_LIMIT
        tail = _("… and %d bytes more") % more if more > 0 else ""
        return format_html('<pre class="analytics-content">{}</pre>{}', text, tail)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """A drain is listed when it had something to do."""

    list_display = ("started", "task", "duration", "outcome_text", "message")
    list_filter = ("outcome", "task", "started")
    search_fields = ("message",)
    ordering = ("-started", "-pk")
    fields = ("task", "started", "ended", "duration", "outcome_text", "message")
    readonly_fields = fields
    empty_text = _("No task has run yet. Beat starts them; the schedule says when.")

    @admin.display(description=_("duration"))
    def duration(self, run: JobRun) -> str:
        if run.ended is None:
            return "–"
        length = run.ended - run.started
        seconds = length.total_seconds()
        return f"{seconds:.1f} s" if seconds < 10 else span(length)

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_text(self, run: JobRun) -> str:
        return format_html(
            '<span class="analytics-state {}">{}</span>',
            run.outcome,
            run.get_outcome_display(),
        )
