"""What is refused before anything is done: bodies, formats, names, and too many."""

import io

import pytest

from products.models import Product
from tests.api.calling import (
    EDITOR,
    FORMATS,
    PRODUCTS,
    caller,
    decoded,
    person,
    send,
)
from tests.products.making import product

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db):
    return caller(person(*EDITOR))


class NeverRead(io.RawIOBase):
    """A body that fails the test when somebody reads of it."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        raise AssertionError("the body was read")


def post(client, body: bytes, kind: str, **extra):
    return client.generic("POST", PRODUCTS, body, content_type=kind, **extra)


@pytest.mark.parametrize("kind", [*FORMATS.values(), "multipart/form-data; boundary=x"])
def test_a_body_that_is_too_large_is_not_read(api, settings, kind):
    settings.API_MAX_BYTES = 1_000
    never = {"wsgi.input": NeverRead(), "CONTENT_LENGTH": "1001"}
    response = post(api, b"x", kind, **never)
    assert (response.status_code, decoded(response)["code"]) == (413, "too_large")
    assert (
        post(api, b"x", "application/json", CONTENT_LENGTH="9" * 40).status_code == 413
    )
    assert post(api, b" " * 1_000, "application/json").status_code == 400


@pytest.mark.parametrize("length", ["x", "-1", "1.5", "²"])
def test_a_length_that_is_none(api, length):
    # The client's own request would fail at it.
    from rest_framework.exceptions import ParseError

    from api.views import refuse_body

    class Asked:
        META = {"CONTENT_LENGTH": length}
        content_params = {}

    with pytest.raises(ParseError):
        refuse_body(Asked)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/html",
        FORMATS["xlsx"],
        "application/json; charset=zlib",
        "application/json; charset=utf-16",
        "text/csv; charset=latin-1",
        "application/xml; charset=utf-7",
        "nonsense",
    ],
)
def test_what_is_not_read(api, kind):
    response = post(api, b'{"sku": "1"}', kind)
    assert response.status_code == 415
    assert decoded(response)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf_8_by_its_names(api, charset):
    response = post(api, b"{}", f"application/json; charset={charset}")
    assert set(response.json()["errors"]) >= {"sku", "name"}


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/pdf", "x"])
def test_what_is_not_written(api, accept):
    response = send(api, "get", PRODUCTS, accept=accept)
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
    named = send(api, "get", f"{PRODUCTS}?format=html")
    assert named.status_code == 406
    assert "xlsx" in named.json()["detail"]


def test_problems_are_problem_details(api):
    response = send(api, "get", f"{PRODUCTS}0/")
    assert response["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "/api/v1/docs/#problem-not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "Not found.",
        "code": "not_found",
    }
    as_xml = send(api, "get", f"{PRODUCTS}0/", accept="xml")
    assert as_xml["Content-Type"] == "application/problem+xml"


def test_answers_are_for_the_client_alone(api):
    response = send(api, "get", PRODUCTS)
    assert response["Cache-Control"] == "private, no-cache"
    vary = {word.strip() for word in response["Vary"].split(",")}
    assert {"Accept", "Authorization", "Cookie"} <= vary


def test_methods_that_are_none(api):
    for method in ("options", "put", "trace"):
        assert send(api, method, PRODUCTS).status_code == 405
        assert send(api, method, f"{PRODUCTS}?page=1").status_code == 405


def test_a_form_with_a_field_twice(api):
    part = '--x\r\nContent-Disposition: form-data; name="sku"\r\n\r\n{}\r\n'
    body = (part.format("A") + part.format("B") + "--x--\r\n").encode()
    response = post(api, body, "multipart/form-data; boundary=x")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("kind", ["session", "token"])
def test_a_form_of_very_many_fields(kind):
    client = caller(person(*EDITOR), kind)
    client.handler.enforce_csrf_checks = kind == "session"
    part = '--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n'
    body = (part * 1_100 + "--x--\r\n").encode()
    response = post(client, body, "multipart/form-data; boundary=x")
    assert response.status_code in (400, 403)
    assert decoded(response)["status"] == str(response.status_code)


def test_a_file_is_no_text(api):
    product("mug")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nName\r\n--x--\r\n"
    )
    url = f"{PRODUCTS}{Product.objects.get().pk}/"
    response = api.patch(url, data=body, content_type="multipart/form-data; boundary=x")
    assert set(response.json()["errors"]) == {"name"}


def test_the_address_of_nothing(api):
    assert send(api, "get", "/api/v1/nothing/").status_code == 404
    assert send(api, "post", "/api/v1/nothing/", {}).json()["code"] == "not_found"
    assert send(caller(None), "get", "/api/v1/nothing/").status_code == 401


@pytest.mark.parametrize("url", ["/api/", "/api/v2/products/", "/api/x", "/api/v1x/"])
def test_nothing_below_api_is_a_page_of_the_shop(api, url):
    response = send(api, "get", url)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert send(api, "put", url, {}, accept="xml").status_code == 404
    assert send(caller(None), "get", url).status_code == 401


def test_the_index_lists_addresses_for_who_may_read_the_description(api):
    rows = send(api, "get", "/api/v1/").json()["results"]
    found = {row["path"]: row["methods"] for row in rows}
    assert found[PRODUCTS] == ["GET", "POST"]
    assert found["/api/v1/analytics/totals/"] == ["GET"]
    as_table = decoded(send(api, "get", "/api/v1/", accept="csv"))
    assert {row["path"] for row in as_table} == set(found)
    assert send(api, "get", "/api/v1/?page=1").status_code == 400
    visitor = caller(person(name="visitor"), "session")
    assert send(visitor, "get", "/api/v1/").status_code == 403
    assert send(caller(None), "get", "/api/v1/").status_code == 401


def test_an_answer_that_if_match_does_not_name_is_a_problem(api):
    response = send(api, "get", PRODUCTS, **{"If-Match": '"other"'})
    assert (response.status_code, response.json()["code"]) == (412, "stale")
    assert response["Cache-Control"] == "private, no-cache"
    tag = send(api, "get", PRODUCTS)["ETag"]
    assert send(api, "get", PRODUCTS, **{"If-Match": tag}).status_code == 200


def test_an_address_without_its_slash_says_so(api):
    problem = send(api, "get", "/api/v1/products").json()
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert "slash" in problem["detail"]


def test_a_scope_that_is_missing_has_a_code_of_its_own(db):
    reader = caller(person(*EDITOR), scopes=("analytics:read",))
    assert send(reader, "get", PRODUCTS).json()["code"] == "scope_missing"
