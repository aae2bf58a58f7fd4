"""Imports that were looked at and not yet confirmed, each in a file of its own.

Reads and writes files in a folder that only this user of the machine may enter. A
draft is taken once, by whoever made it; what nobody takes within an hour is removed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from products.imports.refusal import Refused
from products.imports.uploads import Table

LIFETIME = 3_600
"""Seconds."""
is_token = re.compile(r"[A-Za-z0-9_-]{32}").fullmatch


@dataclass(frozen=True, slots=True)
class Draft:
    """A table that was found good, and the products that it was compared with."""

    user: int
    name: str
    """The name of the file."""
    table: Table
    versions: Mapping[str, str | None]
    """For each SKU, when its product was updated last; None if there was none."""


def folder() -> Path:
    """The drafts' folder, made if need be. Refuses one that others could enter."""
    path = Path(settings.VAR_DIR) / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Refused("The folder for imports belongs to somebody else.")
    path.chmod(0o700)
    return path


def save(draft: Draft) -> str:
    """Keep it; the token with which it can be taken."""
    remove_stale()
    token = secrets.token_urlsafe(24)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(folder() / token, flags, 0o600), "w") as file:
        json.dump(asdict(draft), file, default=str)
    return token


def take(token: str, user: int) -> Draft | None:
    """The draft, which is gone from then on; None if it is gone already.

    Whoever takes one that isn't theirs gets nothing, and it stays.
    """
    remove_stale()
    if not is_token(token) or (draft := _load(folder() / token)) is None:
        return None
    if draft.user != user or not _removed(folder() / token):
        return None
    return draft


def remove_stale() -> None:
    """Those of previews that were closed, and of processes that were killed."""
    oldest = time.time() - LIFETIME
    for path in folder().iterdir():
        try:
            if path.lstat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue


def _load(path: Path) -> Draft | None:
    try:
        values = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return Draft(**values | {"table": Table(**values["table"])})


def _removed(path: Path) -> bool:
    """Whether it was us who removed it: of two who try at once, one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
