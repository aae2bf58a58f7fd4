"""The addresses below ``/api/``: version 1, and a problem for all others."""

from django.urls import include, path, re_path

from api.views import Nothing

urlpatterns = [
    path("v1/", include("api.urls")),
    # Programs read problems, not the site's page for lost visitors.
    re_path("", Nothing.as_view(), name="no-api"),
]
