"""A phone, a clock that is set, and people who have given a password."""

import time
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from django_otp import oath

from access import sessions
from access.factors import keeping
from access.factors.models import Authenticator
from access.models import GroupFactor

from ..conftest import PASSWORD

START = 1_800_000_000
LOGIN, HOME = "/admin/login/", "/admin/"
FACTOR = "/admin/second-factor/"
CODE, CONFIRM, BEGIN = FACTOR + "code/", FACTOR + "confirm/", FACTOR + "begin/"
RECOVERY, REMOVE = FACTOR + "recovery/", FACTOR + "remove/"


class Clock:
    """Seconds since START; it stands still until somebody moves it."""

    seconds = 0.0

    def time(self) -> float:
        return START + self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), timezone.get_current_timezone())

    def forward(self, seconds: float = 30) -> None:
        self.seconds += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(time, "time", found.time)
    monkeypatch.setattr(timezone, "now", found.now)
    monkeypatch.setattr(sessions, "now", lambda: int(found.time()))
    return found


def shown_by_app(user: User, later: int = 0) -> str:
    """What the phone of a user shows, or will some steps of 30 seconds later."""
    device = Authenticator.objects.get(user=user)
    totp = oath.TOTP(device.bin_key)
    totp.time = time.time() + 30 * later
    return f"{totp.token():06}"


def wrong_code(user: User) -> str:
    """One that is not good now, nor a step before or after."""
    right = {shown_by_app(user, later) for later in (-1, 0, 1)}
    return next(code for code in map("{:06}".format, range(9)) if code not in right)


def give_factor(user: User) -> list[str]:
    """Set one up; the recovery codes."""
    return keeping.confirm(keeping.begin(user))


def give_password(user: User, **where: str) -> Client:
    """A browser in which the password was typed, and nothing else yet."""
    found = Client(**where)
    body = {"username": user.username, "password": PASSWORD}
    assert found.post(LOGIN, body).status_code == 302
    return found


def give_code(browser: Client, code: str, **more: str):
    return browser.post(CODE, {"code": code, **more})


def is_in(browser: Client) -> bool:
    return browser.get(HOME).status_code == 200


def require(name: str = "Analyst") -> None:
    group = Group.objects.get(name=name)
    GroupFactor.objects.update_or_create(group=group, defaults={"required": True})


@pytest.fixture
def codes(analyst) -> list[str]:
    """She has a factor; these are her recovery codes."""
    return give_factor(analyst)


@pytest.fixture
def half(analyst, codes) -> Client:
    return give_password(analyst)


@pytest.fixture
def browser(analyst, half, clock) -> Client:
    """All was given."""
    assert give_code(half, shown_by_app(analyst)).status_code == 302
    clock.forward()
    return half


A_DAY = timedelta(days=1)
