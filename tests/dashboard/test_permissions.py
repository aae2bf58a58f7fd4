"""Who may see what: every address of the project, for everybody there is.

The tables are the specification. An address that no row names fails, and so does a row
that names no address: whoever adds a page says here who may open it.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache

from tests.dashboard.addresses import Address, addresses, samples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

PEOPLE = (
    "anonymous",
    "user",
    "staff",
    "Viewer",
    "Analyst",
    "Product manager",
    "Scheduler",
    "superuser",
)

# The first row that fits an address counts. "in" stands for: sent to sign in.
OPENED = """
URL name                               anon user staff view analy manag sched super
admin:index                              in   in   200  200   200   200   200   200
admin:login                             200  200   302  302   302   302   302   302
admin:logout                            302  302   405  405   405   405   405   405
admin:password_change*                   in   in   200  200   200   200   200   200
admin:jsi18n                             in   in   200  200   200   200   200   200
admin:autocomplete                       in   in   403  403   403   403   403   403
admin:view_on_site                       in   in   302  302   302   302   302   302
admin:anything else                      in   in   404  404   404   404   404   404
admin:*_short                            in   in   302  302   302   302   302   302

admin:app_list analytics                 in   in   404  200   200   200   200   200
admin:app_list products                  in   in   404  200   200   200   404   200
admin:app_list admin_tools_stats         in   in   404  200   200   200   404   200
admin:app_list django_celery_beat        in   in   404  404   404   404   200   200
admin:app_list auth                      in   in   404  404   404   404   404   200
admin:app_list access                    in   in   404  404   200   200   404   200

admin:analytics_overview                 in   in   403  200   200   200   200   200
admin:analytics_explore                  in   in   403  200   200   200   200   200
admin:analytics_explore_data             in   in   403  200   200   200   200   200
admin:analytics_explore_export           in   in   405  405   405   405   405   405
admin:analytics_chart_data               in   in   403  200   200   200   200   200
admin:analytics_numbers                  in   in   403  200   200   200   200   200
admin:analytics_waiting                  in   in   403  200   200   200   200   200
admin:analytics_charts                   in   in   403  200   200   200   403   200
admin:analytics_charts_data              in   in   403  200   200   200   403   200

admin:analytics_health                   in   in   403  403   200   403   200   200
admin:analytics_privacy                  in   in   403  200   200   200   200   200
admin:analytics_retention_changelist     in   in   403  403   200   403   200   200
admin:analytics_retention_change         in   in   403  403   403   403   403   200

admin:analytics_site_register            in   in   405  405   405   405   405   405
admin:analytics_rollup_export            in   in   405  405   405   405   405   405
admin:analytics_schedule_run             in   in   405  405   405   405   405   405
admin:analytics_*_add                    in   in   403  403   403   403   403   403
admin:analytics_*_delete                 in   in   403  403   403   403   403   403
admin:analytics_rollup_*                 in   in   403  200   200   200   200   200
admin:analytics_producer_*               in   in   403  403   200   403   200   200
admin:analytics_deadletter_*             in   in   403  403   403   403   200   200
admin:analytics_jobrun_*                 in   in   403  403   403   403   200   200
admin:analytics_importedfile_*           in   in   403  403   200   403   200   200
admin:analytics_site_*                   in   in   403  403   200   403   200   200

admin:products_product_process_import    in   in   405  405   405   405   405   405
admin:products_product_import            in   in   403  403   403   200   403   200
admin:products_product_export            in   in   403  403   200   200   403   200
admin:products_*_add                     in   in   403  403   403   200   403   200
admin:products_*_delete                  in   in   403  403   403   200   403   200
admin:products_*                         in   in   403  200   200   200   403   200

admin:admin_tools_stats_*_add            in   in   403  403   403   403   403   200
admin:admin_tools_stats_*_delete         in   in   403  403   403   403   403   200
admin:admin_tools_stats_dashboardstats_* in   in   403  200   200   200   403   200
admin:admin_tools_stats_*                in   in   403  403   403   403   403   200

admin:*_periodictask_add                 in   in   403  403   403   403   403   200
admin:django_celery_beat_*_delete        in   in   403  403   403   403   403   200
admin:*_periodictask_*                   in   in   403  403   403   403   200   200
admin:*_intervalschedule_*               in   in   403  403   403   403   200   200
admin:*_crontabschedule_*                in   in   403  403   403   403   200   200
admin:django_celery_beat_*               in   in   403  403   403   403   403   200

admin:auth_*                             in   in   403  403   403   403   403   200

admin:access_apitoken_changelist         in   in   403  403   200   200   403   200
admin:access_apitoken_add                in   in   403  403   200   200   403   200
admin:access_apitoken_revoke             in   in   405  405   405   405   405   405
admin:access_apitoken_delete             in   in   403  403   403   403   403   200
admin:access_apitoken_history            in   in   302  302   302   302   302   200
admin:access_apitoken_*                  in   in   403  403   302   302   403   200
admin:access_authenticator_add           in   in   403  403   403   403   403   403
admin:access_authenticator_*             in   in   403  403   403   403   403   200
factor_*                                 in   in   302  302   302   302   302   302
factor                                   in   in   200  200   200   200   200   200
admin:access_application_secret          in   in   405  405   405   405   405   405
admin:access_application_history         in   in   302  302   302   302   302   200
admin:access_application_*               in   in   403  403   403   403   403   200
admin:access_grant_changelist            in   in   200  200   200   200   200   200
admin:access_grant_revoke                in   in   405  405   405   405   405   405
admin:access_grant_add                   in   in   403  403   403   403   403   403
admin:access_grant_delete                in   in   403  403   403   403   403   200
admin:access_grant_*                     in   in   302  302   302   302   302   200
admin:access_signin_add                  in   in   403  403   403   403   403   403
admin:access_signin_delete               in   in   403  403   403   403   403   403
admin:access_signin_*                    in   in   403  403   403   403   403   200
*password_reset*                        200  200   200  200   200   200   200   200

v1:index                                401  403  200  200   200   200   200   200
oauth:authorize                          in   in   400  400   400   400   400   400
oauth:*                                 405  405   405  405   405   405   405   405

v1:schema                               401  403  200  200   200   200   200   200
v1:docs                                  in   in   200  200   200   200   200   200
v1:jwt*                                 405  405   405  405   405   405   405   405
v1:product-bulk                         401  403   403  403   403   405   403   405
v1:product-*                            401  403   403  200   200   200   403   200
v1:category-*                           401  403   403  200   200   200   403   200
v1:analytics:key*                       401  403   403  403   200   403   403   200
v1:analytics:*                          401  403   403  200   200   200   200   200
v1:nothing                              401  404   404  404   404   404   404   404
no-api                                  401  404   404  404   404   404   404   404

analytics:health                        503  503   503  503   503   503   503   503
products:*                              200  200   200  200   200   200   200   200
favicon.ico                             302  302   302  302   302   302   302   302
"""

# What changes something, sent an empty form: 200 is the form with its errors.
POSTED = """
URL name                               anon user staff view analy manag sched super
admin:analytics_rollup_export            in   in   403  403   400   403   403   400
admin:analytics_explore_export           in   in   403  403   400   403   403   400
admin:analytics_schedule_run             in   in   403  403   403   403   302   302
admin:analytics_retention_change         in   in   403  403   403   403   403   200
admin:analytics_site_register            in   in   403  403   403   403   403   302
admin:analytics_site_change              in   in   403  403   403   403   403   302
admin:analytics_*_add                    in   in   403  403   403   403   403   403
admin:analytics_*_change                 in   in   403  403   403   403   403   403
admin:analytics_*_delete                 in   in   403  403   403   403   403   403

admin:products_product_process_import    in   in   403  403   403   302   403   302
admin:products_product_import            in   in   403  403   403   200   403   200
admin:products_product_export            in   in   403  403   200   200   403   200
admin:products_*_add                     in   in   403  403   403   200   403   200
admin:products_*_change                  in   in   403  403   403   200   403   200
admin:products_*_delete                  in   in   403  403   403   200   403   200

admin:admin_tools_stats_*_add            in   in   403  403   403   403   403   200
admin:admin_tools_stats_*_change         in   in   403  403   403   403   403   200
admin:admin_tools_stats_*_delete         in   in   403  403   403   403   403   200

admin:*_periodictask_add                 in   in   403  403   403   403   403   200
admin:django_celery_beat_*_delete        in   in   403  403   403   403   403   200
admin:*_periodictask_change              in   in   403  403   403   403   200   200
admin:*_intervalschedule_*e              in   in   403  403   403   403   200   200
admin:*_intervalschedule_add             in   in   403  403   403   403   200   200
admin:*_crontabschedule_*e               in   in   403  403   403   403   200   200
admin:*_crontabschedule_add              in   in   403  403   403   403   200   200
admin:django_celery_beat_*_add           in   in   403  403   403   403   403   200
admin:django_celery_beat_*_change        in   in   403  403   403   403   403   200

admin:access_apitoken_add                in   in   403  403   200   200   403   200
admin:access_apitoken_revoke             in   in   403  403   404   404   403   302
admin:access_apitoken_change             in   in   403  403   403   403   403   403
admin:access_apitoken_delete             in   in   403  403   403   403   403   200
admin:access_authenticator_add           in   in   403  403   403   403   403   403
admin:access_authenticator_change        in   in   403  403   403   403   403   403
admin:access_authenticator_delete        in   in   403  403   403   403   403   200
factor_confirm                           in   in   200  200   200   200   200   200
factor_[bcr]*                            in   in   302  302   302   302   302   302
admin:access_application_add             in   in   403  403   403   403   403   200
admin:access_application_secret          in   in   403  403   403   403   403   200
admin:access_application_change          in   in   403  403   403   403   403   200
admin:access_application_delete          in   in   403  403   403   403   403   200
admin:access_grant_revoke                in   in   404  404   404   404   404   302
admin:access_grant_add                   in   in   403  403   403   403   403   403
admin:access_grant_change                in   in   403  403   403   403   403   403
admin:access_grant_delete                in   in   403  403   403   403   403   302
admin:access_signin_add                  in   in   403  403   403   403   403   403
admin:access_signin_change               in   in   403  403   403   403   403   403
admin:access_signin_delete               in   in   403  403   403   403   403   403

admin:auth_user_password_change          in   in   403  403   403   403   403   200
admin:auth_*_add                         in   in   403  403   403   403   403   200
admin:auth_*_change                      in   in   403  403   403   403   403   200
admin:auth_*_delete                      in   in   403  403   403   403   403   200

oauth:authorize                          in   in   400  400   400   400   400   400
oauth:token                             400  400   400  400   400   400   400   400
oauth:revoke-token                      400  400   400  400   400   400   400   400

v1:product-list                         401  403   403  403   403   400   403   400
v1:product-bulk                         401  403   403  403   403   400   403   400
v1:product-detail                       401  403   403  403   403   405   403   405
v1:category-list                        401  403   403  403   403   400   403   400
v1:category-detail                      401  403   403  403   403   405   403   405
v1:analytics:*                          401  405   405  405   405   405   405   405
v1:jwt*                                 415  415   415  415   415   415   415   415
"""

Table = dict[str, dict[str, str]]


def read(table: str) -> Table:
    """Pattern of URL names -> person -> what is answered."""
    _titles, *lines = (line for line in table.splitlines() if line)
    split = ((" ".join(words[:-8]), words[-8:]) for words in map(str.split, lines))
    return {pattern: dict(zip(PEOPLE, row, strict=True)) for pattern, row in split}


def row_for(name: str, table: Table) -> str | None:
    return next((row for row in table if fnmatchcase(name, row)), None)


@pytest.fixture(autouse=True)
def nobody_has_tried_yet():
    """Sign-ins are counted in the cache."""
    cache.clear()


@pytest.fixture
def everywhere() -> list[Address]:
    return addresses(samples())


@pytest.fixture
def as_person(client):
    """The client, signed in as one of PEOPLE."""

    def sign_in(person: str):
        rights = {"is_staff": person not in ("anonymous", "user")}
        rights["is_superuser"] = person == "superuser"
        if person != "anonymous":
            user = User.objects.create_user("somebody", **rights)
            user.groups.set(Group.objects.filter(name=person))
            client.force_login(user)
        return client

    return sign_in


def answer(response) -> str:
    location = response.headers.get("Location", "")
    return "in" if location.startswith("/admin/login/") else str(response.status_code)


def differences(table: Table, person: str, answers: dict[str, str]) -> Iterator[str]:
    for name, found in answers.items():
        expected = table[row_for(name, table)][person]
        if found != expected:
            yield f"{name}: {found}, not {expected}"


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_open_what(as_person, everywhere, person):
    browser, table = as_person(person), read(OPENED)
    unnamed = [each.name for each in everywhere if not row_for(each.name, table)]
    assert unnamed == []
    answers = {each.name: answer(browser.get(each.url)) for each in everywhere}
    assert list(differences(table, person, answers)) == []


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_change_what(as_person, everywhere, person):
    browser, table = as_person(person), read(POSTED)
    changing = [each for each in everywhere if row_for(each.name, table)]
    answers = {each.name: answer(browser.post(each.url)) for each in changing}
    assert list(differences(table, person, answers)) == []


@pytest.mark.parametrize("table", [OPENED, POSTED], ids=["opened", "posted"])
def test_every_row_is_about_an_address(everywhere, table):
    rows = read(table)
    used = {row_for(each.name, rows) for each in everywhere}
    assert set(rows) - used == set()


def test_every_page_that_changes_something_is_in_the_table(everywhere):
    table = read(POSTED)
    verbs = ("_add", "_change", "_delete", "_import", "_export", "_run", "_revoke")
    verbs += ("_secret",)
    names = {each.name for each in everywhere if each.name.endswith(verbs)}
    # Everybody changes the password of their own.
    names.remove("admin:password_change")
    assert {name for name in names if not row_for(name, table)} == set()


def test_nothing_is_changed_without_a_token(as_person, everywhere):
    browser = as_person("superuser")
    browser.handler.enforce_csrf_checks = True
    # No cookie counts there: what is sent is the credential.
    open_ = ("v1:jwt", "oauth:token", "oauth:revoke-token")
    pages = [each for each in everywhere if not each.name.startswith(open_)]
    answers = {each.name: browser.post(each.url).status_code for each in pages}
    assert {name for name, status in answers.items() if status != 403} == set()


def test_nobody_keeps_or_frames_a_page_of_the_admin(as_person, everywhere):
    browser = as_person("superuser")
    for name, url in everywhere:
        response = browser.get(url)
        assert response["X-Frame-Options"] == "DENY", name
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"], name
        # Refusals are the same for everybody, and show nothing.
        if name.startswith("admin:") and response.status_code not in (403, 404):
            kept = {word.strip() for word in response["Cache-Control"].split(",")}
            assert {"no-store", "private"} <= kept, name
