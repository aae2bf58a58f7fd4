"""How long rows are kept, by dimension and grain: a list, and a form with a preview.

Writes what differs from the declarations, and the admin's log; deletes no rollup. That
is done by the next prune, which takes what the preview has counted.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..models import Retention
from ..reporting.retention import Kept, all_kept, days_text, preview, stocks
from ..rollup.retention import keep
from .privacy import privacy_view
from .retention_forms import RetentionForm


@admin.register(Retention)
class RetentionAdmin(admin.ModelAdmin):
    """Its rows are the declared dimensions and grains, whether changed or not."""

    list_template = "admin/analytics/retention_list.html"
    form_template = "admin/analytics/retention_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """None of Django's: what is shown here are not this model's rows."""
        wrap = self.admin_site.admin_view
        prefix = "analytics_retention"
        return [
            path("", wrap(self.list_view), name=f"{prefix}_changelist"),
            path("privacy/", wrap(self._privacy_view), name="analytics_privacy"),
            path(
                "<str:dimension>/<int:grain>/",
                wrap(self.form_view),
                name=f"{prefix}_change",
            ),
        ]

    @method_decorator(require_safe)
    def list_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(
            request,
            self.list_template,
            title=_("Retention"),
            rows=[(stock, self._url(stock.kept)) for stock in stocks(all_kept())],
            may_change=self.has_change_permission(request),
        )

    def form_view(
        self, request: HttpRequest, dimension: str, grain: int
    ) -> HttpResponse:
        """Shown with what would go, and saved only when that was seen."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        every = [each for each in all_kept() if each.dimension.name == dimension]
        kept = next((each for each in every if each.grain == grain), None)
        if kept is None:
            raise Http404
        others = {each.grain: each.days for each in every}
        form = RetentionForm(request.POST or None, kept=kept, others=others)
        asked = None
        if request.method == "POST" and form.is_valid():
            days = form.cleaned_data["days"]
            if request.POST.get("previewed") == _word(days):
                self._save(request, kept, days)
                return redirect(self._list_url())
            asked = preview(kept, days)
        return self._page(
            request,
            self.form_template,
            title=_("Retention of %(what)s") % {"what": kept.name},
            form=form,
            now=preview(kept, kept.days),
            asked=asked,
            previewed=_word(asked.kept.days) if asked else "",
            list_url=self._list_url(),
        )

    def _save(self, request: HttpRequest, kept: Kept, days: int | None) -> None:
        """Put it in force, and write down who did."""
        if days == kept.days:
            self.message_user(request, _("Nothing was changed."))
            return
        said = f"{kept.name}: {days_text(kept.days)} → {days_text(days)}."
        with transaction.atomic():
            row = keep(kept.dimension, kept.grain, days)
            self.log_change(request, row, said)
        self.message_user(request, said, messages.SUCCESS)

    def _privacy_view(self, request: HttpRequest) -> HttpResponse:
        return privacy_view(request, self.admin_site)

    def _page(
        self, request: HttpRequest, template: str, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context |= {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, context)

    def _url(self, kept: Kept) -> str:
        name = f"{self.admin_site.name}:analytics_retention_change"
        return reverse(name, args=(kept.dimension.name, int(kept.grain)))

    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:analytics_retention_changelist")


def _word(days: int | None) -> str:
    """As the form says what was previewed."""
    return "for ever" if days is None else str(days)
