"""An analyst, and what she needs to come in."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from access.models import ApiToken, SignIn
from api import throttles

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def addresses(settings):
    settings.ROOT_URLCONF = "tests.access.urls"


@pytest.fixture
def counted(settings, monkeypatch):
    """A cache for the throttles: where none answers, they let everybody in."""
    memory = settings.CACHES["default"] | {"LOCATION": "throttles"}
    settings.CACHES = settings.CACHES | {"throttles": memory}
    monkeypatch.setattr(throttles, "shared", throttles.Shared())
    # In one minute, however long it takes.
    monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_015.0)
    caches["throttles"].clear()


@pytest.fixture
def analyst(db) -> User:
    user = User.objects.create_user("ada", "ada@example.org", PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name="Analyst"))
    return user


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("root", "root@example.org", PASSWORD)


@pytest.fixture
def make_token(analyst):
    """A token of hers, saved, and its text."""

    def make(scope: str = "analytics:read", **fields) -> tuple[ApiToken, str]:
        token = ApiToken(user=analyst, name="nightly", scope=scope, **fields)
        text = token.renew_secret()
        token.save()
        return token, text

    return make


@pytest.fixture
def ask():
    """Ask who one is, with a credential; a client of its own, without cookies."""

    def send(credential: str, method: str = "get", path: str = "/api/v1/who/"):
        headers = {"Authorization": f"Bearer {credential}"}
        return getattr(Client(), method)(path, headers=headers)

    return send


@pytest.fixture
def lines(db):
    """What the audit list says, oldest first."""

    def read(*kinds: SignIn.Kind) -> list[SignIn]:
        found = SignIn.objects.order_by("pk")
        return list(found.filter(kind__in=kinds) if kinds else found)

    return read


@pytest.fixture
def later(monkeypatch):
    """So much time passes."""

    def pass_(length: timedelta) -> None:
        now = timezone.now() + length
        monkeypatch.setattr(timezone, "now", lambda: now)

    return pass_
