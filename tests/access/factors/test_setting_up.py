"""Setting a factor up, its recovery codes, and taking it away."""

import re
from base64 import b32decode

import pytest
from django.conf import settings as live
from django.contrib.sessions.models import Session
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from access import sessions
from access.factors import keeping, sealing
from access.factors.models import Authenticator
from access.models import SignIn

from ..conftest import PASSWORD
from .conftest import (
    BEGIN,
    CONFIRM,
    FACTOR,
    RECOVERY,
    REMOVE,
    give_code,
    give_password,
    is_in,
    require,
    shown_by_app,
    wrong_code,
)

pytestmark = pytest.mark.django_db
Kind = SignIn.Kind
PICTURE = FACTOR + "picture.svg"
SECRET = re.compile(r'factor-secret">([A-Z2-7 ]+)<')
PRINTED = re.compile(r"<code>(\w{5}-\w{5})</code>")


@pytest.fixture
def signed_in(analyst) -> Client:
    return give_password(analyst)


@pytest.fixture
def begun(signed_in) -> Client:
    assert signed_in.post(BEGIN)["Location"] == CONFIRM
    return signed_in


def test_nothing_is_made_by_looking(signed_in):
    for path in (FACTOR, CONFIRM, BEGIN, PICTURE):
        signed_in.get(path)
    assert not Authenticator.objects.exists()


def test_secret_of_the_page_is_what_the_app_needs(begun, analyst):
    page = begun.get(CONFIRM)
    assert "no-store" in page["Cache-Control"]
    typed = SECRET.search(page.text)[1].replace(" ", "")
    assert b32decode(typed) == Authenticator.objects.get().bin_key


def test_picture_keeps_the_policy_and_is_not_kept(begun):
    answer = begun.get(PICTURE)
    assert answer["Content-Type"] == "image/svg+xml"
    assert "no-store" in answer["Cache-Control"]
    assert "img-src 'self'" in answer["Content-Security-Policy"]
    assert answer.text.lstrip().startswith("<?xml")
    assert "<script" not in answer.text
    assert "style=" not in answer.text


# Whose password it takes.


@pytest.fixture
def left_open(signed_in, clock) -> Client:
    """A browser whose owner has been away for a while."""
    clock.forward(sessions.FRESH)
    return signed_in


def test_who_has_just_signed_in_is_not_asked_again(signed_in, clock):
    clock.forward(sessions.FRESH - 1)
    assert 'method="post" action="/admin/second-factor/begin/"' in (
        signed_in.get(FACTOR).text
    )
    assert signed_in.get(BEGIN)["Location"] == FACTOR
    assert signed_in.post(BEGIN)["Location"] == CONFIRM


@pytest.mark.parametrize("proof", [{"password": ""}, {"password": "wrong"}])
def test_open_browser_gets_no_secret(left_open, analyst, proof):
    assert f'href="{BEGIN}"' in left_open.get(FACTOR).text
    assert left_open.post(BEGIN)["Location"] == BEGIN
    assert 'type="password"' in left_open.get(BEGIN).text
    answer = left_open.post(BEGIN, proof)
    assert answer.status_code == 200
    assert "errorlist" in answer.text
    assert left_open.get(CONFIRM)["Location"] == FACTOR
    assert not Authenticator.objects.exists()


def test_its_owner_gives_the_password(left_open, analyst):
    assert left_open.post(BEGIN, {"password": PASSWORD})["Location"] == CONFIRM
    assert left_open.get(CONFIRM).status_code == 200
    page = left_open.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert "Your recovery codes" in page.text


@pytest.mark.parametrize("is_required", [False, True])
def test_wrong_passwords_lock_the_name(left_open, lines, is_required):
    if is_required:
        require()
    for _ in range(live.AXES_FAILURE_LIMIT):
        answer = left_open.post(BEGIN, {"password": "wrong"})
    assert answer.status_code == 429
    assert left_open.post(BEGIN, {"password": PASSWORD}).status_code == 429
    assert not Authenticator.objects.exists()
    assert len(lines(Kind.FAILURE)) == live.AXES_FAILURE_LIMIT
    assert len(lines(Kind.LOCKOUT)) == 1


def test_required_of_who_has_been_in_for_long(left_open, analyst):
    require()
    assert left_open.post(BEGIN)["Location"] == BEGIN
    assert left_open.post(BEGIN, {"password": PASSWORD})["Location"] == CONFIRM
    left_open.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert is_in(left_open)


def test_another_browser_does_not_see_what_was_begun(begun, analyst):
    elsewhere = give_password(analyst)
    for path in (CONFIRM, PICTURE):
        assert elsewhere.get(path)["Location"] == FACTOR
    answer = elsewhere.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert answer["Location"] == FACTOR
    assert not Authenticator.objects.filter(confirmed=True).exists()


def test_secret_that_nobody_took_is_over(begun, analyst, clock):
    clock.forward(keeping.SECRET_SECONDS - 1)
    assert begun.get(CONFIRM).status_code == 200
    clock.forward(1)
    answer = begun.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert answer["Location"] == FACTOR
    assert begun.get(PICTURE)["Location"] == FACTOR


# Its first code.


def test_it_counts_after_its_first_code_alone(begun, analyst, lines):
    assert is_in(give_password(analyst))
    begun.post(CONFIRM, {"code": wrong_code(analyst)})
    assert is_in(give_password(analyst))
    assert lines(Kind.FACTOR_ADDED) == []


def test_first_code_turns_it_on(begun, analyst, lines, clock):
    elsewhere = give_password(analyst)
    old = begun.cookies[live.SESSION_COOKIE_NAME].value
    page = begun.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert "no-store" in page["Cache-Control"]
    assert len(PRINTED.findall(page.text)) == keeping.CODES
    assert is_in(begun)
    assert begun.cookies[live.SESSION_COOKIE_NAME].value != old
    assert not is_in(elsewhere)
    (line,) = lines(Kind.FACTOR_ADDED)
    assert (line.user, line.door) == (analyst, "admin")
    clock.forward()
    give_code(elsewhere, shown_by_app(analyst))
    assert is_in(elsewhere)


def test_code_that_confirmed_it_signs_nobody_in(begun, analyst):
    code = shown_by_app(analyst)
    begun.post(CONFIRM, {"code": code})
    elsewhere = give_password(analyst)
    give_code(elsewhere, code)
    assert not is_in(elsewhere)


def test_there_is_one_factor_for_a_user(browser, analyst):
    before = Authenticator.objects.get().pk
    assert browser.post(BEGIN)["Location"] == FACTOR
    assert Authenticator.objects.get().pk == before


def test_begun_twice_the_first_secret_is_gone(begun):
    first = Authenticator.objects.get().pk
    begun.post(BEGIN)
    assert Authenticator.objects.get().pk != first


def test_database_does_not_tell_secret_and_codes(begun, analyst):
    secret = Authenticator.objects.get().bin_key
    page = begun.post(CONFIRM, {"code": shown_by_app(analyst)})
    codes = [code.replace("-", "") for code in PRINTED.findall(page.text)]
    kept = str([*TOTPDevice.objects.values(), *StaticToken.objects.values()])
    kept += str([session.get_decoded() for session in Session.objects.all()])
    assert secret.hex() not in kept
    assert not [code for code in codes if code in kept]


def test_secret_moved_to_another_user_is_unreadable(analyst, superuser, codes):
    kept = Authenticator.objects.get().key
    assert sealing.unseal(kept, analyst.pk)
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(kept, superuser.pk)


@pytest.mark.parametrize("text", ["", "a", "sample", "é", "A" * 64])
def test_what_was_never_sealed_is_unreadable(text):
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(text, 1)


def test_new_secret_key_with_the_old_one_beside_it(analyst, codes, settings):
    code = shown_by_app(analyst)
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [old]
    first, second = give_password(analyst), give_password(analyst)
    give_code(first, code)
    give_code(second, codes[0])
    assert is_in(first)
    assert is_in(second)
    # Sealed anew when it was used.
    settings.SECRET_KEY_FALLBACKS = []
    assert Authenticator.objects.get().bin_key


def test_recovery_codes_are_renewed(browser, analyst, codes, lines):
    page = browser.post(RECOVERY, {"code": shown_by_app(analyst)})
    new = [code.replace("-", "") for code in PRINTED.findall(page.text)]
    assert len(new) == keeping.CODES
    assert not set(new) & set(codes)
    assert lines(Kind.FACTOR_ADDED)[-1].detail == "new recovery codes"
    elsewhere = give_password(analyst)
    give_code(elsewhere, codes[0])
    assert not is_in(elsewhere)
    give_code(elsewhere, new[0])
    # The wrong one before has its price.
    assert not is_in(elsewhere)


@pytest.mark.parametrize("path", [RECOVERY, REMOVE])
@pytest.mark.parametrize("proof", [{}, {"password": "wrong"}, {"code": "000000"}])
def test_open_browser_is_not_enough(browser, analyst, path, proof):
    if proof.get("code"):
        proof = {"code": wrong_code(analyst)}
    before = set(StaticToken.objects.values_list("pk", flat=True))
    assert browser.post(path, proof).status_code == 200
    assert Authenticator.objects.filter(confirmed=True).exists()
    assert set(StaticToken.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("proof", ["code", "password", "recovery"])
def test_it_is_taken_away_by_its_owner(browser, analyst, codes, lines, proof):
    what = {
        "code": {"code": shown_by_app(analyst)},
        "password": {"password": PASSWORD},
        "recovery": {"code": codes[3]},
    }
    assert browser.post(REMOVE, what[proof])["Location"] == FACTOR
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    assert is_in(browser)
    assert is_in(give_password(analyst))
    assert [line.user for line in lines(Kind.FACTOR_REMOVED)] == [analyst]


def test_wrong_passwords_there_are_counted_like_others(browser):
    for _ in range(live.AXES_FAILURE_LIMIT):
        answer = browser.post(REMOVE, {"password": "wrong"})
    assert answer.status_code == 429
    assert browser.post(REMOVE, {"password": PASSWORD}).status_code == 429
    assert Authenticator.objects.exists()


def test_status_tells_how_many_codes_are_left(browser, analyst, codes):
    assert "<dd>10</dd>" in browser.get(FACTOR).text
    for pk in StaticToken.objects.values_list("pk", flat=True)[:7]:
        StaticToken.objects.filter(pk=pk).delete()
    assert "make new ones soon" in browser.get(FACTOR).text


def test_menu_of_the_user_has_the_page(signed_in):
    assert f'href="{FACTOR}"' in signed_in.get("/admin/").text
