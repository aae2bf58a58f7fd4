"""What most people write first: Django REST framework's ModelViewSet, and a loop of
serializers that save. No sign-in, permissions, throttles, tags, or log of changes."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from rest_framework import pagination, serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.routers import SimpleRouter

from products.models import Category, Product


class PlainSerializer(serializers.ModelSerializer):
    category = serializers.SlugRelatedField("slug", queryset=Category.objects.all())

    class Meta:
        model = Product
        fields = "__all__"


class Plain(viewsets.ModelViewSet):
    queryset = Product.objects.order_by("name")
    serializer_class = PlainSerializer
    pagination_class = type(
        "Pages", (pagination.PageNumberPagination,), {"page_size": 100}
    )
    renderer_classes = [JSONRenderer]
    authentication_classes = permission_classes = throttle_classes = []
    filter_backends = []


def upsert(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        instance = Product.objects.filter(sku=row["sku"]).first()
        serializer = PlainSerializer(instance, data=row, partial=instance is not None)
        serializer.is_valid(raise_exception=True)
        serializer.save()


router = SimpleRouter()
router.register("plain", Plain)
urlpatterns = [path("", include(router.urls)), path("", include("dashboard.urls"))]
