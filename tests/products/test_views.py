"""The public pages, as an anonymous visitor sees them."""

import csv

import pytest

from products.models import Product

pytestmark = pytest.mark.usefixtures("catalogue")

PAGES = ["/", "/about/", "/products/", "/products/brass-pen/", "/price-list.csv"]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_answered_without_a_cookie(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.parametrize("path", PAGES)
def test_page_carries_the_strict_policy(client, path):
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_catalogue_is_cut_into_pages(client):
    first, last = (client.get("/products/", {"page": page}) for page in (1, 2))
    assert len(first.context["products"]) == len(last.context["products"]) == 12
    assert "?page=2" in first.text
    assert client.get("/products/", {"page": 3}).status_code == 404


def test_catalogue_can_be_narrowed_to_a_category(client):
    products = client.get("/products/", {"category": "office"}).context["products"]
    assert {product.category for product in products} == {"office"}
    assert len(products) == Product.objects.filter(category="office").count()


def test_unknown_category_is_an_empty_list(client):
    response = client.get("/products/", {"category": "<b>"})
    assert response.status_code == 200
    assert "Nothing here" in response.text
    assert "<b>" not in response.text


def test_hidden_product_is_not_found(client):
    Product.objects.filter(slug="brass-pen").update(is_active=False)
    response = client.get("/products/brass-pen/")
    assert response.status_code == 404
    assert "This page does not exist" in response.text
    assert "Brass Pen" not in client.get("/price-list.csv").getvalue().decode()


def test_sold_out_product_says_so(client):
    Product.objects.filter(slug="brass-pen").update(stock=0)
    assert "Sold out" in client.get("/products/brass-pen/").text


def test_pages_refuse_other_methods(client):
    assert client.post("/").status_code == 405
    assert client.post("/products/").status_code == 405


def test_price_list_streams_each_available_product(client):
    response = client.get("/price-list.csv")
    assert response.streaming
    rows = list(csv.reader(response.getvalue().decode().splitlines()))
    assert rows[0] == ["name", "category", "price", "in stock"]
    assert len(rows) - 1 == Product.objects.available().count()
    assert ["Brass Pen", "Office", "24.00", "yes"] in rows


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", " +1", "＝1", "-1"])
def test_price_list_disarms_formulas(client, name):
    Product.objects.filter(slug="brass-pen").update(name=name)
    rows = csv.reader(client.get("/price-list.csv").getvalue().decode().splitlines())
    assert "'" + name in [row[0] for row in rows]


def test_broken_page_shows_no_detail(client, settings, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("products.views.ProductDetail.get_queryset", fail)
    client.raise_request_exception = False
    response = client.get("/products/brass-pen/")
    assert response.status_code == 500
    assert "Something broke" in response.text
    assert "secret" not in response.text
