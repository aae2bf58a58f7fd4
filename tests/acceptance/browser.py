"""Somebody at the tested site: asks over its Unix socket, keeps cookies, signs in."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.acceptance.client import UnixConnection

CSRF = "dashboard_csrftoken"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """``asked`` counts what the site has to count, too."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self.asked = 0

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, Any], **headers: str) -> Answer:
        form = form | {"csrfmiddlewaretoken": self.cookies.get(CSRF, "")}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form), kind | headers)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        kind = {"Content-Type": "application/json"}
        return self._ask(method, path, json.dumps(body), kind | headers)

    def sign_in(self, name: str, password: str) -> Answer:
        self.get("/admin/login/")
        form = {"username": name, "password": password, "next": "/admin/"}
        return self.post("/admin/login/?next=/admin/", form)

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> Answer:
        connection = UnixConnection(self.address)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = headers | {"Connection": "close"}
        if cookies:
            headers["Cookie"] = cookies
        begun = time.monotonic()
        self.asked += 1
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        seconds = time.monotonic() - begun
        return Answer(response.status, dict(response.headers), text, seconds)
