"""The text of a token: ``adt_<prefix>_<secret>``, made, taken apart, compared.

The prefix finds the row and is shown; of the secret only a digest is kept. A plain
SHA-256 is enough for 32 random bytes: nobody can try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

KIND = "adt"
"""What it begins with, so that scanners of source code and logs can find one."""
PREFIX_BYTES = 6
SECRET_BYTES = 32
LENGTH_LIMIT = 200


class TokenText(NamedTuple):
    """The two parts of a token."""

    prefix: str
    secret: str

    def __str__(self) -> str:
        return f"{KIND}_{self.prefix}_{self.secret}"


def make() -> TokenText:
    return TokenText(
        secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    )


def is_token(text: str) -> bool:
    """Whether it claims to be one of ours."""
    return text.startswith(f"{KIND}_")


def parse(text: str) -> TokenText | None:
    """The parts of what somebody sent; None if it cannot be a token."""
    parts = text.split("_", 2)
    if len(text) > LENGTH_LIMIT or len(parts) != 3 or parts[0] != KIND:
        return None
    # The secret itself may have underscores.
    return TokenText(*parts[1:]) if all(parts) and text.isascii() else None


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def fits(secret: str, kept: str) -> bool:
    """Whether ``kept`` is the digest of ``secret``, in the same time either way."""
    return hmac.compare_digest(digest(secret), kept)
