"""The first administrator's link: once, for a time, and never past a superuser."""

import re
from datetime import datetime, timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import SignIn

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a new long password"


def first_link(**options) -> str:
    said = StringIO()
    call_command("access_first_link", stdout=said, host="site.example.org", **options)
    found = re.search(r"https?://\S+", said.getvalue())
    return found[0] if found else ""


def choose(link: str, password: str = NEW) -> bool:
    """Whether the link took the password."""
    browser = Client()
    page = browser.get(urlsplit(link).path, follow=True)
    if "reset link was invalid" in page.text:
        return False
    body = {"new_password1": password, "new_password2": password}
    return browser.post(page.redirect_chain[-1][0], body).status_code == 302


def comes_in(password: str = NEW) -> bool:
    body = {"username": "admin", "password": password}
    return Client().post("/admin/login/", body).status_code == 302


def test_link_makes_a_superuser_with_the_password_of_who_opens_it(lines):
    link = first_link(email="ada@example.org")
    user = User.objects.get()
    assert (user.username, user.email) == ("admin", "ada@example.org")
    assert user.is_superuser
    assert not user.has_usable_password()
    assert urlsplit(link).hostname == "site.example.org"
    assert choose(link)
    assert comes_in()
    assert [(line.kind, line.door) for line in lines()][:2] == [
        (SignIn.Kind.RESET_ASKED, "shell"),
        (SignIn.Kind.PASSWORD_CHANGED, "reset"),
    ]


def test_link_works_once():
    link = first_link()
    assert choose(link)
    assert not choose(link, "another long password")
    assert comes_in()


@pytest.mark.parametrize(("more", "good"), [(0, True), (1, False)])
def test_link_ends_by_time(monkeypatch, settings, more, good):
    now = datetime(2026, 7, 1, 12)
    monkeypatch.setattr(default_token_generator, "_now", lambda: now)
    link = first_link()
    now += timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + more)
    assert choose(link) is good


def test_next_link_ends_the_one_before():
    first, second = first_link(), first_link()
    assert not choose(first)
    assert choose(second)
    assert User.objects.count() == 1


def test_refused_when_a_superuser_can_sign_in(superuser):
    with pytest.raises(CommandError, match="who can sign in"):
        first_link()
    assert list(User.objects.all()) == [superuser]


def test_superusers_who_cannot_sign_in_are_no_obstacle(superuser):
    superuser.is_active = False
    superuser.save()
    assert choose(first_link())


def test_name_of_somebody_else_is_refused():
    User.objects.create_user("admin", password=PASSWORD, is_staff=True)
    with pytest.raises(CommandError, match="somebody else"):
        first_link()
    assert comes_in(PASSWORD)
    assert not User.objects.get().is_superuser


def test_if_none_does_nothing_when_there_is_one():
    first_link()
    before = User.objects.get().password
    assert first_link(if_none=True) == ""
    assert User.objects.get().password == before


def test_no_host_to_name(settings):
    settings.ALLOWED_HOSTS = ["*", ".example.org"]
    with pytest.raises(CommandError, match="--host"):
        call_command("access_first_link", stdout=StringIO())
    assert not User.objects.exists()
