"""The addresses of the catalogue in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from products.api.bulk import ProductBulk
from products.api.views import CategoryViewSet, ProductViewSet

router = SimpleRouter(use_regex_path=False)
router.register("categories", CategoryViewSet, basename="category")
router.register("products", ProductViewSet, basename="product")

urlpatterns = [
    path("products/bulk/", ProductBulk.as_view(), name="product-bulk"),
    path("", include(router.urls)),
]
