"""The catalogue in the admin: list, search, filters, edit; who may do what."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.rollup.direct import count_events
from products.models import Product
from tests.analytics.recording.events import event
from tests.products.making import category, product, staff, told

pytestmark = pytest.mark.usefixtures("catalogue")
LIST = "/admin/products/product/"
CATEGORIES = "/admin/products/category/"


def slugs(response) -> list[str]:
    return [product.slug for product in response.context["cl"].result_list]


def change(pk: int) -> str:
    return f"{LIST}{pk}/change/"


def form_data(client, path: str) -> dict:
    form = client.get(path).context["adminform"].form
    return {name: form[name].value() for name in form.fields}


def view(slug: str, count: int) -> None:
    now = int(timezone.now().timestamp() * 1000)
    one = {"view": "products:detail", "kwargs": {"slug": slug}, "time": now}
    count_events([event(**one)] * count, "test")


@pytest.fixture
def viewer(client):
    client.force_login(staff("products.view_product", "products.view_category"))
    return client


@pytest.mark.parametrize("words", ["brass", "PG-0002", "grows darker"])
def test_list_finds_a_product(admin_client, words):
    pen = Product.objects.get(slug="brass-pen")
    words = words.replace("PG-0002", pen.sku)
    assert slugs(admin_client.get(LIST, {"q": words})) == ["brass-pen"]


@pytest.mark.parametrize(
    ("state", "stocks"), [("out", {0}), ("low", {3}), ("in", {3, 10})]
)
def test_list_can_be_narrowed_by_stock(admin_client, state, stocks):
    Product.objects.update(stock=10)
    product("few", stock=3)
    product("none", stock=0)
    page = admin_client.get(LIST, {"stock_state": state})
    assert {each.stock for each in page.context["cl"].result_list} == stocks


def test_list_can_be_narrowed_by_category_and_visibility(admin_client):
    office = category("office")
    Product.objects.filter(slug="brass-pen").update(is_active=False)
    query = {"category__id__exact": office.pk, "is_active__exact": 0}
    assert slugs(admin_client.get(LIST, query)) == ["brass-pen"]


def test_list_shows_the_views_of_a_week(admin_client):
    view("brass-pen", 3)
    page = admin_client.get(LIST)
    views = {each.slug: each.recent_views for each in page.context["cl"].result_list}
    assert views["brass-pen"] == 3
    assert sum(views.values()) == 3
    assert '<td class="field-recent_views">3</td>' in page.text


def test_list_asks_as_often_for_many_products_as_for_few(admin_client):
    def queries(sort: str = "") -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(LIST, {"o": sort}).status_code == 200
        return len(captured)

    # Once, so that content types and the like are known.
    queries()
    Product.objects.exclude(slug="brass-pen").delete()
    few = queries()
    for number in range(45):
        product(f"extra-{number}", category=f"shelf-{number % 5}")
    assert queries() == few <= 9
    assert queries("3.1") == few


@pytest.mark.parametrize("allowed", [True, False])
def test_views_are_for_those_who_may_see_numbers(client, allowed):
    numbers = ["analytics.view_rollup"] if allowed else []
    client.force_login(staff("products.view_product", *numbers))
    assert ("Views, 7 days" in client.get(LIST).text) == allowed


def test_price_stock_and_visibility_can_be_changed_in_the_list(admin_client):
    page = admin_client.get(LIST, {"q": "brass-pen"})
    data = {"form-0-id": page.context["cl"].result_list[0].pk, "_save": "Save"}
    data |= {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1}
    data |= {"form-0-price": "25.00", "form-0-stock": "7"}
    response = admin_client.post(f"{LIST}?q=brass-pen", data)
    assert response.status_code == 302
    pen = Product.objects.get(slug="brass-pen")
    assert (str(pen.price), pen.stock, pen.is_active) == ("25.00", 7, False)


@pytest.mark.parametrize(
    ("path", "label"),
    [(LIST, "Price of Brass Pen"), (CATEGORIES, "Position of Kitchen")],
)
def test_fields_in_the_list_say_what_they_are(admin_client, path, label):
    text = admin_client.get(path).text
    assert f'aria-label="{label}"' in text
    assert "_helptext" not in text


def test_product_can_be_changed(admin_client):
    path = change(Product.objects.get(slug="brass-pen").pk)
    data = form_data(admin_client, path) | {"price": "25.00"}
    assert admin_client.post(path, data).status_code == 302
    assert str(Product.objects.get(slug="brass-pen").price) == "25.00"


def test_product_keeps_its_old_address_and_shows_it(admin_client):
    path = change(Product.objects.get(slug="brass-pen").pk)
    data = form_data(admin_client, path) | {"slug": "golden-pen"}
    admin_client.post(path, data)
    assert "brass-pen" in admin_client.get(path).text


def test_taking_a_former_address_is_said(admin_client):
    pen = Product.objects.get(slug="brass-pen")
    pen.slug = "golden-pen"
    pen.save()
    path = change(Product.objects.get(slug="door-mat").pk)
    data = form_data(admin_client, path) | {"slug": "brass-pen"}
    page = admin_client.post(path, data, follow=True)
    assert "“brass-pen” used to lead to Brass Pen" in told(page)
    assert not pen.former_slugs.exists()


def test_product_is_seen_on_the_site_while_it_is_shown(admin_client):
    pen = Product.objects.get(slug="brass-pen")
    assert 'href="/products/brass-pen/"' in admin_client.get(change(pen.pk)).text
    Product.objects.filter(pk=pen.pk).update(is_active=False)
    assert 'href="/products/brass-pen/"' not in admin_client.get(change(pen.pk)).text


@pytest.mark.parametrize(("action", "active"), [("activate", 1), ("deactivate", 0)])
def test_action_switches_products_and_leaves_a_trace(admin_client, action, active):
    pen = Product.objects.get(slug="brass-pen")
    mat = Product.objects.get(slug="door-mat")
    Product.objects.filter(pk=pen.pk).update(is_active=not active)
    Product.objects.filter(pk=mat.pk).update(is_active=active)
    data = {"action": action, "_selected_action": [pen.pk, mat.pk]}
    page = admin_client.post(LIST, data, follow=True)
    assert "1 product changed" in told(page)
    now = Product.objects.get(pk=pen.pk)
    assert now.is_active == active
    # An import that was looked at before must notice.
    assert now.updated > pen.updated
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(pen.pk)]


def test_viewer_sees_and_changes_nothing(viewer):
    pen = Product.objects.get(slug="brass-pen")
    page = viewer.get(change(pen.pk))
    assert "Grows darker" in page.text
    assert 'name="price"' not in page.text
    assert 'name="form-0-price"' not in viewer.get(LIST).text
    assert viewer.post(change(pen.pk), {"price": "1"}).status_code == 403
    data = {"action": "deactivate", "_selected_action": [pen.pk]}
    viewer.post(LIST, data)
    pen.refresh_from_db()
    assert (str(pen.price), pen.is_active) == ("24.00", True)


def test_category_list_counts_products_and_leads_to_them(admin_client):
    page = admin_client.get(CATEGORIES)
    office = category("office")
    link = f'<a href="{LIST}?category__id__exact={office.pk}">4</a>'
    assert link in page.text


def test_category_list_asks_once_for_all_counts(admin_client):
    admin_client.get(CATEGORIES)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(CATEGORIES)
    for number in range(20):
        product(f"extra-{number}", category=f"shelf-{number}")
    with CaptureQueriesContext(connection) as many:
        admin_client.get(CATEGORIES)
    assert len(many) == len(few)


def test_category_with_products_cannot_be_deleted(admin_client):
    office = category("office")
    path = f"{CATEGORIES}{office.pk}/delete/"
    admin_client.post(path, {"post": "yes"})
    office.refresh_from_db()
    assert office.products.count() == 4


@pytest.mark.parametrize("path", [LIST, f"{LIST}add/", CATEGORIES, f"{LIST}import/"])
def test_admin_pages_are_not_stored(admin_client, path):
    control = admin_client.get(path)["Cache-Control"]
    assert "no-store" in control
    assert "private" in control


def test_anonymous_is_sent_to_the_login(client):
    response = client.get(LIST)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={LIST}"
