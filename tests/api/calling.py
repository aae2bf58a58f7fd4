"""Calls the API as a program would: any credential, any format, in and out.

`decoded` gives the object that an answer holds, its leaves as text, so that answers in
all formats can be compared.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import openpyxl
import yaml
from defusedxml.ElementTree import fromstring
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from access.jwt import RefreshToken
from access.models import ApiToken, Application
from analytics.reporting.formulas import plain_text, safe_cell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    "json": "application/json",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "csv": "text/csv",
    "xlsx": XLSX,
}
TABLES = ("csv", "xlsx")
is_time = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}(\.\d{6})?Z").fullmatch
READ = ("json", "xml", "yaml", "csv", "multipart")
SCOPES = ("analytics:read", "products:read", "products:write")
EDITOR = tuple(
    f"products.{verb}_{model}"
    for verb in ("view", "add", "change", "delete")
    for model in ("product", "category")
)
PRODUCTS = "/api/v1/products/"
CATEGORIES = "/api/v1/categories/"
BULK = "/api/v1/products/bulk/"


def person(*permissions: str, name: str = "clerk", **fields: Any) -> User:
    """Somebody who may do this and nothing else."""
    user = User.objects.create_user(name, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def caller(
    user: User | None, kind: str = "token", scopes: tuple[str, ...] = SCOPES
) -> Client:
    """A client with a session, a token, a JWT, what was granted to an application or
    is its own (`oauth`, `machine`), or nothing at all."""
    if user is None:
        return Client()
    if kind == "session":
        client = Client()
        client.force_login(user)
        return client
    scope = " ".join(scopes)
    if kind == "jwt":
        text = str(RefreshToken.issue(user, scopes).access_token)
    elif kind in ("oauth", "machine"):
        text = oauth_token(user, scope, alone=kind == "machine")
    else:
        token = ApiToken(user=user, name="test", scope=scope)
        text = token.renew_secret()
        token.save()
    return Client(headers={"Authorization": f"Bearer {text}"})


def oauth_token(user: User, scope: str, alone: bool) -> str:
    """Its text. How one gets it is tested in `tests.access.oauth`."""
    flow = "client-credentials" if alone else "authorization-code"
    application = Application.objects.create(
        user=user if alone else None,
        name="test",
        client_type="confidential",
        authorization_grant_type=flow,
        allowed_scopes=" ".join(SCOPES),
    )
    expires = timezone.now() + timedelta(minutes=10)
    token = AccessToken(
        user=user, application=application, scope=scope, expires=expires
    )
    text = f"ado_{secrets.token_urlsafe(32)}"
    set_token_value(token, text)
    token.save()
    return text


def send(
    client: Client,
    method: str,
    url: str,
    data: Any = None,
    format: str = "json",
    accept: str = "json",
    **headers: str,
) -> Any:
    """The answer to ``data`` in one format, wanted in another."""
    headers = {"Accept": FORMATS.get(accept, accept)} | headers
    body: dict[str, Any] = {}
    if data is not None:
        content, kind = encoded(data, format)
        body = {"data": content, "content_type": kind}
    call = getattr(client, method)
    return call(url, headers=headers, **body)


def encoded(data: Any, format: str) -> tuple[bytes, str]:
    """Body and content type."""
    if format == "multipart":
        return _form(data), "multipart/form-data; boundary=frontier"
    write = {"json": json.dumps, "yaml": yaml.safe_dump, "xml": _xml, "csv": _csv}
    return write[format](data).encode(), FORMATS[format]


def _form(data: dict[str, Any]) -> bytes:
    parts = [
        f"--frontier\r\nContent-Disposition: form-data; "
        f'name="{name}"\r\n\r\n{_leaf(value)}\r\n'
        for name, value in data.items()
    ]
    return ("".join(parts) + "--frontier--\r\n").encode()


def _xml(data: Any) -> str:
    root = ElementTree.Element("root")
    _fill(root, data)
    return ElementTree.tostring(root, encoding="unicode")


def _fill(element: ElementTree.Element, data: Any) -> None:
    if isinstance(data, dict):
        for name, value in data.items():
            _fill(ElementTree.SubElement(element, name), value)
    elif isinstance(data, list):
        element.set("type", "list")
        for value in data:
            _fill(ElementTree.SubElement(element, "item"), value)
    elif data is None:
        element.set("nil", "true")
    else:
        element.text = _leaf(data)


def _csv(data: Any) -> str:
    rows = data if isinstance(data, list) else [data]
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(names)
    for row in rows:
        writer.writerow([safe_cell(_leaf(row.get(name))) for name in names])
    return file.getvalue()


def _leaf(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


# ── What comes back ──────────────────────────────────────────────────────────
def decoded(response: Any) -> Any:
    """The object, its leaves as text; of a table, its rows."""
    kind = response["Content-Type"].partition(";")[0].removeprefix("application/")
    read = {
        "json": lambda data: texts(json.loads(data)),
        "problem+json": lambda data: texts(json.loads(data)),
        "yaml": lambda data: texts(yaml.safe_load(data)),
        "xml": lambda data: _from_xml(fromstring(data)),
        "problem+xml": lambda data: _from_xml(fromstring(data)),
        "text/csv": lambda data: _from_rows(
            csv.reader(io.StringIO(data.decode(), newline=""))
        ),
        XLSX.removeprefix("application/"): _from_workbook,
    }
    return read[kind](body(response))


def body(response: Any) -> bytes:
    """Of a stream all of it."""
    if response.streaming:
        return b"".join(response.streaming_content)
    return response.content


def texts(value: Any) -> Any:
    """The same with text for leaves, null apart."""
    if isinstance(value, dict):
        return {name: texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [texts(inner) for inner in value]
    return None if value is None else _leaf(value)


def flat(value: Any, name: str = "") -> dict[str, str]:
    """As a row of a table has it: null and empty text are one, empty lists none."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        found = {}
        for key, inner in pairs:
            found |= flat(inner, f"{name}.{key}" if name else str(key))
        return found
    return {name: value or ""}


def as_table(value: Any) -> list[dict[str, str]]:
    """What a table shows of an object: rows as wide as the widest."""
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        value = value["results"]
    rows = [flat(row) for row in (value if isinstance(value, list) else [value])]
    names = {name for row in rows for name in row}
    return [dict.fromkeys(names, "") | row for row in rows]


def as_shown(value: Any, format: str) -> Any:
    """What a format has of an object."""
    if format not in TABLES:
        return value
    rows = as_table(value)
    if format == "xlsx":
        rows = [{name: to_millisecond(text) for name, text in r.items()} for r in rows]
    return rows


def to_millisecond(text: str) -> str:
    """A time as a spreadsheet can hold it; what is none, as it is."""
    if not is_time(text):
        return text
    time = datetime.fromisoformat(text)
    return _time_text(time.replace(microsecond=time.microsecond // 1_000 * 1_000))


def _time_text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _from_xml(element: ElementTree.Element) -> Any:
    if element.get("nil") == "true":
        return None
    if element.get("type") == "list":
        return [_from_xml(inner) for inner in element]
    if len(element) or element.get("type") == "object":
        return {inner.get("name", inner.tag): _from_xml(inner) for inner in element}
    return element.text or ""


def _from_rows(rows: Any) -> list[dict[str, str]]:
    names, *body = list(rows) or [[]]
    return [
        {
            plain_text(name): plain_text(_leaf(cell))
            for name, cell in zip(names, row, strict=True)
        }
        for row in body
    ]


def _from_workbook(data: bytes) -> list[dict[str, str]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    try:
        rows = [list(map(_written, row)) for row in book.worksheets[0].iter_rows()]
    finally:
        book.close()
    width = len(rows[0]) if rows else 0
    # It does not give the empty cells at the end of a row.
    return _from_rows([[*row, *[None] * (width - len(row))] for row in rows])


def _written(cell: Any) -> Any:
    """A cell's value, numbers and times as the other formats write them."""
    if cell.number_format == "yyyy-mm-dd":
        return f"{cell.value:%Y-%m-%d}"
    if isinstance(cell.value, datetime):
        return _time_text(timezone.make_aware(cell.value))
    if cell.number_format == "0.00":
        return f"{cell.value:.2f}"
    return cell.value
