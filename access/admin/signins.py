"""The audit list: who came in, who did not, by which door. Nobody edits it here."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from analytics.admin.base import ReadOnlyAdmin, local

from ..models import SignIn


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    """A line for every attempt."""

    list_display = (
        "when_local",
        "kind",
        "who",
        "door",
        "network",
        "agent",
        "detail",
    )
    list_display_links = ("when_local",)
    list_filter = ("kind", "door", "when")
    list_select_related = ("user",)
    search_fields = ("name", "network", "detail")
    ordering = ("-when", "-pk")
    fields = list_display
    readonly_fields = fields
    empty_text = _("Nobody has signed in since this list is kept.")

    @admin.display(description=_("when"), ordering="when")
    def when_local(self, line: SignIn) -> str:
        return local(line.when)

    @admin.display(description=_("who"), ordering="name")
    def who(self, line: SignIn) -> str:
        return line.name or str(_("(no such user)"))
