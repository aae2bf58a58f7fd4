"""The catalogue in the admin: categories, and products with the views they had."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from analytics.reporting.periods import last_days
from analytics.reporting.queries import per_key
from products.managers import LOW_STOCK
from products.models import Category, FormerSlug, Product
from products.transfer import TransferMixin

VIEW_DAYS = 7


class ListForm(forms.ModelForm):
    """A row that is edited in the list, where no label stands before a field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.help_text = ""
            field.widget.attrs["aria-label"] = f"{field.label} of {self.instance}"


class ListEditAdmin(admin.ModelAdmin):
    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type:
        return super().get_changelist_form(request, **{"form": ListForm} | kwargs)


@admin.register(Category)
class CategoryAdmin(ListEditAdmin):
    list_display = ["name", "slug", "position", "product_count"]
    list_editable = ["position"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "description"]}),
        ("In the shop", {"fields": ["position"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).with_counts()

    @admin.display(description="products", ordering="product_count")
    def product_count(self, category: Category) -> str:
        address = reverse(f"{self.admin_site.name}:products_product_changelist")
        return format_html(
            '<a href="{}?category__id__exact={}">{}</a>',
            address,
            category.pk,
            category.product_count,
        )

    def view_on_site(self, category: Category) -> str:
        return category.get_absolute_url()


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("out", "Sold out"),
            ("low", f"Low (1 to {LOW_STOCK})"),
            ("in", "In stock"),
        ]

    def queryset(
        self, request: HttpRequest, products: QuerySet[Product]
    ) -> QuerySet[Product]:
        narrowed = {
            "out": products.sold_out,
            "low": products.low_stock,
            "in": products.in_stock,
        }.get(self.value())
        return narrowed() if narrowed else products


class ProductChangeList(ChangeList):
    """Asks for the views of a page's products in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if "recent_views" not in self.list_display:
            return
        views = per_key(
            dimension="product",
            keys=[str(product.pk) for product in self.result_list],
            period=last_days(VIEW_DAYS),
        )
        for product in self.result_list:
            product.recent_views = views.get(str(product.pk), 0)


@admin.register(Product)
class ProductAdmin(TransferMixin, ListEditAdmin):
    list_display = [
        "name",
        "sku",
        "category",
        "price",
        "currency",
        "stock",
        "is_active",
        "recent_views",
    ]
    list_editable = ["price", "stock", "is_active"]
    list_filter = ["category", "is_active", StockFilter]
    list_per_page = 50
    search_fields = ["name", "sku", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["former_addresses", "created", "updated"]
    actions = ["activate", "deactivate"]
    fieldsets = [
        (None, {"fields": ["name", "sku", "category", "description"]}),
        ("Offer", {"fields": [("price", "currency"), "stock", "is_active"]}),
        ("Address", {"fields": ["slug", "former_addresses"]}),
        ("History", {"fields": ["created", "updated"], "classes": ["collapse"]}),
    ]

    class Media:
        css = {"all": ["analytics/filters.css", "products/admin.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProductChangeList

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Views for those only who may see the numbers."""
        if request.user.has_perm("analytics.view_rollup"):
            return self.list_display
        return [name for name in self.list_display if name != "recent_views"]

    @admin.display(description=f"Views, {VIEW_DAYS} days")
    def recent_views(self, product: Product) -> int:
        return product.recent_views

    @admin.display(description="Former addresses")
    def former_addresses(self, product: Product) -> str:
        slugs = [former.slug for former in product.former_slugs.all()]
        return ", ".join(slugs) or "–"

    def view_on_site(self, product: Product) -> str | None:
        return product.get_absolute_url() if product.is_active else None

    def save_model(
        self, request: HttpRequest, product: Product, form: Any, change: bool
    ) -> None:
        former = FormerSlug.objects.filter(slug=product.slug).exclude(
            product=product.pk
        )
        names = [str(each.product) for each in former.select_related("product")]
        super().save_model(request, product, form, change)
        for name in names:
            messages.warning(
                request, f"The address “{product.slug}” used to lead to {name}."
            )

    # ── Actions ──────────────────────────────────────────────────────────────
    @admin.action(description="Show in the shop", permissions=["change"])
    def activate(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.switch(request, products, True, "Shown in the shop.")

    @admin.action(description="Hide from the shop", permissions=["change"])
    def deactivate(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.switch(request, products, False, "Hidden from the shop.")

    def switch(
        self, request: HttpRequest, products: QuerySet[Product], on: bool, text: str
    ) -> None:
        with transaction.atomic():
            rows = list(
                products.filter(is_active=not on).select_for_update(of=("self",))
            )
            Product.objects.filter(pk__in=[row.pk for row in rows]).update(
                is_active=on, updated=timezone.now()
            )
            if rows:
                self.log_each(request, rows, CHANGE, text)
        noun = "product" if len(rows) == 1 else "products"
        messages.success(request, f"{len(rows)} {noun} changed. {text}")
