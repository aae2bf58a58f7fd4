"""JSON web tokens: a short one for access, one that is used once to get both anew.

Signed with HS256 and a key of their own (`SIMPLE_JWT`); audience and issuer are part of
them and asked for. They end with the user's right to sign in and with a change of the
password. Reads users; writes which refresh tokens were given out and which are used up,
never their text.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import (
    BlacklistedToken,
    OutstandingToken,
)
from rest_framework_simplejwt.utils import datetime_from_epoch

from . import scopes
from .factors.demand import Demand, demand

USER, SCOPE, FAMILY, PASSWORD = "user_id", "scope", "family", "password"
FACTOR, BEGAN = "factor", "began"
PASSWORD_CHARS = 24
LONGEST_SECONDS = 90 * 86_400
"""After it the password is asked for again, however often a token was renewed."""


class BadJwt(Exception):
    """It is not good, for whatever reason; `user` if it once was somebody's."""

    def __init__(self, reason: str, user: Any = None) -> None:
        super().__init__(reason)
        self.user = user


class Scoped:
    """The scopes of a token, as the permission class asks for them."""

    @property
    def scopes(self) -> frozenset[str]:
        return scopes.split(self.payload.get(SCOPE))


class AccessToken(Scoped, tokens.AccessToken):
    """Opens the API for some minutes."""


class RefreshToken(Scoped, tokens.RefreshToken):
    """Good once, for an access token and its own successor."""

    access_token_class = AccessToken

    @classmethod
    def issue(
        cls, user: Any, wanted: Iterable[str], factor: bool = False
    ) -> RefreshToken:
        """The first of a family; ``factor``: a code was given, too."""
        token = cls()
        token[FACTOR], token[BEGAN] = factor, token["iat"]
        token[USER], token[FAMILY] = str(user.pk), uuid.uuid4().hex
        token[SCOPE], token[PASSWORD] = scopes.join(wanted), password_mark(user)
        token.outstand()
        return token

    def outstand(self) -> None:
        """Note that it was given out: its family, where others keep its text."""
        OutstandingToken.objects.create(
            user_id=self[USER],
            jti=self["jti"],
            token=self[FAMILY],
            created_at=self.current_time,
            expires_at=datetime_from_epoch(self["exp"]),
        )

    def use_up(self) -> bool:
        """False if it was used before: then somebody else has it, too."""
        row = OutstandingToken.objects.filter(jti=self["jti"]).first()
        if row is None:
            return False
        return BlacklistedToken.objects.get_or_create(token=row)[1]

    def check_blacklist(self) -> None:
        """Asked by `use_up`, which two at once cannot both pass."""


def password_mark(user: Any) -> str:
    """Changes with the password, and does not tell it."""
    return user.get_session_auth_hash()[:PASSWORD_CHARS]


def read_access(text: str) -> tuple[Any, AccessToken]:
    """User and token; BadJwt if it is not good."""
    token = _read(AccessToken, text)
    return user_of(token), token


def rotate(text: str) -> tuple[Any, RefreshToken]:
    """User and the successor of a refresh token, which is used up by this.

    Whoever sends one for the second time may have stolen it, or was stolen from: all of
    its family end.
    """
    token = _read(RefreshToken, text)
    user = user_of(token)
    owed = demand(user)
    if owed is Demand.SETUP or (owed is Demand.CODE and not token.get(FACTOR)):
        raise BadJwt("no second factor", user)
    if token["iat"] - token.get(BEGAN, 0) > LONGEST_SECONDS:
        raise BadJwt("begun too long ago", user)
    with transaction.atomic(using=router.db_for_write(BlacklistedToken)):
        first = token.use_up()
        if first:
            token.set_jti()
            token.set_iat(at_time=token.current_time)
            token.set_exp(from_time=token.current_time)
            token.outstand()
    if not first:
        end_family(user, token[FAMILY])
        raise BadJwt("used before", user)
    return user, token


def end_family(user: Any, family: str) -> None:
    """Use up all refresh tokens that came of one sign-in."""
    open_ = OutstandingToken.objects.filter(user=user, token=family)
    for row in open_.filter(blacklistedtoken=None):
        BlacklistedToken.objects.get_or_create(token=row)


def user_of(token: tokens.Token) -> Any:
    """Its user, if that one may still sign in with the same password."""
    users = get_user_model()
    try:
        user = users.objects.filter(pk=token[USER]).first()
        mark = str(token[PASSWORD])
    except (KeyError, ValueError, TypeError) as error:
        raise BadJwt("claims are missing") from error
    if user is None or not user.is_active:
        raise BadJwt("no active user", user)
    if not constant_time_compare(mark, password_mark(user)):
        raise BadJwt("password changed", user)
    return user


def _read(kind: type[tokens.Token], text: str) -> Any:
    try:
        return kind(text)
    except TokenError as error:
        raise BadJwt(str(error)) from error
