"""What superusers do: rules of groups, the factors of others, the command."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from access.factors.models import Authenticator
from access.models import GroupFactor, SignIn

from .conftest import give_code, give_factor, give_password, is_in, shown_by_app

pytestmark = pytest.mark.django_db
Kind = SignIn.Kind
LIST = "/admin/access/authenticator/"


def group_page() -> str:
    return f"/admin/auth/group/{Group.objects.get(name='Analyst').pk}/change/"


def group_form(**changes: str) -> dict[str, str]:
    form = {"name": "Analyst", "factor-TOTAL_FORMS": "1", "factor-INITIAL_FORMS": "0"}
    return form | {"factor-MAX_NUM_FORMS": "1"} | changes


def remove(browser, factor: Authenticator):
    return browser.post(f"{LIST}{factor.pk}/delete/", {"post": "yes"})


@pytest.fixture
def chief(superuser, client):
    client.force_login(superuser)
    return client


def test_superuser_requires_it_of_a_group(chief, analyst):
    page = chief.get(group_page())
    assert "required of every member" in page.text.lower()
    answer = chief.post(group_page(), group_form(**{"factor-0-required": "on"}))
    assert answer.status_code == 302
    assert GroupFactor.objects.get(group__name="Analyst").required
    assert not is_in(give_password(analyst))


def test_who_may_change_groups_does_not_decide_it(analyst, client):
    may = ("change_group", "view_group", "add_groupfactor", "change_groupfactor")
    analyst.user_permissions.set(Permission.objects.filter(codename__in=may))
    GroupFactor.objects.create(group=Group.objects.get(name="Analyst"), required=False)
    client.force_login(analyst)
    form = group_form(**{"factor-0-required": "on", "factor-INITIAL_FORMS": "1"})
    assert client.get(group_page()).status_code == 200
    client.post(group_page(), form)
    assert not GroupFactor.objects.get().required


def test_superuser_takes_the_factor_of_another_away(chief, analyst, codes, lines):
    factor = Authenticator.objects.get()
    assert "ada" in chief.get(LIST).text
    confirm = chief.get(f"{LIST}{factor.pk}/delete/")
    assert "Are you sure" in confirm.text
    assert remove(chief, factor).status_code == 302
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert is_in(give_password(analyst))
    (line,) = lines(Kind.FACTOR_REMOVED)
    assert (line.user, line.detail) == (analyst, "by root")
    assert LogEntry.objects.get().user.username == "root"


def test_others_and_oneself_may_not_take_it_away_there(analyst, superuser, codes):
    browser = give_password(analyst)
    give_code(browser, shown_by_app(analyst))
    names = ("view_authenticator", "delete_authenticator", "delete_totpdevice")
    analyst.user_permissions.set(Permission.objects.filter(codename__in=names))
    factor = Authenticator.objects.get()
    assert browser.get(LIST).status_code == 200
    assert remove(browser, factor).status_code == 403
    User.objects.filter(pk=analyst.pk).update(is_superuser=True)
    assert remove(browser, factor).status_code == 403
    assert Authenticator.objects.exists()


def test_pages_show_neither_secret_nor_codes(chief, analyst, codes):
    factor = Authenticator.objects.get()
    for path in (LIST, f"{LIST}{factor.pk}/change/", f"{LIST}{factor.pk}/history/"):
        page = chief.get(path)
        assert page.status_code == 200
        for secret in (factor.key, factor.bin_key.hex(), *codes):
            assert secret not in page.text
    for path in ("/admin/otp_totp/totpdevice/", "/admin/otp_static/staticdevice/"):
        assert chief.get(path).status_code == 404


def test_list_tells_how_many_codes_are_left(chief, analyst, codes):
    give_code(give_password(analyst), codes[0])
    assert '<td class="field-codes_left">9</td>' in chief.get(LIST).text


def test_list_asks_as_often_for_many_as_for_one(
    chief, analyst, codes, django_assert_max_num_queries
):
    for number in range(5):
        give_factor(User.objects.create_user(f"user{number}"))
    with django_assert_max_num_queries(8):
        assert chief.get(LIST).text.count("user") > 5


def test_user_with_a_factor_can_be_deleted(chief, analyst, codes):
    answer = chief.post(f"/admin/auth/user/{analyst.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not TOTPDevice.objects.exists()


def test_command_takes_it_away(analyst, codes, lines):
    out = io.StringIO()
    call_command("access_reset_factor", "ada", stdout=out)
    assert "taken away" in out.getvalue()
    assert is_in(give_password(analyst))
    (line,) = lines(Kind.FACTOR_REMOVED)
    assert (line.user, line.door) == (analyst, "command")


@pytest.mark.parametrize("name", ["nobody", "ada"])
def test_command_says_when_there_is_nothing(analyst, name):
    with pytest.raises(CommandError, match=name):
        call_command("access_reset_factor", name)
