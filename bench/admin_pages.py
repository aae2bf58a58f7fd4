"""The addresses of the benchmark of pages: the site's own, and a peer's own charts."""

from django.urls import include, path

from dashboard import urls

urlpatterns = [
    *urls.urlpatterns,
    # For the peer's measurement only; a project must not include them.
    path("charts/", include("admin_tools_stats.urls")),
]
