"""The address space: the admin, the analytics' own addresses, and the public shop."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

handler500 = "access.users.middleware.server_error"
urlpatterns = [
    # Before the admin, which answers whatever begins like it.
    path("admin/", include("access.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.root_urls")),
    path("oauth/", include("access.oauth.urls")),
    path("", include("analytics.urls")),
    path("", include("products.urls")),
    # Browsers ask for it by themselves where no page names an icon.
    path(
        "favicon.ico",
        RedirectView.as_view(url=settings.STATIC_URL + "products/icon.svg"),
    ),
]
