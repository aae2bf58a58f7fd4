"""Tokens and their questions."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from access.models import ApiToken

pytestmark = pytest.mark.django_db


def test_active_and_expired(make_token, analyst):
    now = timezone.now()
    good, _text = make_token()
    old, _text = make_token(expires=now - timedelta(seconds=1))
    revoked, _text = make_token()
    assert revoked.revoke(now)
    assert not revoked.revoke(now)
    assert list(ApiToken.objects.active()) == [good]
    assert list(ApiToken.objects.expired()) == [old]
    assert [token.opens(now) for token in (good, old, revoked)] == [True, False, False]
    type(analyst).objects.update(is_active=False)
    assert not ApiToken.objects.active().exists()


def test_a_token_lasts_for_ninety_days_unless_told(make_token):
    token, _text = make_token()
    assert timedelta(days=89) < token.expires - timezone.now() <= timedelta(days=90)


def test_two_tokens_cannot_begin_alike(make_token):
    token, _text = make_token()
    with pytest.raises(IntegrityError):
        ApiToken.objects.create(user=token.user, prefix=token.prefix)


def test_secret_is_nowhere_in_the_row(make_token):
    _token, text = make_token()
    secret = text.split("_", 2)[2]
    row = ApiToken.objects.values().get()
    assert all(secret not in str(value) for value in row.values())
