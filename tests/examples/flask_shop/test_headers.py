"""Security headers on every answer, and cookies that no plain http carries."""

from dataclasses import replace

import pytest

from flask_shop import create_app
from flask_shop.headers import HEADERS


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/static/shop.css", 200),
        ("/healthz", 200),
        ("/products/clay-pot/order/", 200),
        ("/products/clay-pot", 308),
        ("/nothing/here", 404),
    ],
)
def test_every_answer_has_them(browser, address, status):
    answer = browser.get(address, buffered=True)
    assert answer.status_code == status
    assert dict(answer.headers).items() >= HEADERS.items()
    assert "Strict-Transport-Security" not in answer.headers
    kept = answer.headers["Cache-Control"]
    assert ("no-store" in kept) == (address != "/static/shop.css")


def test_an_error_has_them_too(settings):
    app = create_app(settings, None)
    answer = app.test_client().get("/")
    app.extensions["engine"].dispose()
    assert answer.status_code == 500
    assert dict(answer.headers).items() >= HEADERS.items()


def test_the_policy_forbids_what_is_not_ours():
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "script-src" not in policy


def test_over_https_cookies_are_for_https(app, settings):
    strict = create_app(replace(settings, local=False), None)
    answer = strict.test_client().get(
        "/products/clay-pot/order/", base_url="https://localhost"
    )
    strict.extensions["engine"].dispose()
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
