"""The applications that have access to somebody's account, which takes it away here.

All staff see their own, whatever else they may do; superusers see everybody's.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from analytics.admin.base import ReadOnlyAdmin, local

from .. import audit
from ..models import SignIn
from ..oauth import grants
from ..oauth.models import Grant


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    """A line for every time that access was granted and something came of it."""

    change_form_template = "admin/access/grant/change_form.html"
    list_display = ("name", "who", "scope", "since", "used_local", "ends_local")
    list_select_related = ("user", "application")
    search_fields = ("application__name", "user__username")
    ordering = ("-created", "-pk")
    readonly_fields = list_display
    fields = list_display
    empty_text = _("No application has access to your account.")

    class Media:
        css: ClassVar = {"all": ("access/tokens.css",)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """A place in the menus: others find their own behind their name."""
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of staff: whoever can grant something can look at what was granted."""
        return self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Or nobody could delete a user who has granted something."""
        return request.user.has_perm("access.delete_grant")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        found = super().get_queryset(request).live()
        return found if request.user.is_superuser else found.of(request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.revoke))
        own = path("<path:object_id>/revoke/", view, name="access_grant_revoke")
        return [own, *super().get_urls()]

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the access away. Whoever sees it may: it gives nobody any rights."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        grant = self.get_object(request, unquote(object_id))
        if grant is None:
            raise Http404
        self.log_change(request, grant, "Taken away.")
        self.delete_model(request, grant)
        said = gettext("%s has no access any more.") % grant.application
        self.message_user(request, said)
        return redirect(reverse("admin:access_grant_changelist"))

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """Never the line alone: with it goes what came of it."""
        what, user = str(obj), obj.user
        grants.take_away(obj)
        audit.record(SignIn.Kind.GRANT_REVOKED, request, user, detail=what)

    @admin.display(description=_("application"), ordering="application__name")
    def name(self, grant: Grant) -> str:
        return str(grant.application)

    @admin.display(description=_("user"), ordering="user__username")
    def who(self, grant: Grant) -> str:
        return grant.user.get_username()

    @admin.display(description=_("granted"), ordering="created")
    def since(self, grant: Grant) -> str:
        return local(grant.created)

    @admin.display(description=_("last token"), ordering="last_used")
    def used_local(self, grant: Grant) -> str:
        return local(grant.last_used)

    @admin.display(description=_("ends, if not used"), ordering="expires")
    def ends_local(self, grant: Grant) -> str:
        return local(min(grant.expires, grant.created + grants.LONGEST))
