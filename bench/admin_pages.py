"""The addresses of the benchmark of pages: the admin, and a peer's own charts."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("analytics.urls")),
    path("", include("products.urls")),
    # For the peer's measurement only; a project must not include them.
    path("charts/", include("admin_tools_stats.urls")),
]
