"""ETags: nothing is sent twice, and nobody's change is lost."""

import threading

import pytest
from django.db import connection, connections

from products.models import Category, Product
from tests.api.calling import CATEGORIES, FORMATS, PRODUCTS, caller, decoded, send
from tests.products.making import product

pytestmark = pytest.mark.django_db
two_at_once = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its tests' database is in memory, for one"
)


def address(mug) -> str:
    return f"{PRODUCTS}{mug.pk}/"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("url", ["one", "list"])
def test_unchanged_is_not_sent_again(api, mug, format, url):
    url = address(mug) if url == "one" else PRODUCTS
    tag = send(api, "get", url, accept=format)["ETag"]
    again = send(api, "get", url, accept=format, **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    product("pan")
    mug.save()
    changed = send(api, "get", url, accept=format, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_a_tag_is_of_one_format(api, mug):
    tags = {send(api, "get", address(mug), accept=each)["ETag"] for each in FORMATS}
    assert len(tags) == len(FORMATS)
    assert not any(tag.startswith("W/") for tag in tags)


def test_what_is_shown_beside_the_row_changes_the_tag(api, mug):
    url = f"{CATEGORIES}{mug.category_id}/"
    tag = send(api, "get", url)["ETag"]
    product("pan")
    assert send(api, "get", url, **{"If-None-Match": tag}).status_code == 200
    # Of the category itself nothing changed.
    changed = send(api, "patch", url, {"position": 3}, **{"If-Match": tag})
    assert changed.status_code == 200


@pytest.mark.parametrize("format", FORMATS)
def test_a_fresh_tag_lets_changes_through(api, mug, format):
    tag = send(api, "get", address(mug), accept=format)["ETag"]
    first = send(api, "patch", address(mug), {"stock": 1}, **{"If-Match": tag})
    second = {"If-Match": first["ETag"]}
    assert first.status_code == 200
    again = send(api, "patch", address(mug), {"stock": 2}, **second)
    assert again.status_code == 200
    shown = send(api, "get", address(mug))
    assert shown["ETag"] == again["ETag"]


@pytest.mark.parametrize("weak", ["", "W/"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stale_tag_changes_nothing(api, mug, method, weak):
    tag = weak + send(api, "get", address(mug))["ETag"]
    mug.name = "Other"
    mug.save()
    data = {"sku": "007", "name": "Mine", "category": "kitchen", "price": 1}
    response = send(api, method, address(mug), data, **{"If-Match": tag})
    assert response.status_code == 412
    assert decoded(response)["code"] == "stale"
    assert Product.objects.get().name == "Other"
    fresh = weak + send(api, "get", address(mug))["ETag"]
    done = send(api, method, address(mug), data, **{"If-Match": fresh})
    assert done.status_code in (200, 204)


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_stale_category(api, db, method):
    row = Category.objects.create(name="Garden", slug="garden")
    url = f"{CATEGORIES}{row.pk}/"
    tag = send(api, "get", url)["ETag"]
    Category.objects.update(position=9)
    headers = {"If-Match": tag}
    assert send(api, method, url, {"name": "x"}, **headers).status_code == 412
    assert Category.objects.get(pk=row.pk).name == "Garden"


@pytest.mark.parametrize("tag", ['"nonsense"', "nonsense", '""', ""])
def test_tags_that_are_none_match_nothing(api, mug, tag):
    response = send(api, "patch", address(mug), {"stock": 1}, **{"If-Match": tag})
    assert response.status_code == 412
    assert send(api, "delete", address(mug), **{"If-Match": "*"}).status_code == 204


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_of_two_with_the_same_tag_one_wins(editor):
    """Both have read; both write at once. Neither change is lost unseen."""
    mug = product("mug")
    clients = [caller(editor), caller(editor)]
    tag = send(clients[0], "get", address(mug))["ETag"]
    start, statuses = threading.Barrier(2), []

    def write(client, stock: int) -> None:
        try:
            start.wait(10)
            response = send(
                client, "patch", address(mug), {"stock": stock}, **{"If-Match": tag}
            )
            statuses.append((response.status_code, stock))
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=write, args=(client, 100 + number))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(status for status, _ in statuses) == [200, 412]
    winner = next(stock for status, stock in statuses if status == 200)
    assert Product.objects.get().stock == winner


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_the_tag_is_compared_with_the_row_locked(editor, monkeypatch):
    """What is done between comparing and saving has to wait."""
    mug = product("mug")
    from products.api import views

    waited = []

    def change_meanwhile(request, instance) -> None:
        def other() -> None:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '300ms'")
                Product.objects.filter(pk=mug.pk).update(stock=77)
                waited.append(False)
            except Exception:
                waited.append(True)
            finally:
                connections.close_all()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)

    monkeypatch.setattr(views, "require_match", change_meanwhile)
    response = send(caller(editor), "patch", address(mug), {"name": "New"})
    assert (response.status_code, waited) == (200, [True])
