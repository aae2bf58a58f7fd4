"""The addresses of OAuth, below ``/oauth/``. There are no others of the toolkit's."""

from django.contrib import admin
from django.urls import path

from . import views

app_name = "oauth"

urlpatterns = [
    path(
        "authorize/", admin.site.admin_view(views.Authorize.as_view()), name="authorize"
    ),
    path("token/", views.Token.as_view(), name="token"),
    path("revoke_token/", views.Revoke.as_view(), name="revoke-token"),
]
