"""The pages: what they show, what they refuse, and what they never tell."""

import html
import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flask_shop import create_app, money
from flask_shop.models import Order, Product

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
FORM = "/products/clay-pot/order/"
ADA = {"name": "Ada", "email": "ada@example.org", "quantity": "2"}


def text_of(browser, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status
    return html.unescape(answer.text)


def token_of(browser) -> str:
    return TOKEN.search(browser.get(FORM).text)[1]


def send(browser, **fields: str):
    return browser.post(FORM, data=ADA | {"csrf_token": token_of(browser)} | fields)


def orders(app) -> int:
    with Session(app.extensions["engine"]) as session:
        return session.scalar(select(func.count()).select_from(Order))


def test_catalogue_by_pages(browser):
    first, second = text_of(browser, "/"), text_of(browser, "/?page=2")
    assert "18 products" in first
    assert first.count('class="card"') + second.count('class="card"') == 18
    assert 'href="/?page=2"' in first
    assert 'href="/"' in second


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/?q=SMOKE", {"Pine Smoke"}),
        ("/?q=orchids+tight", {"Iron Lady"}),
        ("/?q=LK-001", {"Morning Harbour"}),
        ("/category/oolong/", {"Iron Lady", "Cliff Walk", "Honey Bug"}),
        ("/?q=%25", set()),
        ("/?q=_", set()),
        ("/?q=%00%00", None),
        ("/?page=99999999999999999999", set()),
        ("/?page=-1", None),
        ("/?page=one", None),
    ],
)
def test_search(browser, address, names):
    found = set(re.findall(r"<h2><a [^>]*>([^<]+)<", text_of(browser, address)))
    if names is None:
        assert len(found) == 12
    else:
        assert found == names


def test_what_is_typed_is_escaped(app, browser):
    assert b"&lt;script&gt;" in browser.get("/?q=<script>alert(1)</script>").data
    refused = send(browser, name='"><script>', quantity="0").text
    assert "<script" not in refused
    assert "&#34;&gt;&lt;script&gt;" in refused
    with Session(app.extensions["engine"]) as session, session.begin():
        session.execute(update(Product).values(name="<b>bold</b>"))
    assert "<b>" not in browser.get("/").text + browser.get(FORM).text


def test_a_product_says_how_many_are_left(browser):
    assert "Only 9 left" in text_of(browser, "/products/cliff-walk/")
    assert "In stock" in text_of(browser, "/products/clay-pot/")
    assert "Sold out" in text_of(browser, "/products/honey-bug/")
    assert "sold out" in text_of(browser, "/products/honey-bug/order/")


def test_an_order_from_the_form_to_the_thanks(app, browser):
    answer = send(browser, email=" Ada@Example.org ")
    assert answer.status_code == 303
    shown = text_of(browser, answer.location)
    assert "Thank you, Ada" in shown
    assert "ada@example.org" in shown
    assert money(9200) in shown
    assert orders(app) == 1


def test_nobody_else_sees_an_order(app, browser):
    address = send(browser).location
    assert app.test_client().get(address).status_code == 404
    assert browser.get("/orders/0000000000000000/").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\0b"),
        ("email", "ada"),
        ("email", "a@b"),
        ("email", "ada@example.org\0"),
        ("email", f"{'x' * 250}@example.org"),
        ("quantity", "0"),
        ("quantity", "-1"),
        ("quantity", "21"),
        ("quantity", "1e1"),
        ("quantity", "٣"),
        ("quantity", "9" * 5000),
        ("quantity", ""),
        ("quantity", "18"),
    ],
)
def test_what_cannot_be_ordered_is_marked(app, browser, field, value):
    answer = send(browser, **{field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert orders(app) == 0


def test_a_form_without_its_token_is_refused(app, browser):
    token = token_of(browser)
    stranger = app.test_client()
    for client, fields in [
        (browser, {}),
        (browser, {"csrf_token": ""}),
        (browser, {"csrf_token": token[:-1]}),
        (browser, {"csrf_token": "é"}),
        (stranger, {"csrf_token": token}),
        (stranger, {"csrf_token": ""}),
    ]:
        answer = client.post(FORM, data=ADA | fields)
        assert answer.status_code == 400
        assert "The form has expired" in answer.text
    assert orders(app) == 0


def test_only_the_form_sets_a_cookie(browser):
    for address in ("/", "/products/clay-pot/", "/healthz", "/nothing/here"):
        assert "Set-Cookie" not in browser.get(address).headers
    cookie = browser.get(FORM).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/products/none/", 404),
        ("GET", "/products/none/order/", 404),
        ("GET", "/products/%00/", 404),
        ("GET", "/products/..%2f/", 404),
        ("GET", "/category/none/", 404),
        ("POST", "/products/clay-pot/", 405),
        ("GET", "/products/clay-pot", 308),
    ],
)
def test_other_addresses(browser, method, address, status):
    answer = browser.open(address, method=method)
    assert answer.status_code == status
    assert (status == 308) != ("To the shop" in answer.text)


def test_a_body_too_large_is_refused(browser):
    assert send(browser, name="x" * 100_000).status_code == 413


def test_a_host_that_is_not_ours_is_refused(browser):
    answer = browser.get("/", headers={"Host": "www.example.org"})
    assert answer.status_code == 400
    assert "example.org" not in answer.text


@pytest.fixture
def broken(settings):
    """A shop whose database has no tables."""
    app = create_app(settings, None)
    yield app.test_client()
    app.extensions["engine"].dispose()


def test_an_error_has_a_page_that_tells_nothing(broken):
    answer = broken.get("/")
    assert answer.status_code == 500
    assert "it was not you" in answer.text
    assert "products" not in answer.text
    assert "Traceback" not in answer.text


def test_no_debugger_by_the_environment(settings, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(settings, None)
    assert not app.debug
    assert app.test_client().get("/").status_code == 500
    app.extensions["engine"].dispose()


def test_health_asks_the_database(browser, settings, tmp_path):
    answer = browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    nowhere = f"sqlite:///{tmp_path / 'no' / 'such' / 'folder'}"
    gone = create_app(replace(settings, database_url=nowhere), None)
    assert gone.test_client().get("/healthz").status_code == 500
