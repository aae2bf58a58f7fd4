"""Secrets at rest: sealed with a key made from SECRET_KEY, or kept as a digest alone.

Reads SECRET_KEY and SECRET_KEY_FALLBACKS, writes nothing. Who has the database, and not
the key, has neither the secret of an app nor a recovery code.
"""

from __future__ import annotations

import binascii
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

NONCE_BYTES = 12
DIGEST_CHARS = 16
"""django-otp has room for so many: of a keyed digest that is enough."""
SEAL, DIGEST = "access.factors.seal", "access.factors.recovery"


class Unreadable(Exception):
    """Sealed with a key that is not known any more, for another user, or damaged."""


def seal(secret: bytes, owner: object) -> str:
    """The secret as it is kept: nobody reads it, or gives it to another user."""
    nonce = os.urandom(NONCE_BYTES)
    cipher = AESGCM(_key(settings.SECRET_KEY))
    return urlsafe_b64encode(nonce + cipher.encrypt(nonce, secret, _of(owner))).decode()


def unseal(text: str, owner: object) -> bytes:
    """The secret; Unreadable if no key of ours opens it."""
    try:
        data = urlsafe_b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise Unreadable from error
    nonce, sealed = data[:NONCE_BYTES], data[NONCE_BYTES:]
    for key in _known():
        try:
            return AESGCM(_key(key)).decrypt(nonce, sealed, _of(owner))
        except (InvalidTag, ValueError):
            continue
    raise Unreadable


def digests(code: str, owner: object) -> list[str]:
    """What may be kept of a recovery code; the first is what is kept from now on."""
    return [
        salted_hmac(DIGEST, f"{owner}:{code}", secret=key, algorithm="sha256")
        .hexdigest()[:DIGEST_CHARS]
        for key in _known()
    ]  # fmt: skip


def _known() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _key(secret_key: str) -> bytes:
    return salted_hmac(SEAL, "", secret=secret_key, algorithm="sha256").digest()


def _of(owner: object) -> bytes:
    return str(owner).encode()
