"""The admin's navigation, and what its index shows to whom."""

import itertools

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from dashboard.admin_site import GROUPS, Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    """Signs in a member of the staff who is in this group, or in none."""

    def sign_in(group=None):
        user = User.objects.create_user("member", is_staff=True)
        user.groups.set(Group.objects.filter(name=group))
        client.force_login(user)
        return client

    return sign_in


def sidebar(response) -> dict[str, list[str]]:
    """Group -> the names it shows."""
    groups = response.context["available_apps"]
    return {str(g["name"]): [str(m["name"]) for m in g["models"]] for g in groups}


# The navigation.


def test_superuser_sees_all_groups(admin_client):
    found = sidebar(admin_client.get(reverse("admin:index")))
    assert list(found) == ["Traffic", "Catalogue", "Operations", "Access"]
    assert found["Traffic"][0] == "Overview"
    assert found["Catalogue"][0] == "Products"
    lists = ["Users", "Groups", "API tokens", "Second factors"]
    lists += ["Applications with access", "OAuth applications", "Sign-ins"]
    assert found["Access"] == [*lists, "Privacy"]


def test_every_model_of_the_admin_has_a_place(admin_client):
    members = {each for group in GROUPS for each in group.members}
    listed = {model._meta.label_lower for model in admin.site._registry}
    assert listed <= members


def test_every_page_and_model_that_is_named_exists():
    for each in itertools.chain.from_iterable(group.members for group in GROUPS):
        if isinstance(each, Page):
            assert reverse(f"admin:{each.url_name}")
        else:
            app, model = each.split(".")
            assert reverse(f"admin:{app}_{model}_changelist")


@pytest.mark.parametrize(
    ("role", "groups"),
    [
        ("Viewer", ["Traffic", "Catalogue", "Access"]),
        ("Analyst", ["Traffic", "Catalogue", "Operations", "Access"]),
        ("Product manager", ["Traffic", "Catalogue", "Access"]),
        ("Scheduler", ["Traffic", "Operations", "Access"]),
    ],
)
def test_roles_see_their_groups(member, role, groups):
    found = sidebar(member(role).get(reverse("admin:index")))
    assert list(found) == groups


def test_model_that_no_group_knows_stays_with_its_app(admin_client):
    admin.site.register(Permission)
    try:
        found = sidebar(admin_client.get(reverse("admin:password_change")))
    finally:
        admin.site.unregister(Permission)
    name = "Authentication and Authorization"
    assert list(found)[-1] == name
    assert found[name] == ["Permissions"]


def test_page_that_does_not_exist_is_left_out(admin_client, monkeypatch):
    monkeypatch.setattr(
        "dashboard.admin_site.GROUPS",
        [
            GROUPS[0]._replace(
                members=(
                    Page("Nowhere", "nowhere", "auth.view_user"),
                    "analytics.rollup",
                )
            )
        ],
    )
    found = sidebar(admin_client.get(reverse("admin:password_change")))
    assert found["Traffic"] == ["Rollups"]


@pytest.mark.parametrize(
    ("name", "current"),
    [
        ("admin:analytics_overview", "Overview"),
        ("admin:analytics_explore", "Explore"),
        ("admin:analytics_importedfile_changelist", "Imported files"),
        ("admin:analytics_site_changelist", "Sites"),
        ("admin:index", "Overview"),
        ("admin:products_product_changelist", "Products"),
        ("admin:products_product_add", "Products"),
        ("admin:analytics_charts", "Charts"),
        ("admin:admin_tools_stats_dashboardstats_add", "Chart definitions"),
        ("admin:password_change", None),
    ],
)
def test_the_page_one_is_on_is_marked(admin_client, name, current):
    response = admin_client.get(reverse(name))
    marked = [
        str(entry["name"])
        for group in response.context["available_apps"]
        for entry in group["models"]
        if entry["current"]
    ]
    assert marked == [current] * bool(current)
    assert response.content.decode().count('aria-current="page"') == len(marked)


def test_index_of_an_app_is_djangos(admin_client):
    response = admin_client.get(reverse("admin:app_list", args=["products"]))
    (app,) = response.context["app_list"]
    assert app["app_label"] == "products"
    assert {"Products", "Categories"} <= {entry["name"] for entry in app["models"]}


# The index.


def test_index_is_the_overview(member):
    response = member("Viewer").get(reverse("admin:index"))
    assert "admin/analytics/overview.html" in response.template_name


def test_index_for_who_may_see_nothing_says_whom_to_ask(member):
    response = member().get(reverse("admin:index"))
    assert "nothing is open to you yet" in response.content.decode()
    assert sidebar(response) == {}


def test_index_for_who_may_not_see_numbers_lists_the_rest(member):
    browser = member("Scheduler")
    group = Group.objects.get(name="Scheduler")
    group.permissions.remove(*group.permissions.filter(codename="view_rollup"))
    response = browser.get(reverse("admin:index"))
    assert "Choose what to work on." in response.content.decode()
    assert list(sidebar(response)) == ["Operations"]
