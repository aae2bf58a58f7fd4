"""Every address of the catalogue, in every format, with every kind of credential.

The object is the same in all of them; the tables say who may do what.
"""

import io
from datetime import timedelta

import openpyxl
import pytest

from products.models import Category, Product
from tests.api.calling import (
    BULK,
    CATEGORIES,
    EDITOR,
    FORMATS,
    PRODUCTS,
    READ,
    SCOPES,
    as_shown,
    caller,
    decoded,
    person,
    send,
)
from tests.products.making import category, product

pytestmark = pytest.mark.django_db
KINDS = ("session", "token", "jwt", "oauth", "machine")
NEW = {"sku": "007", "name": "Mug", "category": "kitchen", "price": "9.50"}
NEW_CATEGORY = {"name": "Office", "slug": "office"}


def assert_same(shown, plain, format):
    assert decoded(shown) == as_shown(plain, format)


def readable(mug) -> dict[str, str]:
    """Addresses that show something, and one of each kind of refusal."""
    return {
        "products": PRODUCTS,
        "product": f"{PRODUCTS}{mug.pk}/",
        "no products": f"{PRODUCTS}?sku=NONE",
        "categories": CATEGORIES,
        "category": f"{CATEGORIES}{mug.category_id}/",
        "missing": f"{PRODUCTS}0/",
        "unknown parameter": f"{PRODUCTS}?colour=red",
        "bad filter": f"{PRODUCTS}?price_min=cheap&stock_max=-1",
        "no address": "/api/v1/nothing/",
        "wrong method": BULK,
    }


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", readable(Product(pk=1)))
def test_an_answer_is_the_same_object_in_every_format(api, shelf, format, name):
    url = readable(shelf[0])[name]
    plain = send(api, "get", url)
    by_accept = send(api, "get", url, accept=format)
    mark = "&" if "?" in url else "?"
    by_name = send(api, "get", f"{url}{mark}format={format}", accept="*/*")
    for shown in (by_accept, by_name):
        assert shown.status_code == plain.status_code
        content = decoded(plain)
        if isinstance(content, dict) and "\ufffd" not in str(content):
            content = _without_control_characters(content, format)
        assert_same(shown, content, format)


def _without_control_characters(value, format):
    """XML and XLSX cannot have them."""
    if format not in ("xml", "xlsx"):
        return value
    if isinstance(value, dict):
        return {k: _without_control_characters(v, format) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_control_characters(each, format) for each in value]
    return value.replace("\x0b", "\ufffd") if isinstance(value, str) else value


@pytest.mark.parametrize("one", [False, True])
def test_a_spreadsheet_can_add_up_prices_and_compare_times(api, shelf, one):
    url = f"{PRODUCTS}{shelf[0].pk}/" if one else PRODUCTS
    response = send(api, "get", url, accept="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    names, *rows = sheet.iter_rows()
    rows = [{h.value: cell for h, cell in zip(names, r, strict=True)} for r in rows]
    products = {each.sku: each for each in (shelf[:1] if one else shelf)}
    assert {row["sku"].value for row in rows} == set(products)
    for row in rows:
        product = products[row["sku"].value]
        assert (row["price"].data_type, row["price"].number_format) == ("n", "0.00")
        assert row["price"].value == float(product.price)
        for name in ("created", "updated"):
            exact = getattr(product, name).replace(tzinfo=None)
            assert timedelta(0) <= exact - row[name].value < timedelta(milliseconds=1)
        # What only looks like a number, or like a formula, is the text that it is.
        assert row["sku"].data_type == row["name"].data_type == "s"


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("format", READ)
def test_an_object_is_read_from_every_format(api, format, accept):
    category()
    response = send(api, "post", PRODUCTS, NEW, format, accept)
    assert response.status_code == 201, response.content
    made = Product.objects.get()
    assert (made.sku, made.slug, made.is_active) == ("007", "mug", True)
    assert (str(made.price), made.stock, made.currency) == ("9.50", 0, "EUR")
    assert response["Location"].endswith(f"{PRODUCTS}{made.pk}/")
    again = send(api, "get", f"{PRODUCTS}{made.pk}/")
    assert_same(response, decoded(again), accept)


@pytest.mark.parametrize("format", READ)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_object_is_changed_in_every_format(api, mug, format, method):
    changed = NEW | {"name": "'=Mug", "stock": 3, "is_active": False}
    response = send(api, method, f"{PRODUCTS}{mug.pk}/", changed, format)
    assert response.status_code == 200, response.content
    mug.refresh_from_db()
    assert (mug.name, mug.stock, mug.is_active) == ("'=Mug", 3, False)


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("format", READ)
def test_errors_are_the_same_in_every_format(api, format, accept):
    category()
    bad = {"sku": "a b", "price": "-1", "category": "none", "name": "", "stock": "x"}
    plain = send(api, "post", PRODUCTS, bad)
    shown = send(api, "post", PRODUCTS, bad, format, accept)
    assert shown.status_code == plain.status_code == 400
    assert set(decoded(plain)["errors"]) == set(bad)
    assert decoded(plain)["code"] == "invalid"
    assert_same(shown, decoded(plain), accept)
    assert not Product.objects.exists()


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("format", [each for each in READ if each != "multipart"])
def test_rows_are_read_from_every_format(api, mug, format, accept):
    rows = [
        {"sku": "007", "name": "Mug", "price": "9.50"},
        {"sku": "NEW-1", "name": "New", "category": "kitchen", "price": "1.00"},
        {"sku": "BAD", "name": "Bad", "category": "kitchen", "price": "x"},
    ]
    if format == "csv":
        rows[0] |= {"category": "kitchen"}
    plain = send(api, "post", f"{BULK}?mode=each&dry_run=1", rows)
    shown = send(api, "post", f"{BULK}?mode=each&dry_run=1", rows, format, accept)
    states = [row["status"] for row in decoded(plain)["results"]]
    assert states == ["unchanged", "created", "error"]
    assert "price" in decoded(plain)["results"][2]["errors"]
    assert_same(shown, decoded(plain), accept)


# ── Who may do what ──────────────────────────────────────────────────────────
# method, address, what is sent; permission; status where it is there
DOORS = {
    "list": ("get", PRODUCTS, None, "products.view_product", 200),
    "read": ("get", f"{PRODUCTS}{{mug}}/", None, "products.view_product", 200),
    "create": ("post", PRODUCTS, NEW | {"sku": "N"}, "products.add_product", 201),
    "put": ("put", f"{PRODUCTS}{{mug}}/", NEW, "products.change_product", 200),
    "patch": ("patch", f"{PRODUCTS}{{mug}}/", {}, "products.change_product", 200),
    "delete": ("delete", f"{PRODUCTS}{{mug}}/", None, "products.delete_product", 204),
    "categories": ("get", CATEGORIES, None, "products.view_category", 200),
    "category": ("get", f"{CATEGORIES}{{c}}/", None, "products.view_category", 200),
    "add": ("post", CATEGORIES, NEW_CATEGORY, "products.add_category", 201),
    "rename": ("patch", f"{CATEGORIES}{{c}}/", {}, "products.change_category", 200),
    "drop": ("delete", f"{CATEGORIES}{{e}}/", None, "products.delete_category", 204),
}


def knock(client, door: str) -> int:
    mug = product("cup", sku="CUP")
    names = {"mug": mug.pk, "c": mug.category_id, "e": category("empty").pk}
    method, url, data, _, _ = DOORS[door]
    return send(client, method, url.format(**names), data).status_code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("door", DOORS)
def test_the_permission_opens_its_door_and_no_other(door, kind):
    permission, opened = DOORS[door][3:]
    others = [each for each in EDITOR if each != permission]
    assert knock(caller(person(permission), kind), door) == opened
    Product.objects.all().delete()
    Category.objects.all().delete()
    other = caller(person(*others, "analytics.view_rollup", name="other"), kind)
    assert knock(other, door) == 403


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("door", DOORS)
def test_the_scope_opens_its_door_and_no_other(editor, door, kind):
    reads = DOORS[door][0] == "get"
    scope = "products:read" if reads else "products:write"
    others = tuple(each for each in SCOPES if each != scope)
    for held, status in (((scope,), DOORS[door][4]), (others, 403), ((), 403)):
        Product.objects.all().delete()
        Category.objects.all().delete()
        assert knock(caller(editor, kind, held), door) == status


@pytest.mark.parametrize("door", [*DOORS, "bulk"])
def test_nobody_gets_nothing(door, mug):
    method, url, data = ("post", BULK, []) if door == "bulk" else DOORS[door][:3]
    url = url.format(mug=mug.pk, c=mug.category_id, e=mug.category_id)
    response = send(caller(None), method, url, data)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert decoded(response)["code"] == "not_authenticated"


@pytest.mark.parametrize("kind", KINDS)
def test_bulk_needs_both_permissions_and_the_scope(kind, mug):
    rows = [{"sku": "007", "stock": 4}]
    both = ("products.add_product", "products.change_product")
    for number, held in enumerate([both[:1], both[1:], ("products.import_product",)]):
        client = caller(person(*held, name=f"clerk{number}"), kind)
        assert send(client, "post", BULK, rows).status_code == 403
    user = person(*both)
    assert send(caller(user, kind), "post", BULK, rows).status_code == 200
    if kind != "session":
        reader = caller(user, kind, ("products:read", "analytics:read"))
        assert send(reader, "post", BULK, rows).status_code == 403


def test_a_session_needs_the_csrf_token_and_a_token_does_not(editor, mug):
    for kind, status in (("session", 403), ("token", 200), ("oauth", 200)):
        client = caller(editor, kind)
        client.handler.enforce_csrf_checks = True
        response = send(client, "patch", f"{PRODUCTS}{mug.pk}/", {"stock": 1})
        assert response.status_code == status
