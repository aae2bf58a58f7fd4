"""The public pages: home, catalogue, one product, about, and the price list.

Reads active products; writes nothing, sets no cookie.
"""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.generic import DetailView, ListView

from products.models import Product

FEATURED = 8


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    products = Product.objects.available().filter(stock__gt=0)
    context = {
        "products": products.order_by("-created", "-pk")[:FEATURED],
        "categories": Product.Category.choices,
    }
    return render(request, "products/home.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "products/about.html")


class ProductList(ListView):
    """The catalogue, whole or one category of it; an unknown category is empty."""

    template_name = "products/list.html"
    context_object_name = "products"
    paginate_by = 12

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.available()
        category = self.category
        return products.in_category(category) if category else products

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(
            categories=Product.Category.choices, category=self.category, **kwargs
        )

    @property
    def category(self) -> str:
        return self.request.GET.get("category", "")


class ProductDetail(DetailView):
    template_name = "products/detail.html"
    context_object_name = "product"

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.available()

    def get_context_data(self, **kwargs) -> dict:
        others = self.get_queryset().in_category(self.object.category)
        return super().get_context_data(
            related=others.exclude(pk=self.object.pk)[:3], **kwargs
        )


class Echo:
    """What csv.writer writes to when each line is to be handed on at once."""

    def write(self, line: str) -> str:
        return line


def price_lines() -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(["name", "category", "price", "in stock"])
    for product in Product.objects.available().iterator():
        yield writer.writerow(
            [
                literal(product.name),
                product.get_category_display(),
                product.price,
                "yes" if product.stock else "no",
            ]
        )


def literal(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    dangerous = text.lstrip()[:1] in tuple("=+-@\t\r\0＝＋－＠") and text.strip()
    return f"'{text}" if dangerous else text


@require_safe
def price_list(request: HttpRequest) -> StreamingHttpResponse:
    """Streamed, so that its length does not depend on memory."""
    return StreamingHttpResponse(
        price_lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="price-list.csv"'},
    )
