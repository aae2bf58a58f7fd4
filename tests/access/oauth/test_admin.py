"""The admin's pages of applications, and of those that have access to an account."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from oauth2_provider.models import AccessToken

from access.models import Application, Grant, SignIn
from tests.access.oauth.dancing import Dance, basic, post, register, register_machine

pytestmark = pytest.mark.django_db
LIST, GRANTS = "/admin/access/application/", "/admin/access/grant/"
ADD = LIST + "add/"
FORM = {
    "name": "Notebook",
    "client_type": "confidential",
    "authorization_grant_type": "authorization-code",
    "redirect_uris": "https://client.example.org/back",
    "scopes": ["analytics:read", "products:read"],
}
ALONE = FORM | {"authorization_grant_type": "client-credentials", "redirect_uris": ""}
SECRET = re.compile(r'id="client-secret"[^>]*value="([A-Za-z0-9]{48})"')


@pytest.fixture
def root(superuser) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


@pytest.fixture
def keeper(analyst, browser) -> Client:
    """Staff who may make applications, and is no superuser."""
    for verb in ("add", "change", "view", "delete"):
        analyst.user_permissions.add(
            Permission.objects.get(codename=f"{verb}_application")
        )
    return browser


def secret_of(page) -> str:
    (found,) = SECRET.findall(page.text)
    return found


# ── Applications ─────────────────────────────────────────────────────────────
def test_secret_is_shown_once_and_opens(root, superuser):
    page = root.post(ADD, ALONE | {"user": superuser.pk})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    secret = secret_of(page)
    application = Application.objects.get()
    assert application.client_id in page.text
    assert application.allowed_scopes == "analytics:read products:read"
    headers = basic(application, secret)
    answer = post("/oauth/token/", {"grant_type": "client_credentials"}, headers)
    assert answer.status_code == 200
    for path in (LIST, f"{LIST}{application.pk}/change/", "/admin/"):
        text = root.get(path).text
        assert secret not in text
        assert application.client_secret not in text
    assert secret not in str([*LogEntry.objects.values()])


def test_public_application_shows_none(root):
    page = root.post(ADD, FORM | {"client_type": "public"})
    application = Application.objects.get()
    assert application.client_id in page.text
    assert "has no secret" in page.text
    assert not SECRET.search(page.text)
    assert root.post(f"{LIST}{application.pk}/secret/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redirect_uris": ""}, "Name at least one address"),
        ({"redirect_uris": "http://client.example.org/"}, "must begin with https://"),
        ({"redirect_uris": "https://*.example.org/"}, "characters that are not"),
        ({"redirect_uris": "https://a.example.org/ /b"}, "is not an address"),
        ({"scopes": ["users:delete"]}, "not one of the available choices"),
        ({"scopes": []}, "This field is required"),
        ({"name": ""}, "This field is required"),
        ({"client_type": "other"}, "not one of the available choices"),
        ({"authorization_grant_type": "password"}, "not one of the available choices"),
        ({"authorization_grant_type": "client-credentials"}, "nobody is sent back"),
    ],
)
def test_what_cannot_be_is_told_beside_the_field(root, changes, said):
    page = root.post(ADD, FORM | changes)
    assert "errorlist" in page.text
    assert said in page.text
    assert not Application.objects.exists()


def test_to_act_alone_takes_a_secret_and_a_user(root):
    page = root.post(ADD, ALONE | {"client_type": "public", "user": ""})
    assert "Without a secret it cannot act" in page.text
    assert "It needs a user to act as" in page.text


def test_without_permission_there_is_no_page(browser):
    assert browser.get(LIST).status_code == browser.get(ADD).status_code == 403


def test_nobody_makes_one_that_acts_as_somebody_else(keeper, analyst, superuser):
    more = {"user": superuser.pk, "skip_authorization": "on", "client_id": "mine"}
    keeper.post(ADD, ALONE | more)
    application = Application.objects.get()
    assert (application.user, application.skip_authorization) == (analyst, False)
    assert application.client_id != "mine"
    change = f"{LIST}{application.pk}/change/"
    changed = {"name": "New", "redirect_uris": "", "scopes": ["products:read"]}
    assert keeper.post(change, changed | {"user": superuser.pk}).status_code == 302
    application.refresh_from_db()
    assert (application.user, application.name) == (analyst, "New")
    assert application.allowed_scopes == "products:read"


def test_everybody_sees_their_own(keeper, root, superuser):
    other = register_machine(superuser, name="Others")[0]
    assert "Others" not in keeper.get(LIST).text
    assert "Others" in root.get(LIST).text
    change = f"{LIST}{other.pk}/change/"
    assert keeper.get(change).status_code == 302
    assert keeper.post(change, {"name": "Mine"}).status_code == 302
    assert keeper.post(f"{LIST}{other.pk}/secret/").status_code in (403, 404)
    other.refresh_from_db()
    assert other.name == "Others"


def test_flow_and_type_stay_as_they_were(root, superuser):
    application = register(superuser)[0]
    more = {"client_type": "public", "authorization_grant_type": "client-credentials"}
    answer = root.post(f"{LIST}{application.pk}/change/", FORM | more)
    assert answer.status_code == 302
    application.refresh_from_db()
    assert application.client_type == "confidential"
    assert application.authorization_grant_type == "authorization-code"


def test_saving_leaves_the_secret_alone(root, superuser):
    application, secret = register_machine(superuser)
    form = ALONE | {"user": superuser.pk}
    assert root.post(f"{LIST}{application.pk}/change/", form).status_code == 302
    answer = Dance(root, application, secret).ask({"grant_type": "client_credentials"})
    assert answer.status_code == 200


def test_renewed_secret_ends_the_old_one(root, superuser, ask):
    application, old = register_machine(superuser)
    sent = {"grant_type": "client_credentials"}
    token = Dance(root, application, old).ask(sent).json()["access_token"]
    path = f"{LIST}{application.pk}/secret/"
    assert f'action="{path}"' in root.get(f"{LIST}{application.pk}/change/").text
    assert root.get(path).status_code == 405
    new = secret_of(root.post(path))
    assert new != old
    assert ask(token).status_code == 401
    assert Dance(root, application, old).ask(sent).status_code == 401
    assert Dance(root, application, new).ask(sent).status_code == 200
    root.handler.enforce_csrf_checks = True
    assert root.post(path).status_code == 403


def test_deleted_application_takes_its_tokens_with_it(root, dance, ask):
    pair = dance.tokens()
    path = f"{LIST}{dance.application.pk}/delete/"
    assert root.post(path, {"post": "yes"}).status_code == 302
    assert ask(pair["access_token"]).status_code == 401
    assert not Grant.objects.exists()


def test_markup_in_a_name_is_shown_as_text(root):
    page = root.post(ADD, FORM | {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.text
    assert "<script>alert" not in root.get(LIST).text


def test_pages_of_the_toolkit_are_gone():
    registered = {model._meta.label for model in admin.site._registry}
    assert not {name for name in registered if name.startswith("oauth2_provider")}
    modules = {type(each).__module__ for each in admin.site._registry.values()}
    assert "oauth2_provider.admin" not in modules


# ── Access that was granted ──────────────────────────────────────────────────
def test_all_staff_see_what_has_access_to_their_account(dance, browser, analyst):
    assert "No application has access" in browser.get(GRANTS).text
    dance.tokens()
    analyst.groups.set(Group.objects.none())
    page = browser.get(GRANTS)
    assert page.status_code == 200
    assert "Notebook" in page.text
    assert GRANTS in browser.get("/admin/").text


def test_a_code_that_nobody_used_is_no_access(dance, browser):
    dance.code()
    assert "Notebook" not in browser.get(GRANTS).text


def test_staff_take_it_away(dance, browser, ask, lines, analyst):
    pair = dance.tokens()
    grant = Grant.objects.get()
    path = f"{GRANTS}{grant.pk}/revoke/"
    assert f'action="{path}"' in browser.get(f"{GRANTS}{grant.pk}/change/").text
    assert browser.get(path).status_code == 405
    assert browser.post(path)["Location"] == GRANTS
    assert ask(pair["access_token"]).status_code == 401
    assert dance.refresh(pair["refresh_token"]).status_code == 400
    assert not AccessToken.objects.exists()
    (line,) = lines(SignIn.Kind.GRANT_REVOKED)
    assert (line.user, line.door) == (analyst, "admin")
    assert line.detail == "Notebook: analytics:read"
    assert browser.post(path).status_code == 404


def test_taking_away_needs_the_csrf_token(dance, browser):
    dance.tokens()
    browser.handler.enforce_csrf_checks = True
    path = f"{GRANTS}{Grant.objects.get().pk}/revoke/"
    assert browser.post(path).status_code == 403
    assert Grant.objects.exists()


def test_others_neither_see_it_nor_take_it_away(dance, root):
    dance.tokens()
    grant = Grant.objects.get()
    other = Client()
    other.force_login(User.objects.create_user("bob", is_staff=True))
    assert "Notebook" not in other.get(GRANTS).text
    assert other.get(f"{GRANTS}{grant.pk}/change/").status_code == 302
    assert other.post(f"{GRANTS}{grant.pk}/revoke/").status_code == 404
    nobody = Client().post(f"{GRANTS}{grant.pk}/revoke/")
    assert nobody["Location"].startswith("/admin/login/")
    assert Grant.objects.exists()
    assert "ada" in root.get(GRANTS).text
    assert root.post(f"{GRANTS}{grant.pk}/revoke/").status_code == 302
    assert not Grant.objects.exists()


def test_nothing_of_it_is_changed(dance, root):
    dance.tokens()
    before = Grant.objects.values().get()
    path = f"{GRANTS}{before['id']}/change/"
    assert root.post(path, {"scope": "products:write"}).status_code == 403
    assert root.get(f"{GRANTS}add/").status_code == 403
    assert Grant.objects.values().get() == before


def test_deleted_line_takes_the_tokens_with_it(dance, root, ask, lines):
    text = dance.tokens()["access_token"]
    path = f"{GRANTS}{Grant.objects.get().pk}/delete/"
    assert root.post(path, {"post": "yes"}).status_code == 302
    assert ask(text).status_code == 401
    assert len(lines(SignIn.Kind.GRANT_REVOKED)) == 1


def test_users_who_granted_something_can_go(dance, root, analyst):
    dance.tokens()
    path = f"/admin/auth/user/{analyst.pk}/delete/"
    assert root.post(path, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=analyst.pk).exists()
