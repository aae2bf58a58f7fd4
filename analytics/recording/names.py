"""What a site may be called, the key that its secret becomes, and seals made with it.

Reads text of a configuration. Needs no Django, and agrees with what Django derives.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha256

SITE_LIMIT = 50
SEAL_BYTES = 8


def is_site_name(name: str) -> bool:
    """Whether it can be part of every key in Redis: letters, digits, '-' and '_'."""
    plain = name.isascii() and name.replace("-", "_").isidentifier()
    return plain and len(name) <= SITE_LIMIT


def derived_key(secret: str | bytes) -> bytes:
    """The bytes that seals and visitor hashes are made with.

    As ``salted_hmac("analytics", "key", secret, algorithm="sha256")`` of Django.
    """
    text = secret.encode() if isinstance(secret, str) else secret
    salted = sha256(b"analytics" + text).digest()
    return hmac.digest(salted, b"key", "sha256")


def seal(key: bytes, *parts: bytes) -> bytes:
    """A keyed hash over the parts, each with its length."""
    text = b"\0".join((b"%d" % len(part)) + b":" + part for part in parts)
    return blake2b(text, key=key, digest_size=SEAL_BYTES).digest()
