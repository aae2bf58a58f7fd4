"""Somebody who asks the installed site, from its own machine; run there as a script.

Standard library alone. Trusts the certificate that install.sh made, and nothing else.
Prints JSON.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
from collections import Counter
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

HOST = "shop.example.org"
STOP = Path("/root/stop")


class Visitor:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self._tls = ssl.create_default_context(
            cafile="/etc/dashboard/tls/certificate.pem"
        )

    def ask(
        self, path: str, form: dict | None = None, host: str = HOST, **headers: str
    ) -> tuple[HTTPResponse, str]:
        connection = HTTPSConnection(host, timeout=30)
        connection.sock = self._tls.wrap_socket(
            socket.create_connection(("127.0.0.1", 443), 30), server_hostname=HOST
        )
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = None
        if form is not None:
            sent |= {"Referer": f"https://{HOST}{path}"}
            sent |= {"Content-Type": "application/x-www-form-urlencoded"}
            form = form | {"csrfmiddlewaretoken": self.cookies["__Host-csrftoken"]}
            body = urlencode(form)
        connection.request("POST" if body else "GET", path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        for line in answer.headers.get_all("Set-Cookie", ()):
            name, value = re.match(r"([^=]+)=([^;]*)", line).groups()
            self.cookies[name] = value
        connection.close()
        return answer, text


def look() -> dict:
    """What everybody sees."""
    plain = HTTPConnection("127.0.0.1", timeout=30)
    plain.request("GET", "/shop?a=1", headers={"Host": "evil.example.org"})
    moved = plain.getresponse()
    health, said = Visitor().ask("/healthz")
    home, _ = Visitor().ask("/", X_Forwarded_Proto="http")
    evil, _ = Visitor().ask("/", host="evil.example.org")
    return {
        "plain": [moved.status, moved.headers["Location"]],
        "healthz": [health.status, said.strip()],
        "home": home.status,
        "evil": evil.status,
        "hsts": "max-age" in home.headers["Strict-Transport-Security"],
    }


def use_link(path: str, password: str) -> str:
    """Choose a password by the link; what came of it."""
    visitor = Visitor()
    form, text = visitor.ask(path)
    if form.status != 302:
        return "refused" if "link was invalid" in text else f"{form.status}"
    target = form.headers["Location"]
    visitor.ask(target)
    body = {"new_password1": password, "new_password2": password}
    done, _ = visitor.ask(target, body)
    return done.headers["Location"] or f"{done.status}"


def sign_in(password: str, forged: str) -> int:
    """The status for the admin's password, sent with a forged address."""
    visitor = Visitor()
    visitor.ask("/admin/login/")
    body = {"username": "admin", "password": password}
    answer, _ = visitor.ask("/admin/login/", body, X_Forwarded_For=forged)
    return answer.status


def go_on() -> dict[str, int]:
    """Ask until somebody says stop; the answers by status."""
    seen: Counter[str] = Counter()
    while not STOP.exists():
        try:
            seen[str(Visitor().ask("/")[0].status)] += 1
        except (OSError, HTTPException) as error:
            seen[repr(error)] += 1
    return dict(seen)


def main(what: str, *words: str) -> None:
    found = {"look": look, "link": use_link, "sign-in": sign_in, "go-on": go_on}
    said = json.dumps(found[what](*words))
    if what == "go-on":
        STOP.with_suffix(".json").write_text(said)
    print(said)


if __name__ == "__main__":
    main(*sys.argv[1:])
