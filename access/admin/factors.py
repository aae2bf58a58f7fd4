"""The admin: who has a second factor, of whom one is required; superusers take it away.

Shows no secret; the pages that django-otp brings, which do, are taken away.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static import admin as static
from django_otp.plugins.otp_totp import admin as totp

from analytics.admin.base import NOTHING, ReadOnlyAdmin, local

from .. import audit
from ..factors import keeping
from ..models import Authenticator, GroupFactor, SignIn

admin.site.unregister((Group, static.StaticDevice, totp.TOTPDevice))


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Those that count. One's own is taken away on the page of one's own."""

    list_display = ("owner", "created_local", "used_local", "codes_left")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username",)
    fields = list_display
    readonly_fields = fields
    empty_text = _("Nobody has set up a second factor yet.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is not None and obj.user_id == request.user.pk
        return request.user.is_superuser and not own

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).filter(confirmed=True)
        return rows.annotate(left=Count("user__staticdevice__token_set"))

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        keeping.remove(obj.user)
        by = f"by {request.user.get_username()}"
        audit.record(SignIn.Kind.FACTOR_REMOVED, request, obj.user, detail=by)

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, factor: Authenticator) -> str:
        return factor.user.get_username()

    @admin.display(description=_("set up"), ordering="created_at")
    def created_local(self, factor: Authenticator) -> str:
        return local(factor.created_at)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used_local(self, factor: Authenticator) -> str:
        return local(factor.last_used_at) if factor.last_used_at else NOTHING

    @admin.display(description=_("recovery codes left"), ordering="left")
    def codes_left(self, factor: Authenticator) -> int:
        return factor.left


class GroupFactorInline(admin.StackedInline):
    """Superusers alone say of whom a factor is required."""

    model = GroupFactor
    can_delete = False
    fieldsets = ((_("Second factor"), {"fields": ("required",)}),)
    template = "admin/access/group_factor.html"

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Group)
class RuledGroupAdmin(GroupAdmin):
    """Django's own, and what is required of the members."""

    inlines = (GroupFactorInline,)
