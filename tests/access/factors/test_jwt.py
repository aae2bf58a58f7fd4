"""Web tokens of who has a second factor, or has to: a password alone gives none."""

import pytest
from django.conf import settings as live
from django.test import Client

from access.factors import keeping
from access.models import SignIn

from ..conftest import PASSWORD
from .conftest import give_factor, require, shown_by_app, wrong_code

pytestmark = pytest.mark.django_db
OBTAIN, REFRESH = "/api/v1/auth/jwt/", "/api/v1/auth/jwt/refresh/"
Kind = SignIn.Kind


def post(path: str, **body):
    return Client().post(path, body, content_type="application/json")


def obtain(**more):
    return post(OBTAIN, username="ada", password=PASSWORD, **more)


def refresh(pair: dict):
    return post(REFRESH, refresh=pair["refresh"])


def problem(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_code_is_asked_for(analyst, codes, lines):
    assert problem(obtain()) == (401, "otp_required")
    assert [line.kind for line in lines()] == [Kind.JWT_REFUSED]


def test_wrong_password_is_not_told_that_a_code_is_asked_for(codes):
    answer = post(OBTAIN, username="ada", password="wrong", otp="000000")
    assert problem(answer)[1] not in ("otp_required", "otp_refused")


def test_code_gives_a_pair_once(analyst, codes, ask, clock):
    code = shown_by_app(analyst)
    pair = obtain(otp=code)
    assert pair.status_code == 200
    assert ask(pair.json()["access"]).json()["user"] == "ada"
    assert problem(obtain(otp=code)) == (401, "otp_refused")
    clock.forward()
    assert obtain(otp=shown_by_app(analyst)).status_code == 200


def test_recovery_code_will_do(codes, lines):
    assert obtain(otp=codes[0]).status_code == 200
    assert [line.door for line in lines(Kind.RECOVERY_USED)] == ["jwt"]


def test_code_of_another_user_is_refused(analyst, superuser, codes):
    give_factor(superuser)
    assert problem(obtain(otp=shown_by_app(superuser))) == (401, "otp_refused")


def test_wrong_codes_lock_like_wrong_passwords(analyst, codes, clock, lines):
    for _ in range(live.AXES_FAILURE_LIMIT):
        answer = obtain(otp=wrong_code(analyst))
        clock.forward(60)
    assert problem(answer) == (429, "throttled")
    assert obtain(otp=shown_by_app(analyst)).status_code == 429
    refused = lines(Kind.FACTOR_REFUSED)
    assert len(refused) == live.AXES_FAILURE_LIMIT
    assert {line.door for line in refused} == {"jwt"}


def test_who_tries_too_soon_is_told_when(analyst, codes):
    obtain(otp=wrong_code(analyst))
    answer = obtain(otp=shown_by_app(analyst))
    assert problem(answer) == (429, "throttled")
    assert answer["Retry-After"] == "1"


def test_member_of_a_group_that_requires_it_has_to_set_one_up(analyst, clock):
    require("Analyst")
    assert problem(obtain()) == (401, "otp_required")
    assert problem(obtain(otp="123456")) == (401, "otp_required")
    give_factor(analyst)
    assert obtain(otp=shown_by_app(analyst)).status_code == 200


def test_refresh_token_from_before_ends(analyst, lines):
    pair = obtain().json()
    later = refresh(pair).json()
    require("Analyst")
    assert refresh(later).status_code == 401
    assert lines(Kind.JWT_REFUSED)[-1].detail == "no second factor"


def test_refresh_token_of_a_code_goes_on(analyst, codes):
    require("Analyst")
    pair = obtain(otp=shown_by_app(analyst)).json()
    pair = refresh(pair).json()
    pair = refresh(pair).json()
    keeping.remove(analyst)
    # Whoever has the phone now has not the account: it is to be set up anew.
    assert refresh(pair).status_code == 401


def test_otp_of_who_has_no_factor_is_not_looked_at(analyst):
    assert obtain(otp="123456").status_code == 200


def test_tokens_made_in_the_admin_remain_good(analyst, make_token, ask):
    _token, text = make_token()
    require("Analyst")
    assert ask(text).json()["user"] == "ada"
