"""The applications of OAuth: made and changed here, their secret shown once.

Superusers see all; who else may see them, their own, which act for nobody but them.
The secret is in the answer to the form that made it, and nowhere else.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from analytics.admin.base import NOTHING, BoundedPaginator, local

from ..oauth import grants
from ..oauth.forms import ApplicationForm
from ..oauth.models import CONFIDENTIAL, FLOWS, TYPES, Application

FIXED = ("client_id", "client_type_words", "flow", "created_local")


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):
    """Own applications; of superusers everybody's."""

    change_form_template = "admin/access/application/change_form.html"
    actions = None
    view_on_site = False
    paginator, show_full_result_count = BoundedPaginator, False
    show_facets = admin.ShowFacets.NEVER
    list_display = (
        "name",
        "owner",
        "authorization_grant_type",
        "allowed_scopes",
        "client_id",
    )
    list_select_related = ("user",)
    search_fields = ("name", "client_id", "user__username")
    ordering = ("name", "pk")

    class Media:
        css: ClassVar = {
            "all": ("analytics/admin.css", "access/tokens.css", "access/oauth.css")
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        empty = _("There is no application yet that could ask for access.")
        context = {"empty_text": empty, "title": self.opts.verbose_name_plural}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        found = super().get_queryset(request)
        return found if request.user.is_superuser else found.filter(user=request.user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        whose = ("user",) if request.user.is_superuser else ()
        kind = FIXED if obj else ("client_type", "authorization_grant_type")
        return ("name", *whose, *kind, "redirect_uris", "scopes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return FIXED if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any
    ) -> type[ModelForm]:
        if not self.may_write(request, obj):
            return super().get_form(request, obj, change, **more)
        fields = [f for f in self.get_fields(request, obj) if f not in FIXED]
        return ApplicationForm.made_for(request.user, fields)

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With one button: whichever it is, the secret comes next."""
        others = ("show_save_and_add_another", "show_save_and_continue")
        context = dict.fromkeys(others, False) | (extra_context or {})
        return super().add_view(request, form_url, context)

    def save_model(
        self, request: HttpRequest, obj: Application, form: Any, change: bool
    ) -> None:
        if not change:
            # Made by the model; to save it is to leave its hash.
            request._client_secret = obj.client_secret
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Application, post_url_continue: Any = None
    ) -> HttpResponse:
        return self.show_secret(request, obj, request._client_secret)

    @sensitive_variables()
    def show_secret(
        self, request: HttpRequest, obj: Application, secret: str
    ) -> HttpResponse:
        """Neither a message nor a redirect: those would have to be kept somewhere."""
        shown = secret if obj.client_type == CONFIDENTIAL else ""
        context = self.admin_site.each_context(request)
        context |= {"opts": self.opts, "application": obj, "secret": shown}
        context |= {"title": gettext("Your new application")}
        return TemplateResponse(request, "admin/access/application/made.html", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.renew))
        own = path("<path:object_id>/secret/", view, name="access_application_secret")
        return [own, *super().get_urls()]

    @sensitive_variables()
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new secret; what it got by the old one alone ends."""
        application = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, application):
            raise PermissionDenied
        if application is None or application.client_type != CONFIDENTIAL:
            raise Http404
        secret = application.renew_secret()
        application.save()
        grants.take_own(application)
        self.log_change(request, application, "Renewed the secret.")
        return self.show_secret(request, application, secret)

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, application: Application) -> str:
        return application.user.get_username() if application.user else NOTHING

    @admin.display(description=_("flow"), ordering="authorization_grant_type")
    def flow(self, application: Application) -> str:
        return str(FLOWS[application.authorization_grant_type])

    @admin.display(description=_("client type"))
    def client_type_words(self, application: Application) -> str:
        return str(TYPES[application.client_type])

    @admin.display(description=_("created"))
    def created_local(self, application: Application) -> str:
        return local(application.created)
