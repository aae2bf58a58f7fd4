"""ETags, If-None-Match and If-Match.

A tag is ``"version-content"``: the version of the object, which If-Match compares in
whatever format it was read, and a digest of what is shown, in its format, which
If-None-Match compares. Compressing makes a tag weak; its version stays good.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db.models import Model
from django.utils.http import parse_etags

from api.formats.tree import plain
from api.problems import Stale

LENGTH = 20


def version(instance: Model) -> str:
    """Of all that is stored of it: changes whenever that does."""
    values = {
        field.attname: field.value_to_string(instance)
        for field in instance._meta.concrete_fields
    }
    return digest(values)


def digest(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:LENGTH]


def tag(data: Any, format: str, instance: Model | None = None) -> str:
    """Of what is shown, and of the object that it is about, if it is about one."""
    content = digest([format, data])
    return f'"{version(instance)}-{content}"' if instance else f'"{content}"'


def require_match(request: Any, instance: Model) -> None:
    """Raises `Stale` unless If-Match, if there is any, names this version.

    To be called with the object's row locked, in the transaction that changes it.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return
    tags = [each.removeprefix("W/").strip('"') for each in parse_etags(header)]
    if version(instance) not in {each.partition("-")[0] for each in tags}:
        raise Stale
