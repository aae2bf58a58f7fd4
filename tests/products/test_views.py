"""The public pages, as an anonymous visitor sees them."""

import csv

import pytest

from analytics.reporting.formulas import plain_text
from products.models import Category, Product
from tests.products.making import category, product

pytestmark = pytest.mark.usefixtures("catalogue")

PAGES = [
    "/",
    "/about/",
    "/products/",
    "/products/?q=mug",
    "/products/category/office/",
    "/products/brass-pen/",
    "/price-list.csv",
]


def names(response) -> list[str]:
    return [product.name for product in response.context["products"]]


def price_rows(client) -> list[list[str]]:
    text = client.get("/price-list.csv").getvalue().decode()
    return list(csv.reader(text.splitlines()))


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


@pytest.mark.parametrize("path", PAGES[:-1])
def test_page_has_no_inline_style_or_script(client, path):
    text = client.get(path).text
    assert "style=" not in text
    assert "<style" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 2),
        ("/products/", 3),
        ("/products/?q=a", 3),
        ("/products/category/office/", 4),
        ("/products/brass-pen/", 2),
        ("/price-list.csv", 1),
    ],
)
def test_page_asks_as_often_for_many_products_as_for_few(
    client, django_assert_num_queries, path, queries
):
    for number in range(30):
        product(f"extra-{number}", category="office")
    with django_assert_num_queries(queries):
        assert client.get(path).getvalue()


def test_home_shows_what_is_new_and_in_stock(client):
    product("newest")
    product("sold", stock=0)
    assert names(client.get("/"))[0] == "Newest"
    assert "Sold" not in names(client.get("/"))


def test_catalogue_is_cut_into_pages(client):
    first, last = (client.get("/products/", {"page": page}) for page in (1, 2))
    assert len(first.context["products"]) == len(last.context["products"]) == 12
    assert "?page=2" in first.text
    assert client.get("/products/", {"page": 3}).status_code == 404


def test_pages_of_a_search_keep_what_is_searched_for(client):
    for number in range(13):
        product(f"teapot-{number}", category="kitchen")
    page = client.get("/products/category/kitchen/", {"q": "teapot"})
    assert 'href="?q=teapot&amp;page=2"' in page.text


def test_category_has_a_page(client):
    page = client.get("/products/category/office/")
    assert {each.category.slug for each in page.context["products"]} == {"office"}
    assert len(page.context["products"]) == 4
    assert "<title>Office" in page.text
    assert "For a desk that is worked at." in page.text


@pytest.mark.parametrize("query", ["category=office", "category=x&category=office"])
def test_old_address_of_a_category_leads_to_its_page(client, query):
    response = client.get(f"/products/?{query}&page=1&q=pen")
    assert response.status_code == 301
    assert response["Location"] == "/products/category/office/?page=1&q=pen"


@pytest.mark.parametrize("slug", ["<b>", "nothing", "//example.org", "\0"])
def test_unknown_category_is_not_found(client, slug):
    response = client.get("/products/", {"category": slug})
    assert response.status_code == 404
    assert "<b>" not in response.text


def test_category_that_does_not_exist_is_not_found(client):
    assert client.get("/products/category/nothing/").status_code == 404


def test_empty_category_says_so_and_is_not_offered(client):
    category("spaceships")
    assert "Nothing here yet" in client.get("/products/category/spaceships/").text
    assert "spaceships" not in client.get("/products/").text


def test_category_without_a_picture_gets_the_common_one(client):
    product("rocket", category="spaceships")
    assert "products/goods.svg" in client.get("/products/rocket/").text
    assert "products/office.svg" in client.get("/products/brass-pen/").text


def test_search_finds_products_in_all_categories(client):
    page = client.get("/products/", {"q": "  linen "})
    assert names(page) == ["Linen Cushion", "Linen Tea Towels"]
    assert "2 products" in page.text


def test_search_can_be_narrowed_to_a_category(client):
    page = client.get("/products/category/kitchen/", {"q": "linen"})
    assert names(page) == ["Linen Tea Towels"]
    assert 'href="/products/?q=linen"' in page.text


def test_search_that_finds_nothing_says_what_to_try(client):
    page = client.get("/products/", {"q": "<script>alert(1)</script>"})
    assert "Nothing found" in page.text
    assert "See all products" in page.text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


@pytest.mark.parametrize("text", ["\0", "a" * 10_000, "a " * 5_000, "%'\"\\;--", "ﷺ"])
def test_search_takes_any_text(client, text):
    assert client.get("/products/", {"q": text}).status_code == 200


def test_product_page_shows_price_and_stock(client):
    found = Product.objects.get(slug="brass-pen")
    Product.objects.filter(pk=found.pk).update(currency="CHF", stock=3)
    page = client.get("/products/brass-pen/").text
    assert "CHF\N{NO-BREAK SPACE}24.00" in page
    assert "Only 3 left" in page
    assert found.sku in page


def test_product_page_suggests_others_of_its_category(client):
    page = client.get("/products/brass-pen/")
    assert {each.category.slug for each in page.context["related"]} == {"office"}
    assert "brass-pen" not in [each.slug for each in page.context["related"]]


def test_hidden_product_is_not_found(client):
    Product.objects.filter(slug="brass-pen").update(is_active=False)
    response = client.get("/products/brass-pen/")
    assert response.status_code == 404
    assert "This page does not exist" in response.text
    assert "Brass Pen" not in client.get("/price-list.csv").getvalue().decode()


def test_former_address_leads_to_the_product(client):
    pen = Product.objects.get(slug="brass-pen")
    pen.slug = "golden-pen"
    pen.save()
    response = client.get("/products/brass-pen/?utm_source=letter")
    assert response.status_code == 301
    # The browser must not lead there for ever: the pen may get its old name back.
    assert response["Cache-Control"] == "no-cache"
    assert response["Location"] == "/products/golden-pen/?utm_source=letter"
    Product.objects.filter(pk=pen.pk).update(is_active=False)
    assert client.get("/products/brass-pen/").status_code == 404


def test_sold_out_product_says_so(client):
    Product.objects.filter(slug="brass-pen").update(stock=0)
    assert "Sold out" in client.get("/products/brass-pen/").text


def test_pages_refuse_other_methods(client):
    assert client.post("/").status_code == 405
    assert client.post("/products/").status_code == 405


def test_price_list_streams_each_available_product(client):
    assert client.get("/price-list.csv").streaming
    header, *rows = price_rows(client)
    assert header == [
        "article number",
        "name",
        "category",
        "price",
        "currency",
        "in stock",
    ]
    assert len(rows) == Product.objects.available().count()
    sku = Product.objects.get(slug="brass-pen").sku
    assert [sku, "Brass Pen", "Office", "24.00", "EUR", "yes"] in rows


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", " +1", "＝1", "-1", "\t=1"])
def test_price_list_disarms_formulas(client, name):
    Product.objects.filter(slug="brass-pen").update(name=name)
    Category.objects.filter(slug="kitchen").update(name=name)
    rows = price_rows(client)
    assert "'" + name in [row[1] for row in rows]
    assert "'" + name in [row[2] for row in rows]
    assert name in [plain_text(row[1]) for row in rows]


def test_broken_page_shows_no_detail(client, settings, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("products.views.ProductDetail.get_queryset", fail)
    client.raise_request_exception = False
    response = client.get("/products/brass-pen/")
    assert response.status_code == 500
    assert "Something broke" in response.text
    assert "secret" not in response.text
