"""The public pages: home, catalogue, one product, about, and the price list.

Reads active products; writes nothing, sets no cookie.
"""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe
from django.views.generic import DetailView, ListView

from analytics.reporting.formulas import safe_cell
from products.models import Category, Product

FEATURED = 8
RELATED = 4
SEARCH_LENGTH = 100
SEARCH_WORDS = 8


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    products = Product.objects.available().in_stock().with_category()
    context = {
        "products": products.order_by("-created", "-pk")[:FEATURED],
        "categories": Category.objects.in_use(),
    }
    return render(request, "products/home.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "products/about.html")


class ProductList(ListView):
    """The catalogue, whole or one category of it, narrowed by a search."""

    template_name = "products/list.html"
    context_object_name = "products"
    paginate_by = 12

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if "slug" not in self.kwargs and request.GET.get("category"):
            return self.moved()
        return super().get(request, *args, **kwargs)

    def moved(self) -> HttpResponse:
        """To the category's page: it was a parameter of the catalogue once."""
        words = self.request.GET.copy()
        (*_, slug) = words.pop("category")
        if "\0" in slug or not Category.objects.filter(slug=slug).exists():
            raise Http404("There is no such category.")
        return moved_to(reverse("products:category", args=[slug]), words.urlencode())

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.available().with_category()
        if self.category:
            products = products.filter(category=self.category)
        return products.matching(self.query)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(
            categories=Category.objects.in_use(),
            category=self.category,
            query=self.query,
            **kwargs,
        )

    @cached_property
    def category(self) -> Category | None:
        slug = self.kwargs.get("slug")
        return get_object_or_404(Category, slug=slug) if slug else None

    @cached_property
    def query(self) -> str:
        """What is searched for; no more than a person would type."""
        text = self.request.GET.get("q", "").replace("\0", "")[:SEARCH_LENGTH]
        return " ".join(text.split()[:SEARCH_WORDS])


class ProductDetail(DetailView):
    template_name = "products/detail.html"
    context_object_name = "product"

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponseBase:
        try:
            return super().get(request, *args, **kwargs)
        except Http404:
            product = self.get_queryset().filter(former_slugs__slug=kwargs["slug"])
            if not (found := product.first()):
                raise
        return moved_to(found.get_absolute_url(), request.META["QUERY_STRING"])

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.available().with_category()

    def get_context_data(self, **kwargs) -> dict:
        others = self.get_queryset().filter(category=self.object.category)
        return super().get_context_data(
            related=others.exclude(pk=self.object.pk)[:RELATED], **kwargs
        )


def moved_to(address: str, query: str) -> HttpResponsePermanentRedirect:
    """To be asked for anew each time: who moves back would end in a circle."""
    return HttpResponsePermanentRedirect(
        f"{address}?{query}" if query else address,
        headers={"Cache-Control": "no-cache"},
    )


class Echo:
    """What csv.writer writes to when each line is to be handed on at once."""

    def write(self, line: str) -> str:
        return line


def price_lines() -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(
        ["article number", "name", "category", "price", "currency", "in stock"]
    )
    for product in Product.objects.available().with_category().iterator():
        yield writer.writerow(
            [
                safe_cell(product.sku),
                safe_cell(product.name),
                safe_cell(product.category.name),
                product.price,
                product.currency,
                "yes" if product.stock else "no",
            ]
        )


@require_safe
def price_list(request: HttpRequest) -> StreamingHttpResponse:
    """Streamed, so that its length does not depend on memory."""
    return StreamingHttpResponse(
        price_lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="price-list.csv"'},
    )
