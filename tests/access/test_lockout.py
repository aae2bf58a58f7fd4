"""Brute force: who is locked out, from where, for how long, and who is not."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings as live
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import SignIn

from .conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("analyst")]
LOGIN, JWT = "/admin/login/", "/api/v1/auth/jwt/"
HERE, THERE = "192.0.2.7", "198.51.100.9"
WRONG = "a wrong password"
LIMIT = live.AXES_FAILURE_LIMIT
Kind = SignIn.Kind


def login(name: str = "ada", password: str = WRONG, at: str = HERE, **headers: str):
    body = {"username": name, "password": password}
    return Client().post(LOGIN, body, REMOTE_ADDR=at, headers=headers)


def jwt(name: str = "ada", password: str = WRONG, at: str = HERE, **headers: str):
    body = {"username": name, "password": password}
    kind = "application/json"
    return Client().post(JWT, body, content_type=kind, REMOTE_ADDR=at, headers=headers)


def lock_out(attempt=login, **more) -> None:
    statuses = [attempt(**more).status_code for _ in range(LIMIT)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]


@pytest.mark.parametrize("attempt", [login, jwt])
def test_right_password_does_not_help_who_is_locked_out(attempt):
    lock_out(attempt)
    answer = attempt(password=PASSWORD)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "no-store" in answer["Cache-Control"]
    assert not any("sessionid" in name for name in answer.cookies)


def test_both_doors_have_one_lock():
    lock_out(login)
    assert jwt(password=PASSWORD).status_code == 429


def test_page_is_in_our_look_and_keeps_the_policy():
    lock_out()
    page = login()
    assert "Try again in 15 minutes" in page.content.decode()
    assert "dashboard/frame.css" in page.content.decode()
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_api_says_it_as_a_problem():
    lock_out(jwt)
    answer = jwt()
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "throttled"


def test_victim_comes_in_from_elsewhere():
    lock_out()
    assert login(password=PASSWORD, at=THERE).status_code == 302
    assert jwt(password=PASSWORD, at=THERE).status_code == 200
    # And another one from the same place.
    User.objects.create_user("eve", password=PASSWORD, is_staff=True)
    assert login("eve", PASSWORD).status_code == 302


def test_lock_ends_and_is_not_prolonged_by_trying():
    lock_out()
    almost = timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=timezone.now() - almost)
    assert login(password=PASSWORD).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - almost * 1.1)
    assert login(password=PASSWORD).status_code == 302


@pytest.mark.parametrize(("attempt", "status"), [(login, 302), (jwt, 200)])
def test_success_begins_to_count_anew(attempt, status):
    for _ in range(LIMIT - 1):
        attempt()
    assert attempt(password=PASSWORD).status_code == status
    for _ in range(LIMIT - 1):
        assert attempt().status_code != 429


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_rotating_x_forwarded_for_avoids_nothing(settings, proxies):
    settings.ANALYTICS_PROXIES = proxies
    own = ", ".join([HERE, "10.0.0.1"][:proxies])
    for number in range(LIMIT):
        forged = {"X-Forwarded-For": f"203.0.113.{number}, {own}".rstrip(", ")}
        answer = login(at=HERE if not proxies else "10.0.0.2", **forged)
    assert answer.status_code == 429


def test_hop_of_the_own_proxy_tells_clients_apart(settings):
    settings.ANALYTICS_PROXIES = 1
    lock_out(at="10.0.0.2", **{"X-Forwarded-For": HERE})
    other = {"X-Forwarded-For": THERE}
    assert login(password=PASSWORD, at="10.0.0.2", **other).status_code == 302


@pytest.mark.parametrize("header", ["garbage", "é", ",,,", "1" * 10_000, "2001:db8::1"])
def test_odd_headers_do_no_harm(settings, header):
    settings.ANALYTICS_PROXIES = 1
    lock_out(at=HERE, **{"X-Forwarded-For": header})


def test_rotating_within_an_ipv6_network_avoids_nothing():
    answers = [login(at=f"2001:db8::{number:x}") for number in range(1, LIMIT + 1)]
    assert answers[-1].status_code == 429
    assert login(password=PASSWORD, at="2001:db8:0:1::1").status_code == 302


def test_rotating_the_user_agent_avoids_nothing():
    for number in range(LIMIT):
        answer = login(**{"User-Agent": f"Agent {number}"})
    assert answer.status_code == 429


def text_of(response) -> str:
    """Without what differs from one request to the next."""
    return re.sub(r'(csrfmiddlewaretoken" value="|value=")[^"]*', "", response.text)


def test_unknown_user_gets_the_same_words():
    for _ in range(LIMIT + 1):
        known, unknown = login("ada"), login("nobody")
        assert known.status_code == unknown.status_code
        assert text_of(known) == text_of(unknown)
        assert known.headers.keys() == unknown.headers.keys()
    assert known.status_code == 429


class CountingHasher(MD5PasswordHasher):
    """Counts the work that makes an answer take its time."""

    algorithm = "counting"
    hashed = 0

    def encode(self, password, salt):
        CountingHasher.hashed += 1
        return super().encode(password, salt)


def test_unknown_user_takes_the_same_work(settings, django_assert_num_queries):
    settings.PASSWORD_HASHERS = ["tests.access.test_lockout.CountingHasher"]
    ada = User.objects.get()
    ada.set_password(PASSWORD)
    ada.save()
    work = []
    for name in ("ada", "nobody"):
        CountingHasher.hashed = 0
        login(name)
        work.append(CountingHasher.hashed)
    assert work[0] == work[1] == 1


def test_what_was_typed_is_not_kept():
    login(name="ada", password="a-password-typed-in-vain")
    jwt(name="ada", password="a-password-typed-in-vain")
    rows = [*AccessAttempt.objects.values(), *SignIn.objects.values()]
    assert len(rows) == 3
    assert "in-vain" not in str(rows)
    assert {row["post_data"] for row in rows[:1]} == {""}


def test_audit_list_tells_failures_and_the_lock_once(lines):
    for _ in range(LIMIT + 4):
        login()
    assert [line.kind for line in lines()] == [Kind.FAILURE] * LIMIT + [Kind.LOCKOUT]
    last = lines()[-1]
    assert (last.name, last.door, last.network) == ("ada", "admin", "192.0.2.0/24")


def test_name_that_nobody_has_is_not_written_down(lines):
    login(name="my-secret-passphrase")
    (line,) = lines()
    assert (line.kind, line.name, line.user) == (Kind.FAILURE, "", None)
