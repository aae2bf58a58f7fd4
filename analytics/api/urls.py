"""The addresses of the analytics API; where they begin is the project's choice."""

from django.urls import path

from . import long, views

app_name = "analytics"

urlpatterns = [
    path("dimensions/", views.Dimensions.as_view(), name="dimensions"),
    path("totals/", views.OfTotals.as_view(), name="totals"),
    path("comparison/", views.OfComparison.as_view(), name="comparison"),
    path("series/", views.OfSeries.as_view(), name="series"),
    path("percentiles/", views.OfPercentiles.as_view(), name="percentiles"),
    path("histogram/", views.OfHistogram.as_view(), name="histogram"),
    path("top/", views.OfTop.as_view(), name="top"),
    path("keys/", long.OfKeys.as_view(), name="keys"),
    path("key-series/", long.OfKeySeries.as_view(), name="key-series"),
]
