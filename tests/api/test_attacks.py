"""Attacks on the API that no other file makes, and pages that must not pay for it."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.settings import api_settings

from api import throttles
from products.models import Category, Product
from tests.access.conftest import PASSWORD, counted  # noqa: F401
from tests.api.calling import (
    BULK,
    EDITOR,
    FORMATS,
    PRODUCTS,
    caller,
    encoded,
    person,
    send,
)
from tests.products.making import product

pytestmark = pytest.mark.django_db
LOOKUPS = (
    "category__products__sku__startswith",
    "logentry__user__password__startswith",
    "sku__regex",
    "sku') OR 1=1 --",
    "_connector",
    "_negated",
    "pk__in",
    "filter",
    "order_by",
    "__class__",
    "\0",
)
SENT = {"sku": "C-1", "name": "Cup", "category": "kitchen", "price": "9.50"}


@pytest.fixture
def api(db):
    return caller(person(*EDITOR, "analytics.view_rollup"))


@pytest.fixture
def mug(db):
    return product("mug")


# ── Injection ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", LOOKUPS)
@pytest.mark.parametrize("url", [PRODUCTS, "/api/v1/analytics/top/"])
def test_lookups_are_no_parameters(api, mug, url, name):
    response = api.get(url, {name: "1"})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [name]


@pytest.mark.parametrize("name", LOOKUPS)
def test_lookups_are_no_orderings_and_no_choices(api, mug, name):
    assert api.get(PRODUCTS, {"ordering": name}).status_code == 400
    for word in ("by", "dimension", "audience", "compare", "range"):
        response = api.get("/api/v1/analytics/top/", {word: name})
        assert list(response.json()["errors"]) == [word]


@pytest.mark.parametrize("value", ["' OR '1'='1", "%", "_", "\\", "*", "MU%", "{0}"])
def test_values_are_nothing_but_values(api, mug, value):
    for name in ("sku", "category", "search"):
        response = api.get(PRODUCTS, {name: value})
        assert (response.status_code, response.json()["count"]) == (200, 0)


# ── Mass assignment ──────────────────────────────────────────────────────────
@pytest.mark.parametrize("format", ["json", "xml", "yaml", "csv", "multipart"])
@pytest.mark.parametrize("name", ["is_staff", "user", "category_id", "_state", "save"])
def test_names_that_are_no_field_save_nothing(api, mug, format, name):
    response = send(api, "post", PRODUCTS, SENT | {name: "1"}, format)
    assert list(response.json()["errors"]) == [name]
    if format != "multipart":
        assert send(api, "post", BULK, [SENT | {name: "1"}], format).status_code == 400
    assert Product.objects.count() == 1


def test_what_a_role_may_not_set_stays(mug):
    """Of a product its category may be chosen; of the category nothing."""
    client = caller(person("products.change_product", "products.view_product"))
    url = f"{PRODUCTS}{mug.pk}/"
    for category in ({"name": "Mine"}, {"slug": "kitchen", "name": "Mine"}):
        assert send(client, "patch", url, {"category": category}).status_code == 400
    assert send(client, "patch", url, {"id": 9_999, "created": "2020-01-01"}).json()[
        "id"
    ] == (mug.pk)
    assert list(Category.objects.values_list("name", flat=True)) == ["Kitchen"]
    assert send(client, "post", PRODUCTS, SENT).status_code == 403
    assert send(client, "post", BULK, [SENT]).status_code == 403


# ── Cross-site requests ──────────────────────────────────────────────────────
@pytest.mark.parametrize("format", ["json", "xml", "yaml", "csv", "multipart"])
def test_a_session_needs_its_csrf_token_in_every_format(mug, format):
    editor = person(*EDITOR)
    content, kind = encoded(SENT, format)
    for door, status in (("session", 403), ("token", 201)):
        client = caller(editor, door)
        client.handler.enforce_csrf_checks = True
        response = client.post(PRODUCTS, data=content, content_type=kind)
        assert response.status_code == status, response.content


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_no_header_changes_the_method(api, mug, header):
    response = send(api, "get", f"{PRODUCTS}{mug.pk}/", **{header: "DELETE"})
    assert response.status_code == 200
    assert Product.objects.count() == 1


# ── Guessing ─────────────────────────────────────────────────────────────────
@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_rotating_x_forwarded_for_avoids_no_throttle(settings, monkeypatch, proxies):
    settings.ANALYTICS_PROXIES = proxies
    rates = {throttles.REFUSED: "3/minute"}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)
    own = ["198.51.100.7", "192.0.2.1"][:proxies]

    def guess(number: int) -> int:
        hops = ", ".join([f"203.0.113.{number}", *own])
        headers = {"X-Forwarded-For": hops, "Authorization": f"Bearer adt_{number}"}
        return Client().get(PRODUCTS, headers=headers).status_code

    assert [guess(number) for number in range(5)] == [401, 401, 401, 429, 429]


# ── Redirects ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.org/",
        "//evil.example.org",
        "/\\evil.example.org",
        "\\\\evil.example.org",
        "javascript:alert(1)",
        "https:evil.example.org",
        "\x09//evil.example.org",
    ],
)
def test_next_leads_nowhere_else(target):
    User.objects.create_superuser("root", password=PASSWORD)
    body = {"username": "root", "password": PASSWORD, "next": target}
    response = Client().post("/admin/login/", body, query_params={"next": target})
    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("path", ["//evil.example.org", "//evil.example.org/%2e%2e"])
def test_a_missing_slash_leads_nowhere_else(api, path):
    location = api.get(f"/api/v1/{path}").headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith("//")


# ── What visitors see ────────────────────────────────────────────────────────
@pytest.mark.parametrize("signed_in", [False, True])
def test_public_pages_ask_for_no_session_and_no_user(catalogue, signed_in):
    client = caller(person(is_staff=True) if signed_in else None, "session")
    shown = Product.objects.select_related("category").first()
    pages = (
        "/products/",
        shown.get_absolute_url(),
        shown.category.get_absolute_url(),
        "/favicon.ico",
        "/nothing/",
    )
    for page in pages:
        with CaptureQueriesContext(connection) as asked:
            response = client.get(page)
        tables = " ".join(each["sql"] for each in asked)
        assert "django_session" not in tables, page
        assert "auth_user" not in tables, page
        assert "Cookie" not in response.get("Vary", "")
        assert not response.cookies


def test_formats_are_those_of_the_table(api):
    assert set(FORMATS) == {one.format for one in api_settings.DEFAULT_RENDERER_CLASSES}
