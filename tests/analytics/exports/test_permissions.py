"""Who may export, and what stays of it."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from analytics.models import Rollup, Site
from analytics.reporting import workbooks
from tests.analytics.exports.making import FORMATS, LIST, content, post, rollup

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("format", FORMATS)
def test_exports_need_both_permissions(client, member, format):
    assert post(client, format).status_code == 302
    browser = member("view_rollup")
    assert post(browser, format).status_code == 403
    user = User.objects.get(username="member")
    user.user_permissions.set(Permission.objects.filter(codename="export_rollup"))
    assert post(browser, format).status_code == 403
    assert not LogEntry.objects.exists()


def test_buttons_are_for_those_who_may(member):
    rollup()
    browser = member("view_rollup")
    assert b"Export CSV" not in browser.get(reverse(LIST)).content
    added = Permission.objects.get(codename="export_rollup")
    User.objects.get(username="member").user_permissions.add(added)
    page = browser.get(reverse(LIST) + "?q=shop&dimension=route&p=1&o=5").content
    for name in (b"CSV", b"XLSX", b"JSON"):
        assert b"Export " + name in page
    (action,) = re.findall(r'action="([^"]+/export/[^"]*)"', page.decode())
    assert action.endswith("/export/?q=shop&amp;dimension=route&amp;o=5")
    assert content(post(browser, "csv"))


def test_an_export_is_a_post_with_a_token(admin_user, client):
    client.force_login(admin_user)
    assert client.get(reverse("admin:analytics_rollup_export")).status_code == 405
    client.handler.enforce_csrf_checks = True
    assert post(client, "csv").status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("format", ["", "html", "CSV", "0"])
def test_other_formats_are_refused(admin_client, format):
    assert post(admin_client, format).status_code == 400


@pytest.mark.parametrize(
    "query", ["nonsense=1", "grain__exact=x", "visitors__password=1", "bucket__gte=x"]
)
def test_filters_that_the_list_does_not_have_are_refused(admin_client, query):
    rollup()
    assert post(admin_client, "csv", query).status_code == 400
    assert not LogEntry.objects.exists()


def test_without_openpyxl_there_is_no_workbook(admin_client, monkeypatch):
    monkeypatch.setattr(workbooks, "available", lambda: False)
    assert b"XLSX" not in admin_client.get(reverse(LIST)).content
    assert post(admin_client, "xlsx").status_code == 400


def test_an_export_is_written_down(admin_client, admin_user):
    rollup()
    content(post(admin_client, "csv", "dimension=route&q=%3Cb%3E&p=3"))
    entry = LogEntry.objects.get()
    assert entry.user == admin_user
    assert entry.content_type.model_class() is Rollup
    assert entry.get_change_message() == "Exported as CSV: dimension=route&q=%3Cb%3E."
    content(post(admin_client, "json"))
    assert LogEntry.objects.first().change_message == "Exported as JSON: no filter."
    assert admin_client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "rollups-test-"),
        ("dimension=route&grain__exact=2", "rollups-test-route-day-"),
        ("audience__exact=1&q=secret", "rollups-test-bots-filtered-"),
        ("o=1&p=1", "rollups-test-"),
    ],
)
def test_the_name_says_what_is_in_it(admin_client, query, name):
    response = post(admin_client, "csv", query)
    pattern = rf'attachment; filename="{name}\d{{4}}-\d\d-\d\d\.csv"'
    assert re.fullmatch(pattern, response["Content-Disposition"])


def test_the_name_has_the_site_that_was_chosen(admin_client):
    Site.objects.create(name="shop")
    response = post(admin_client, "csv", "site=shop&dimension=route")
    assert 'filename="rollups-shop-route-' in response["Content-Disposition"]


def test_of_a_site_that_is_none_nothing_is_exported(admin_client):
    assert post(admin_client, "csv", "site=../../etc").status_code == 400


@pytest.mark.parametrize("format", FORMATS)
def test_headers(admin_client, format):
    response = post(admin_client, format)
    kinds = {"csv": "text/csv", "json": "application/json", "xlsx": "spreadsheetml"}
    assert kinds[format] in response["Content-Type"]
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment; ")
    content(response)
