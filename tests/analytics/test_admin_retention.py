"""The admin's page of retention: what it shows, takes, refuses and writes down."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from analytics.models import Retention, Rollup, Writer
from analytics.reporting.retention import LIST_LIMIT
from analytics.rollup.buckets import Grain
from analytics.rollup.retention import DaysInForce
from tests.analytics.rollup.test_retention import ROUTE, STATUS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
LIST = "admin:analytics_retention_changelist"


@pytest.fixture
def staff(client):
    """The client, as a member of the staff with these permissions."""

    def sign_in(*codenames):
        user = User.objects.create_user("member", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def old_rows(site):
    """Hours of the route, 10 and 40 and 100 days old."""
    Writer.objects.of("test", "UTC")
    for days in (10, 40, 100):
        bucket = timezone.now() - timedelta(days=days)
        Rollup.objects.create(
            site="test", dimension="route", grain=1, bucket=bucket, key="/", audience=0
        )


def url_of(dimension=ROUTE, grain=Grain.HOUR):
    args = (dimension.name, int(grain))
    return reverse("admin:analytics_retention_change", args=args)


def save(client, dimension=ROUTE, grain=Grain.HOUR, **fields):
    """Both steps: the preview, and the button that it shows."""
    url = url_of(dimension, grain)
    shown = client.post(url, fields)
    assert shown.status_code == 200
    previewed = shown.context["previewed"]
    if not previewed:
        return shown
    return client.post(url, {**fields, "previewed": previewed})


def test_the_list_shows_what_is_declared_in_force_there_and_going(
    admin_client, old_rows, django_assert_max_num_queries
):
    Retention.objects.create(dimension="route", grain=1, days=30)
    with django_assert_max_num_queries(6):
        response = admin_client.get(reverse(LIST))
    stock = next(
        stock
        for stock, _url in response.context["rows"]
        if (stock.kept.dimension.name, stock.kept.grain) == ("route", Grain.HOUR)
    )
    assert (stock.kept.declared, stock.kept.days) == (90, 30)
    assert (stock.rows, stock.going, stock.limit) == (3, 2, LIST_LIMIT)
    oldest = timezone.localtime(stock.oldest)
    assert f"<td>{oldest:%Y-%m-%d}</td>" in response.text
    assert "<strong>30 days</strong>" in response.text


def test_who_may_look_and_who_may_change(staff):
    client = staff("view_retention")
    response = client.get(reverse(LIST))
    assert response.status_code == 200
    assert url_of() not in response.text
    assert client.get(url_of()).status_code == 403
    assert client.post(url_of(), {"days": 30}).status_code == 403
    assert not Retention.objects.exists()


def test_who_may_change_gets_the_links_and_no_other_needs_to(staff):
    client = staff("change_retention")
    assert url_of() in client.get(reverse(LIST)).text
    assert client.get(url_of()).status_code == 200


def test_nothing_is_saved_before_it_was_shown_what_would_go(admin_client, old_rows):
    first = admin_client.post(url_of(), {"days": 30})
    assert not Retention.objects.exists()
    asked = first.context["asked"]
    assert (asked.going, first.context["now"].going) == (2, 1)
    assert "2 rows" in first.text
    assert f"{timezone.localtime(asked.oldest):%Y-%m-%d} – " in first.text
    # What is saved is what was seen, not what was typed since.
    other = admin_client.post(url_of(), {"days": 20, "previewed": "30"})
    assert other.status_code == 200
    assert not Retention.objects.exists()
    admin_client.post(url_of(), {"days": 20, "previewed": "20"})
    assert DaysInForce().of(ROUTE)[Grain.HOUR] == 20


def test_saving_deletes_no_rollup_and_is_written_down(admin_client, old_rows):
    assert save(admin_client, days=30).status_code == 302
    assert DaysInForce().of(ROUTE)[Grain.HOUR] == 30
    assert Rollup.objects.count() == 3
    entry = LogEntry.objects.get()
    assert entry.user.username == "admin"
    assert entry.get_change_message() == "Route, hour: 90 days → 30 days."


def test_what_is_declared_is_put_in_force_again(admin_client):
    Retention.objects.create(dimension="route", grain=1, days=30)
    assert save(admin_client, days=90).status_code == 302
    assert not Retention.objects.exists()
    said = LogEntry.objects.get().get_change_message()
    assert said == "Route, hour: 30 days → 90 days."


def test_saving_what_is_in_force_changes_nothing(admin_client):
    assert save(admin_client, days=90).status_code == 302
    assert not Retention.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("grain", "days"),
    [(0, "0"), (0, "15"), (1, "6"), (1, "731"), (2, "399"), (1, ""), (1, "x")],
)
def test_what_is_not_safe_is_refused(admin_client, grain, days):
    response = save(admin_client, grain=grain, days=days, confirmed="on")
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Retention.objects.exists()


def test_hours_and_minutes_are_not_kept_for_ever(admin_client):
    response = save(admin_client, days="", for_ever="on")
    assert response.context["form"].errors
    assert not Retention.objects.exists()


def test_finer_rows_do_not_outlast_coarser_ones(admin_client):
    Retention.objects.create(dimension="route", grain=0, days=10)
    response = save(admin_client, days=9)
    assert "minute are kept for 10 days" in response.text
    Retention.objects.create(dimension="route", grain=2, days=400)
    response = save(admin_client, days=500)
    assert "day are kept for 400 days" in response.text
    assert DaysInForce().of(ROUTE)[Grain.HOUR] == 90


def test_days_go_only_when_that_is_confirmed(admin_client):
    fields = {"days": 400, "grain": Grain.DAY, "dimension": STATUS}
    response = save(admin_client, **fields)
    assert "confirmed" in response.context["form"].errors
    assert not Retention.objects.exists()
    assert save(admin_client, **fields, confirmed="on").status_code == 302
    assert DaysInForce().of(STATUS)[Grain.DAY] == 400
    # To keep them for longer needs no word.
    longer = {"dimension": STATUS, "grain": Grain.DAY}
    assert save(admin_client, **longer, days=500).status_code == 302
    assert save(admin_client, **longer, for_ever="on").status_code == 302
    assert DaysInForce().of(STATUS)[Grain.DAY] is None
    # Some may have gone meanwhile.
    assert Retention.objects.get().since is not None


@pytest.mark.parametrize("path", ["nothing/1/", "status/0/", "route/9/"])
def test_what_is_not_declared_has_no_page(admin_client, path):
    assert admin_client.get(reverse(LIST) + path).status_code == 404


def test_the_list_is_only_read(admin_client):
    assert admin_client.post(reverse(LIST)).status_code == 405
