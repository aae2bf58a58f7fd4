"""The page of consent: who sees it, what it says, and where it never leads."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from access.models import SignIn
from access.oauth.models import Grant
from tests.access.conftest import PASSWORD
from tests.access.oauth.dancing import (
    BACK,
    address,
    challenge,
    consent,
    register,
    register_machine,
    register_public,
    told,
)

pytestmark = pytest.mark.django_db
Kind = SignIn.Kind


@pytest.fixture
def application(db):
    return register()[0]


def test_page_says_who_wants_what_and_where_it_leads(browser, application):
    page = browser.get(address(application))
    assert page.status_code == 200
    assert "<strong>Notebook</strong>" in page.text
    assert "<strong>ada</strong>" in page.text
    assert "<li>Read the numbers of the traffic.</li>" in page.text
    assert "https://client.example.org</strong>" in page.text
    assert "no-store" in page["Cache-Control"]


def test_page_is_framed_by_nobody_and_posts_to_the_client_alone(browser, application):
    page = browser.get(address(application))
    policy = page["Content-Security-Policy"].split("; ")
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://client.example.org" in policy
    other = browser.get("/admin/")["Content-Security-Policy"].split("; ")
    assert "form-action 'self'" in other


def test_consent_gives_a_code_and_the_state_as_it_was(browser, application, lines):
    answer = told(consent(browser, application))
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == "as it was & is"
    assert answer["iss"] == "http://testserver"
    (line,) = lines(Kind.GRANT_MADE)
    assert (line.name, line.door) == ("ada", "oauth")
    assert line.detail == "Notebook: analytics:read"


def test_no_is_no(browser, application, lines):
    answer = told(consent(browser, application, "deny"))
    assert (answer["error"], answer["state"]) == ("access_denied", "as it was & is")
    assert answer["iss"] == "http://testserver"
    assert not Grant.objects.exists()
    (line,) = lines(Kind.GRANT_DENIED)
    assert line.detail == "Notebook: analytics:read"


def test_only_the_one_button_grants(browser, application):
    for sent in ({}, {"allow": ""}, {"deny": "x"}, {"grant": "x"}):
        answer = browser.post(address(application), sent)
        assert told(answer)["error"] == "access_denied"


def test_consent_needs_the_csrf_token(browser, application):
    browser.handler.enforce_csrf_checks = True
    assert consent(browser, application).status_code == 403
    assert not Grant.objects.exists()


# ── Who is asked ─────────────────────────────────────────────────────────────
def test_anonymous_signs_in_and_comes_back(analyst, application):
    browser = Client()
    wanted = address(application)
    answer = browser.get(wanted)
    assert answer["Location"].startswith("/admin/login/?next=/oauth/authorize/")
    next_ = parse_qs(urlsplit(answer["Location"]).query)["next"]
    assert next_ == [wanted]
    form = {"username": "ada", "password": PASSWORD, "next": wanted}
    back = browser.post("/admin/login/", form)
    assert back["Location"] == wanted
    assert "Notebook" in browser.get(back["Location"]).text


def test_login_in_between_leads_nowhere_else(analyst):
    form = {"username": "ada", "password": PASSWORD}
    form |= {"next": "https://evil.example.org/oauth/authorize/"}
    assert Client().post("/admin/login/", form)["Location"] == "/admin/"


def test_who_is_no_staff_is_not_asked(analyst, application):
    analyst.is_staff = False
    analyst.save()
    browser = Client()
    browser.force_login(analyst)
    assert consent(browser, application)["Location"].startswith("/admin/login/")
    assert not Grant.objects.exists()


def test_a_session_that_is_over_grants_nothing(browser, application, settings):
    settings.SESSION_IDLE_SECONDS = 0
    browser.get("/admin/")
    assert consent(browser, application)["Location"].startswith("/admin/login/")
    assert not Grant.objects.exists()


# ── Where it never leads ─────────────────────────────────────────────────────
WRONG_ADDRESSES = [
    "https://evil.example.org/back",
    f"{BACK}/",
    f"{BACK}/more",
    f"{BACK}?more=1",
    f"{BACK}?",
    f"{BACK}#more",
    f"{BACK}#",
    f"{BACK};more",
    "https://client.example.org:444/back",
    "https://client.example.org:443/back",
    "https://client.example.org/%62ack",
    "https://client.example.org/x/../back",
    "https://CLIENT.example.org/back",
    "https://a@client.example.org/back",
    "https://client.example.org.evil.example.org/back",
    "http://client.example.org/back",
    "javascript:alert(1)",
    "//client.example.org/back",
    "/admin/",
    "",
]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("uri", WRONG_ADDRESSES)
def test_other_addresses_are_told_here(browser, application, uri, method):
    asked = address(application, redirect_uri=uri)
    sent = {"allow": "yes"} if method == "post" else None
    answer = getattr(browser, method)(asked, sent)
    assert answer.status_code == 400
    assert "Location" not in answer
    assert "Nothing was granted" in answer.text
    assert not Grant.objects.exists()


def test_the_only_address_need_not_be_named(browser, application):
    told(consent(browser, application, redirect_uri=None))
    assert Grant.objects.get().redirect_uri == BACK


def test_of_several_addresses_one_has_to_be_named(browser):
    both = register(redirect_uris=f"{BACK}\nhttps://client.example.org/other")[0]
    assert browser.get(address(both, redirect_uri=None)).status_code == 400
    assert browser.get(address(both)).status_code == 200


def test_loopback_is_its_registered_port(browser):
    native = register_public(redirect_uris="http://127.0.0.1:8765/back")
    for port, status in ((8765, 200), (8766, 400)):
        uri = f"http://127.0.0.1:{port}/back"
        page = browser.get(address(native, redirect_uri=uri))
        assert page.status_code == status


@pytest.mark.parametrize("client_id", ["nobody", "", None, "a\x00b", "a b"])
def test_unknown_applications_are_told_here(browser, application, client_id):
    assert browser.get(address(application, client_id=client_id)).status_code == 400


def test_markup_in_a_request_is_shown_as_text(browser):
    bad = register(name="<script>alert(1)</script>")[0]
    assert "<script>alert" not in browser.get(address(bad)).text
    page = browser.get(address(bad, redirect_uri="<script>alert(1)</script>"))
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("query", ["client_id=%zz", "client_id=a&client_id=b", "%FF=1"])
def test_queries_that_make_no_sense(browser, query):
    assert browser.get(f"/oauth/authorize/?{query}").status_code == 400


# ── What is asked for ────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unauthorized_client"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "=" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"scope": "users:delete"}, "invalid_scope"),
        ({"scope": "analytics:read openid"}, "invalid_scope"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_other_flows_methods_and_scopes_are_refused(
    browser, application, changes, error, method
):
    sent = {"allow": "yes"} if method == "post" else None
    answer = told(getattr(browser, method)(address(application, **changes), sent))
    assert (answer["error"], answer["state"]) == (error, "as it was & is")
    assert "code" not in answer
    assert not Grant.objects.exists()


def test_applications_that_act_alone_ask_nobody(browser, analyst):
    alone = register_machine(analyst, redirect_uris=BACK)[0]
    assert told(browser.get(address(alone)))["error"] == "unauthorized_client"


def test_an_application_gets_no_more_than_it_is_allowed(browser):
    reader = register(allowed_scopes="analytics:read")[0]
    answer = told(browser.get(address(reader, scope="products:read")))
    assert answer["error"] == "invalid_scope"


def test_what_the_user_may_not_do_is_not_granted(browser, application, lines):
    wanted = "analytics:read products:write"
    page = browser.get(address(application, scope=wanted)).text
    offered, _, missing = page.partition("will not get")
    assert "Read the numbers" in offered
    assert "Add, change and delete" not in offered
    assert "Add, change and delete" in missing
    told(consent(browser, application, scope=wanted))
    assert Grant.objects.get().scope == "analytics:read"


def test_without_a_scope_all_of_use_are_meant(browser, application):
    told(consent(browser, application, scope=None))
    assert Grant.objects.get().scope == "analytics:read products:read"


def test_who_may_do_nothing_of_it_can_only_say_no(browser, application, analyst):
    analyst.groups.set(Group.objects.none())
    page = browser.get(address(application)).text
    assert "there is nothing to grant" in page
    assert 'name="allow"' not in page
    assert told(consent(browser, application))["error"] == "access_denied"


def test_what_is_posted_changes_nothing_that_was_asked(browser, application):
    more = {"allow": "yes", "scope": "products:read"}
    answer = browser.post(address(application), more)
    assert answer.status_code == 400
    more = {"allow": "yes", "user": "root", "client": "x", "resource": "y"}
    assert "code" in told(browser.post(address(application), more))
    grant = Grant.objects.get()
    assert (grant.user.username, grant.scope) == ("ada", "analytics:read")
    assert (grant.code_challenge, grant.code_challenge_method) == (challenge(), "S256")


def test_response_mode_cannot_be_chosen(browser, application):
    told(consent(browser, application, response_mode="fragment"))
