"""The tokens of scripts: made, shown once, looked at, revoked. Never changed.

Staff see and make their own, superusers everybody's. The text of a new token is in the
answer to the form that made it, and nowhere else.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from analytics.admin.base import NOTHING, ReadOnlyAdmin, local

from .. import audit
from ..forms import TokenForm
from ..models import ApiToken, SignIn


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Own tokens; of superusers everybody's."""

    change_form_template = "admin/access/apitoken/change_form.html"
    list_display = (
        "name",
        "owner",
        "prefix",
        "scope",
        "state",
        "expires_local",
        "used_local",
        "created_local",
    )
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    ordering = ("-created", "-pk")
    readonly_fields = list_display
    empty_text = _(
        "There is no token yet. A script that uses the API needs one of its own."
    )

    class Media:
        css: ClassVar = {"all": ("access/tokens.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("access.add_apitoken")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Or nobody could delete a user who has tokens."""
        return request.user.has_perm("access.delete_apitoken")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        found = super().get_queryset(request)
        return found if request.user.is_superuser else found.of(request.user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj:
            return self.list_display
        whose = ("user",) if request.user.is_superuser else ()
        return ("name", *whose, "scopes", "days")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any
    ) -> type[ModelForm]:
        if obj:
            return super().get_form(request, obj, change, **more)
        return type("TokenForm", (TokenForm,), {"maker": request.user})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With one button: whichever it is, the text of the token comes next."""
        others = ("show_save_and_add_another", "show_save_and_continue")
        context = dict.fromkeys(others, False) | (extra_context or {})
        return super().add_view(request, form_url, context)

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: Any, change: bool
    ) -> None:
        request._token_text = obj.renew_secret()
        super().save_model(request, obj, form, change)
        what = f"{obj}: {obj.scope}"
        audit.record(SignIn.Kind.TOKEN_MADE, request, obj.user, detail=what)

    @sensitive_variables("context")
    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: Any = None
    ) -> HttpResponse:
        """Neither a message nor a redirect: those would have to be kept somewhere."""
        context = self.admin_site.each_context(request)
        context |= {"opts": self.opts, "token": obj, "text": request._token_text}
        context |= {"title": gettext("Your new token")}
        return TemplateResponse(request, "admin/access/apitoken/made.html", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.revoke))
        own = path("<path:object_id>/revoke/", view, name="access_apitoken_revoke")
        return [own, *super().get_urls()]

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close a token for ever. Whoever sees one may: it takes rights away only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        token = self.get_object(request, unquote(object_id))
        if token is None:
            raise Http404
        if token.revoke(timezone.now()):
            self.log_change(request, token, "Revoked.")
            audit.record(
                SignIn.Kind.TOKEN_REVOKED, request, token.user, detail=str(token)
            )
        self.message_user(
            request, gettext("Revoked: %s. It opens nothing any more.") % token
        )
        return redirect(reverse("admin:access_apitoken_changelist"))

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, token: ApiToken) -> str:
        return token.user.get_username()

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> str:
        if token.revoked:
            return gettext("revoked %s") % local(token.revoked)
        if token.expires <= timezone.now():
            return gettext("expired")
        return gettext("active") if token.user.is_active else gettext("user inactive")

    @admin.display(description=_("expires"), ordering="expires")
    def expires_local(self, token: ApiToken) -> str:
        return local(token.expires)

    @admin.display(description=_("last used"), ordering="last_used")
    def used_local(self, token: ApiToken) -> str:
        return local(token.last_used) if token.last_used else NOTHING

    @admin.display(description=_("created"), ordering="created")
    def created_local(self, token: ApiToken) -> str:
        return local(token.created)
