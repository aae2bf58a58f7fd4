"""A client of OAuth, as small as one can be: asks for a code, and for tokens."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from access.oauth.models import CLIENT, CODE, CONFIDENTIAL, PUBLIC, Application

AUTHORIZE, TOKEN, REVOKE = "/oauth/authorize/", "/oauth/token/", "/oauth/revoke_token/"
BACK = "https://client.example.org/back"
VERIFIER = "v" * 43
EVERYTHING = "analytics:read products:read products:write"


def challenge(verifier: str = VERIFIER) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def register(user: User | None = None, **fields: Any) -> tuple[Application, str]:
    """An application, saved, and its secret."""
    given = {
        "name": "Notebook",
        "client_type": CONFIDENTIAL,
        "authorization_grant_type": CODE,
        "redirect_uris": BACK,
        "allowed_scopes": EVERYTHING,
    }
    application = Application(user=user, **(given | fields))
    secret = application.client_secret
    application.save()
    return application, secret


def register_machine(user: User | None, **fields: Any) -> tuple[Application, str]:
    more = {"authorization_grant_type": CLIENT, "redirect_uris": ""}
    return register(user, **(more | {"name": "Nightly"} | fields))


def register_public(**fields: Any) -> Application:
    return register(client_type=PUBLIC, **fields)[0]


def question(application: Application, **changes: str | None) -> dict[str, str]:
    """The query of an authorization request; None leaves something out."""
    asked = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": BACK,
        "scope": "analytics:read",
        "state": "as it was & is",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    asked |= changes
    return {name: value for name, value in asked.items() if value is not None}


def address(application: Application, **changes: str | None) -> str:
    return f"{AUTHORIZE}?{urlencode(question(application, **changes))}"


def consent(
    browser: Client, application: Application, button: str = "allow", **more: str | None
) -> HttpResponse:
    return browser.post(address(application, **more), {button: "its words"})


def told(response: HttpResponse) -> dict[str, str]:
    """What the client is sent back with."""
    assert response.status_code == 302, response.text
    target = urlsplit(response["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    assert target.fragment == ""
    return dict(parse_qsl(target.query))


def basic(application: Application, secret: str) -> dict[str, str]:
    pair = f"{application.client_id}:{secret}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def post(path: str, data: dict[str, str | None], headers: Any = None) -> HttpResponse:
    """As a program does: no cookie, no CSRF token."""
    sent = {name: value for name, value in data.items() if value is not None}
    return Client(enforce_csrf_checks=True).post(path, sent, headers=headers or {})


class Dance:
    """One application and one browser, step by step."""

    def __init__(self, browser: Client, application: Application, secret: str) -> None:
        self.browser, self.application, self.secret = browser, application, secret

    def code(self, **changes: str | None) -> str:
        return told(consent(self.browser, self.application, **changes))["code"]

    def exchange(self, code: str | None, **changes: str | None) -> HttpResponse:
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return self.ask(data | changes)

    def refresh(self, token: str, **changes: str | None) -> HttpResponse:
        data = {"grant_type": "refresh_token", "refresh_token": token}
        return self.ask(data | changes)

    def revoke(self, token: str, **changes: str | None) -> HttpResponse:
        return self.ask({"token": token} | changes, REVOKE)

    def ask(self, data: dict[str, str | None], path: str = TOKEN) -> HttpResponse:
        own = basic(self.application, self.secret) if self.secret else {}
        if not self.secret:
            data = {"client_id": self.application.client_id} | data
        return post(path, data, own)

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """The whole of it."""
        answer = self.exchange(self.code(**changes))
        assert answer.status_code == 200, answer.text
        return answer.json()
