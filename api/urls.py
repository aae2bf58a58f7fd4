"""The addresses of version 1."""

from django.urls import include, path

from api.docs import docs
from api.schema import Schema
from api.views import Index, Nothing

app_name = "v1"

urlpatterns = [
    path("", Index.as_view(), name="index"),
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("auth/jwt/", include("access.api_urls")),
    path("analytics/", include("analytics.api.urls")),
    path("", include("products.api.urls")),
    path("<path:rest>", Nothing.as_view(), name="nothing"),
]
