"""The whole of OAuth in a real browser, with a client on a loopback address.

Chromium holds the redirect that answers the form of consent to the policy of its page:
without the client's origin in it nothing arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User

from access.models import Application, Grant
from tests.access.oauth.dancing import VERIFIER, challenge
from tests.browser.test_pages import overflow, shoot, violations, visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
STATE = "remembered by the client"


class Callback(BaseHTTPRequestHandler):
    """Where the browser is sent back to; keeps what it is told."""

    def do_GET(self) -> None:
        if self.path.startswith("/back?"):
            self.server.told.append(dict(parse_qsl(urlsplit(self.path).query)))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>client</title><h1>Back</h1>")

    def log_message(self, *words: object) -> None:
        """In a test nobody reads it."""


@pytest.fixture
def callback() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Callback)
    server.told = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def back(callback) -> str:
    return f"http://127.0.0.1:{callback.server_port}/back"


@pytest.fixture
def notebook(back) -> Application:
    return Application.objects.create(
        name="Sales notebook",
        client_type="public",
        authorization_grant_type="authorization-code",
        redirect_uris=back,
        allowed_scopes="analytics:read products:read products:write",
    )


def question(notebook: Application, back: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": notebook.client_id,
        "redirect_uri": back,
        "scope": "analytics:read products:read",
        "state": STATE,
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize/?{urlencode(asked)}"


def fetch(url: str, data: dict[str, str] | None = None, token: str = "") -> dict:
    """As a client without a browser does."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "POST" if data else "GET"
    answer = requests.request(method, url, data=data, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def not_own(complaints: list[str], back: str) -> list[str]:
    """What went wrong, apart from leaving for the client as was wanted."""
    return [each for each in complaints if not each.startswith(f"foreign: {back}")]


def exchange(live_server, notebook: Application, back: str, code: str) -> dict:
    sent = {"grant_type": "authorization_code", "client_id": notebook.client_id}
    sent |= {"code": code, "redirect_uri": back, "code_verifier": VERIFIER}
    return fetch(f"{live_server.url}/oauth/token/", sent)


def test_login_consent_code_token_and_an_answer(
    page, live_server, admin_user, notebook, back, callback
):
    page.goto(question(notebook, back))
    page.fill("#id_username", "admin")
    page.fill("#id_password", "password")
    page.click("[type=submit]")
    page.wait_for_url("**/oauth/authorize/**")
    assert "Sales notebook" in page.inner_text("#content")
    page.click("[name=allow]")
    page.wait_for_url(f"{back}**")
    assert page.inner_text("h1") == "Back"
    (told,) = callback.told
    assert told["state"] == STATE
    pair = exchange(live_server, notebook, back, told["code"])
    url = f"{live_server.url}/api/v1/products/"
    assert fetch(url, token=pair["access_token"])["results"] is not None
    assert not_own(page.complaints, back) == []


def test_no_arrives_as_well(signed_in, notebook, back, callback):
    signed_in.goto(question(notebook, back))
    signed_in.click("[name=deny]")
    signed_in.wait_for_url(f"{back}**")
    assert callback.told[0]["error"] == "access_denied"
    assert not Grant.objects.exists()


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_without_its_origin_in_the_policy_nothing_arrives(
    signed_in, notebook, back, callback, monkeypatch
):
    """Or the policy would not be what opens the way."""
    other = "https://other.example.org"
    monkeypatch.setattr("access.oauth.redirects.origin", lambda uri: other)
    signed_in.goto(question(notebook, back))
    with signed_in.expect_event("console") as heard:
        signed_in.click("[name=allow]")
    assert "form-action" in heard.value.text
    assert callback.told == []


def test_pages_can_be_read_by_everybody(
    signed_in, live_server, notebook, back, callback, admin_user, size, scheme
):
    page = signed_in
    wrong = {"consent": visit(page, question(notebook, back))}
    shoot(page, "oauth-consent", size, scheme)
    wrong["consent"] += violations(page)
    assert overflow(page) <= 0
    page.click("[name=allow]")
    page.wait_for_url(f"{back}**")
    exchange(live_server, notebook, back, callback.told[0]["code"])
    grant = Grant.objects.get()
    for name, url in pages(notebook, grant).items():
        wrong[name] = visit(page, url)
        shoot(page, f"oauth-{name}", size, scheme)
        wrong[name] += violations(page)
    assert {name: found for name, found in wrong.items() if found} == {}


def pages(notebook: Application, grant: Grant) -> dict[str, str]:
    return {
        "applications": "/admin/access/application/",
        "application": f"/admin/access/application/{notebook.pk}/change/",
        "application-form": "/admin/access/application/add/",
        "grants": "/admin/access/grant/",
        "grant": f"/admin/access/grant/{grant.pk}/change/",
    }


def test_an_application_is_made(signed_in, size, scheme):
    page = signed_in
    page.goto("/admin/access/application/add/")
    page.fill("#id_name", "Nightly export")
    page.check("#id_client_type_0")
    page.check("#id_authorization_grant_type_1")
    page.check("#id_scopes_0")
    page.fill("#id_redirect_uris", "http://client.example.org/")
    page.click("[name=_save]")
    shoot(page, "oauth-application-errors", size, scheme)
    assert "must begin with https:" in page.inner_text("#content")
    page.fill("#id_redirect_uris", "")
    page.click("[name=_save]")
    page.wait_for_selector("#client-secret")
    assert len(page.input_value("#client-secret")) == 48
    shoot(page, "oauth-application-made", size, scheme)
    assert violations(page) == []
    assert overflow(page) <= 0
    assert page.complaints == []


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark")], indirect=True)
def test_who_may_do_nothing_is_told(
    page, client, live_server, notebook, back, size, scheme
):

    nobody = User.objects.create_user("bob", is_staff=True)
    client.force_login(nobody)
    name = settings.SESSION_COOKIE_NAME
    value = client.cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    assert visit(page, question(notebook, back)) == []
    shoot(page, "oauth-nothing", "phone", "dark")
    assert violations(page) == []
    page.goto("/oauth/authorize/?client_id=unknown")
    shoot(page, "oauth-refused", "phone", "dark")
    assert violations(page) == []
