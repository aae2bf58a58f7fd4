"""The password reset: a mail to who is known, the same words to who is not."""

import re

import pytest
from django.core import mail
from django.test import Client

from access.models import SignIn
from access.views import RESETS

from .conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("analyst")]
ASK = "/admin/password_reset/"
NEW = "a new long password"


def ask(address: str = "ada@example.org", **more):
    return Client().post(ASK, {"email": address}, **more)


def link() -> str:
    (message,) = mail.outbox
    return re.search(r"https?://[^/]+(/\S+)", message.body)[1]


def test_login_page_has_the_link():
    assert f'href="{ASK}"' in Client().get("/admin/login/").text


def test_link_of_the_mail_sets_a_password_once(lines):
    assert ask()["Location"] == ASK + "done/"
    browser, path = Client(), link()
    form = browser.get(path, follow=True)
    target = form.redirect_chain[-1][0]
    body = {"new_password1": NEW, "new_password2": NEW}
    assert browser.post(target, body)["Location"] == "/admin/reset/done/"
    for password, status in ((PASSWORD, 200), (NEW, 302)):
        body = {"username": "ada", "password": password}
        assert Client().post("/admin/login/", body).status_code == status
    assert "reset link was invalid" in Client().get(path, follow=True).text
    kinds = [line.kind for line in lines()]
    Kind = SignIn.Kind
    assert kinds == [
        *(Kind.RESET_ASKED, Kind.PASSWORD_CHANGED, Kind.FAILURE, Kind.LOGIN)
    ]


def test_unknown_address_gets_the_same_answer_and_no_mail():
    known, unknown = ask(), ask("nobody@example.org")
    assert (known.status_code, known["Location"]) == (
        unknown.status_code,
        unknown["Location"],
    )
    assert len(mail.outbox) == 1


def test_mails_from_one_network_are_few():
    answers = [ask() for _ in range(RESETS + 3)]
    assert {answer["Location"] for answer in answers} == {ASK + "done/"}
    assert len(mail.outbox) == RESETS
    ask(REMOTE_ADDR="198.51.100.9")
    assert len(mail.outbox) == RESETS + 1


@pytest.mark.parametrize("name", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST"])
def test_link_never_names_a_host_that_was_sent(name):
    answer = ask(**{name: "evil.example.org"})
    poisoned = name == "HTTP_HOST"
    assert answer.status_code == (400 if poisoned else 302)
    assert all("evil" not in message.body for message in mail.outbox)
    assert len(mail.outbox) == (0 if poisoned else 1)


@pytest.mark.parametrize(
    "path", [ASK, ASK + "done/", "/admin/reset/a/b/", "/admin/reset/done/"]
)
def test_pages_are_in_our_look(path):
    page = Client().get(path)
    assert page.status_code == 200
    assert "dashboard/frame.css" in page.text
    assert "Dashboard" in page.text


def test_weak_password_is_refused():
    ask()
    browser = Client()
    target = browser.get(link(), follow=True).redirect_chain[-1][0]
    body = {"new_password1": "12345", "new_password2": "12345"}
    assert "too short" in browser.post(target, body).text
