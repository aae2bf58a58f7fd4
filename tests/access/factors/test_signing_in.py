"""Password, then code: nothing is open between them, and no code is good twice."""

import logging

import pytest
from axes.models import AccessAttempt
from django.conf import settings as live
from django.contrib.auth.models import User
from django.test import Client

from access.factors.models import LONGEST_WAIT, Authenticator
from access.models import SignIn

from ..conftest import PASSWORD
from ..test_reset import ask, link
from .conftest import (
    CODE,
    FACTOR,
    HOME,
    LOGIN,
    give_code,
    give_factor,
    give_password,
    is_in,
    shown_by_app,
    wrong_code,
)

pytestmark = pytest.mark.django_db
Kind = SignIn.Kind
LIMIT = live.AXES_FAILURE_LIMIT


def key(browser: Client) -> str:
    return browser.cookies[live.SESSION_COOKIE_NAME].value


def test_password_alone_leads_to_the_code(half):
    assert not is_in(half)
    answer = half.get(HOME, follow=True)
    assert answer.redirect_chain[-1][0].startswith(CODE)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Overview" not in answer.text


def test_code_lets_in_and_on_to_where_one_wanted(half, analyst):
    wanted = "/admin/access/apitoken/"
    page = half.get(wanted, follow=True)
    assert f'name="next" value="{wanted}"' in page.text
    assert give_code(half, shown_by_app(analyst), next=wanted)["Location"] == wanted
    assert half.get(wanted).status_code == 200


def test_code_may_be_typed_in_two_halves(half, analyst):
    code = shown_by_app(analyst)
    give_code(half, f" {code[:3]} {code[3:]} ")
    assert is_in(half)


@pytest.mark.parametrize("target", ["https://evil.example.org/", "//evil.example.org"])
def test_nobody_is_sent_elsewhere_after_the_code(half, analyst, target):
    assert "evil" not in half.get(CODE, {"next": target}).text
    assert give_code(half, shown_by_app(analyst), next=target)["Location"] == HOME


def test_key_of_the_session_changes_with_the_code(half, analyst):
    old, secret = key(half), half.cookies[live.CSRF_COOKIE_NAME].value
    give_code(half, shown_by_app(analyst))
    assert key(half) != old
    assert half.cookies[live.CSRF_COOKIE_NAME].value != secret
    thief = Client()
    thief.cookies[live.SESSION_COOKIE_NAME] = old
    assert not is_in(thief)


def test_replayed_code_is_refused(half, analyst, clock):
    code = shown_by_app(analyst)
    give_code(half, code)
    assert is_in(half)
    elsewhere = give_password(analyst)
    answer = give_code(elsewhere, code)
    assert answer.status_code == 200
    assert "works only once" in answer.text
    assert not is_in(elsewhere)
    clock.forward()
    give_code(elsewhere, shown_by_app(analyst))
    assert is_in(elsewhere)


def test_old_code_is_refused(half, analyst, clock):
    code = shown_by_app(analyst)
    clock.forward(90)
    give_code(half, code)
    assert not is_in(half)


def test_code_of_another_user_is_refused(half, superuser):
    others = give_factor(superuser)
    for code in (shown_by_app(superuser), others[0]):
        give_code(half, code)
        assert not is_in(half)
    assert Authenticator.objects.get(user=superuser).throttling_failure_count == 0


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "١٢٣٤٥٦", "+12345", "a" * 10, "9" * 41, "\0"]
)
def test_nonsense_is_refused(half, code):
    assert give_code(half, code).status_code == 200
    assert not is_in(half)


def test_recovery_code_lets_in_once(half, analyst, codes, lines):
    typed = f"{codes[0][:5]}-{codes[0][5:]}".upper()
    give_code(half, typed)
    assert is_in(half)
    elsewhere = give_password(analyst)
    give_code(elsewhere, codes[0])
    assert not is_in(elsewhere)
    (line,) = lines(Kind.RECOVERY_USED)
    assert (line.user, line.detail) == (analyst, "9 left")


def test_after_wrong_codes_a_right_one_has_to_wait(half, analyst, clock):
    give_code(half, wrong_code(analyst))
    clock.forward(1)
    give_code(half, wrong_code(analyst))
    answer = give_code(half, shown_by_app(analyst))
    assert "Try again in 2 seconds" in answer.text
    assert not is_in(half)
    clock.forward(2)
    give_code(half, shown_by_app(analyst))
    assert is_in(half)
    assert Authenticator.objects.get().throttling_failure_count == 0


def test_nobody_waits_for_ever(analyst, codes, clock, lines):
    for number in range(40):
        there = give_password(analyst, REMOTE_ADDR=f"198.51.100.{number}")
        give_code(there, wrong_code(analyst))
        clock.forward(LONGEST_WAIT)
    # Each was looked at, the last one after no longer a time than the tenth.
    assert [line.detail for line in lines(Kind.FACTOR_REFUSED)] == [""] * 40
    assert LONGEST_WAIT < 600
    victim = give_password(analyst)
    give_code(victim, shown_by_app(analyst))
    assert is_in(victim)


def test_recovery_code_is_open_while_codes_of_the_app_wait(half, analyst, codes):
    give_code(half, wrong_code(analyst))
    give_code(half, shown_by_app(analyst))
    assert not is_in(half)
    give_code(half, codes[0])
    assert is_in(half)


def test_wrong_codes_lock_the_name_for_the_address(half, analyst, clock):
    for _ in range(LIMIT):
        answer = give_code(half, wrong_code(analyst))
        clock.forward(60)
    assert answer.status_code == 429
    assert give_code(half, shown_by_app(analyst)).status_code == 429
    body = {"username": "ada", "password": PASSWORD}
    assert Client().post(LOGIN, body).status_code == 429
    elsewhere = give_password(analyst, REMOTE_ADDR="198.51.100.9")
    clock.forward(60)
    give_code(elsewhere, shown_by_app(analyst))
    assert is_in(elsewhere)


def test_password_alone_does_not_begin_to_count_anew(analyst, codes, clock):
    for _ in range(LIMIT - 1):
        give_code(give_password(analyst), wrong_code(analyst))
        clock.forward(60)
    browser = give_password(analyst)
    assert give_code(browser, wrong_code(analyst)).status_code == 429


def test_code_begins_to_count_anew(half, analyst, clock):
    for _ in range(LIMIT - 1):
        give_code(half, wrong_code(analyst))
        clock.forward(60)
    give_code(half, shown_by_app(analyst))
    assert not AccessAttempt.objects.exists()


def test_audit_list_tells_who_came_in_when_the_code_was_right(half, analyst, lines):
    assert lines() == []
    give_code(half, wrong_code(analyst))
    give_code(half, shown_by_app(analyst))
    kinds = [line.kind for line in lines()]
    assert kinds == [Kind.FACTOR_REFUSED, Kind.FACTOR_REFUSED]
    assert lines()[1].detail == "too soon after others"
    assert {line.name for line in lines()} == {"ada"}


def test_audit_list_tells_the_sign_in_once(browser, lines):
    is_in(browser)
    assert [line.kind for line in lines()] == [Kind.LOGIN]


def test_no_code_is_written_anywhere(analyst, codes, caplog, clock):
    caplog.set_level(logging.DEBUG)
    typed = [wrong_code(analyst), shown_by_app(analyst, 1), codes[0]]
    for code in (*typed[1:], typed[0]):
        give_code(give_password(analyst), code)
        clock.forward(30)
    rows = [*AccessAttempt.objects.values(), *SignIn.objects.values()]
    assert len(rows) == 5
    for code in typed:
        assert code not in caplog.text
        assert all(code not in map(str, row.values()) for row in rows)


def test_who_is_half_in_can_log_out(half, lines):
    assert half.post("/admin/logout/").status_code == 200
    assert [line.kind for line in lines()] == [Kind.LOGOUT]
    assert half.get(CODE)["Location"].startswith(LOGIN)


def test_who_is_half_in_can_sign_in_as_somebody_else(half, superuser):
    half.post(LOGIN, {"username": "root", "password": PASSWORD})
    assert is_in(half)


def test_new_password_by_mail_is_not_enough(analyst, codes):
    ask()
    browser, new = Client(), "a new long password"
    target = browser.get(link(), follow=True).redirect_chain[-1][0]
    body = {"new_password1": new, "new_password2": new}
    assert browser.post(target, body).status_code == 302
    assert not is_in(browser)
    browser.post(LOGIN, {"username": "ada", "password": new})
    assert not is_in(browser)
    give_code(browser, shown_by_app(analyst))
    assert is_in(browser)


def test_changed_password_keeps_this_session_verified(browser):
    new = "a new long password"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post("/admin/password_change/", body).status_code == 302
    assert is_in(browser)


def test_password_cannot_be_changed_before_the_code(half):
    new = "a new long password"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    answer = half.post("/admin/password_change/", body)
    assert answer["Location"].startswith(LOGIN)
    assert User.objects.get().check_password(PASSWORD)


def test_page_of_the_code_is_for_who_owes_one(browser, client):
    assert browser.get(CODE)["Location"] == HOME
    assert client.get(CODE)["Location"].startswith(LOGIN)
    assert client.get(FACTOR)["Location"].startswith(LOGIN)


def test_secret_that_cannot_be_read_lets_nobody_in(half, analyst, settings, caplog):
    code = shown_by_app(analyst)
    settings.SECRET_KEY = "another one"
    half = give_password(analyst)
    give_code(half, code)
    assert not is_in(half)
    assert "access_reset_factor" in caplog.text
