"""Categories and products: list, read, create, change, delete.

Reads the catalogue, and for a page of products their views in one query. Whatever is
changed is changed, checked against If-Match and logged in one transaction.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.db import IntegrityError, transaction
from django.db.models import Count, Model, OuterRef, ProtectedError, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.settings import api_settings
from rest_framework.viewsets import ModelViewSet

from analytics.reporting.periods import last_days
from analytics.reporting.queries import per_key
from api.conditions import require_match
from api.filters import Ordering, Search
from api.permissions import ModelRights
from api.problems import Conflict, InUse
from api.views import Bounded, plain_body
from products.api import changes
from products.api.filters import CategoryFilter, ProductFilter, refuse_empty
from products.api.serializers import (
    CategorySerializer,
    ProductSerializer,
    may_see_views,
)
from products.models import Category, Product

VIEW_DAYS = 7
LISTS = frozenset(("page", "page_size", "search", "ordering"))


class Catalogue(Bounded, ModelViewSet):
    """What both have in common."""

    scope_read = "products:read"
    scope_write = "products:write"
    permission_classes = [*api_settings.DEFAULT_PERMISSION_CLASSES, ModelRights]
    filter_backends = [DjangoFilterBackend, Search, Ordering]
    lookup_value_converter = "int"

    def known_parameters(self) -> frozenset[str]:
        if self.action != "list":
            return frozenset()
        return LISTS | self.filterset_class.base_filters.keys()

    def columns(self) -> list[str]:
        return list(self.get_serializer().fields)

    # ── Reading ──────────────────────────────────────────────────────────────
    def get_queryset(self) -> QuerySet:
        if self.request is None or self.request.method in SAFE_METHODS:
            return self.rows()
        # Nobody else changes the row until this request has.
        return self.queryset.select_for_update()

    def rows(self) -> QuerySet:
        """With all that is shown of them."""
        return self.queryset.all()

    def complete(self, found: list[Any]) -> None:
        """Adds to objects that will be shown what no column has."""

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        if self.action != "list":
            return queryset
        refuse_empty(self.request.query_params, self.filterset_class.base_filters)
        return super().filter_queryset(queryset)

    def paginate_queryset(self, queryset: QuerySet) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        self.complete(page or [])
        return page

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(self.show(self.get_object()))

    def show(self, instance: Model) -> Any:
        self.shown = instance
        self.complete([instance])
        return self.get_serializer(instance).data

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if "data" in kwargs:
            kwargs["data"] = plain_body(kwargs["data"])
        return super().get_serializer(*args, **kwargs)

    # ── Changing ─────────────────────────────────────────────────────────────
    @changes.together()
    def create(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        instance = self.save(self.get_serializer(data=request.data))
        changes.log(request, ADDITION, [instance])
        found = self.show(self.rows().get(pk=instance.pk))
        name = f"{self.queryset.model._meta.model_name}-detail"
        address = reverse(name, args=[instance.pk], request=request)
        return Response(found, status=201, headers={"Location": address})

    @changes.together()
    def update(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        instance = self.get_object()
        require_match(request, instance)
        partial = kwargs.pop("partial", False)
        serializer = self.get_serializer(instance, data=request.data, partial=partial)
        self.save(serializer)
        changes.log(request, CHANGE, [instance], list(serializer.validated_data))
        return Response(self.show(self.rows().get(pk=instance.pk)))

    @changes.together()
    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        instance = self.get_object()
        require_match(request, instance)
        changes.log(request, DELETION, [instance])
        try:
            instance.delete()
        except ProtectedError as error:
            raise InUse(
                f"{instance} still has {len(error.protected_objects)} products. "
                "Move or delete them first."
            ) from None
        return Response(status=204)

    def save(self, serializer: Any) -> Model:
        serializer.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                return serializer.save()
        except IntegrityError:
            raise Conflict from None


class CategoryViewSet(Catalogue):
    """The categories of the catalogue."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    filterset_class = CategoryFilter
    search_fields = ["name", "slug", "description"]
    ordering_fields = ["name", "slug", "position"]

    def rows(self) -> QuerySet[Category]:
        products = Product.objects.filter(category=OuterRef("pk")).order_by()
        counts = products.values("category").annotate(n=Count("pk")).values("n")
        return self.queryset.annotate(product_count=Coalesce(Subquery(counts), 0))


class ProductViewSet(Catalogue):
    """The products of the catalogue, with the views that they had."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    search_fields = ["name", "sku", "description", "category__name"]
    ordering_fields = [
        "name",
        "sku",
        "price",
        "stock",
        "created",
        "updated",
        "category__name",
    ]

    def rows(self) -> QuerySet[Product]:
        return self.queryset.with_category()

    def complete(self, found: list[Product]) -> None:
        if not found or not may_see_views(self.request):
            return
        views = per_key(
            dimension="product",
            keys=[str(product.pk) for product in found],
            period=last_days(VIEW_DAYS),
        )
        for product in found:
            product.views_7d = views.get(str(product.pk), 0)
