"""The catalogue in the admin: list, search, edit; never cached."""

import pytest

from products.models import Product

pytestmark = pytest.mark.usefixtures("catalogue")
LIST = "/admin/products/product/"


def test_list_finds_a_product(admin_client):
    response = admin_client.get(LIST, {"q": "brass"})
    assert [product.slug for product in response.context["cl"].result_list] == [
        "brass-pen"
    ]


def test_price_can_be_changed(admin_client):
    pen = Product.objects.get(slug="brass-pen")
    form = admin_client.get(f"{LIST}{pen.pk}/change/").context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    response = admin_client.post(f"{LIST}{pen.pk}/change/", data | {"price": "25.00"})
    assert response.status_code == 302
    pen.refresh_from_db()
    assert str(pen.price) == "25.00"


@pytest.mark.parametrize("path", ["/admin/", LIST, f"{LIST}add/"])
def test_admin_pages_are_not_stored(admin_client, path):
    control = admin_client.get(path)["Cache-Control"]
    assert "no-store" in control
    assert "private" in control


def test_anonymous_is_sent_to_the_login(client):
    response = client.get(LIST)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={LIST}"
