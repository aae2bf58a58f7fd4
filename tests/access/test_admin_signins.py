"""The audit list in the admin: superusers look at it, nobody changes it."""

import pytest

from access.models import SignIn

pytestmark = pytest.mark.django_db
LIST = "/admin/access/signin/"


def test_list_says_who_by_which_door(client, superuser):
    client.force_login(superuser)
    page = client.get(LIST)
    assert "signed in" in page.text
    assert "root" in page.text


def test_name_that_nobody_has_is_said_to_be_none(client, superuser):
    SignIn.objects.create(kind=SignIn.Kind.FAILURE)
    client.force_login(superuser)
    assert "(no such user)" in client.get(LIST + "?kind=failure").text


def test_number_of_queries_does_not_grow(
    client, superuser, analyst, django_assert_max_num_queries
):
    client.force_login(superuser)
    lines = [SignIn(kind="login", user=analyst, name="ada") for _ in range(40)]
    SignIn.objects.bulk_create(lines)
    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_nobody_changes_a_line(client, superuser):
    client.force_login(superuser)
    (line,) = SignIn.objects.all()
    assert client.get(f"{LIST}{line.pk}/change/").status_code == 200
    for path in ("add/", f"{line.pk}/change/", f"{line.pk}/delete/"):
        assert client.post(LIST + path, {"post": "yes"}).status_code == 403
    assert SignIn.objects.count() == 1
