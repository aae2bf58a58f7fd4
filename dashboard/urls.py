"""The address space: the admin, the analytics' own addresses, and the public shop."""

from django.contrib import admin
from django.urls import include, path

admin.site.site_header = admin.site.site_title = "Dashboard"
admin.site.index_title = "Overview"

from importlib.util import find_spec

urlpatterns = [
    *([path("", include("analytics.urls"))] if find_spec("analytics.urls") else []),
    path("admin/", admin.site.urls),
    path("", include("products.urls")),
]
