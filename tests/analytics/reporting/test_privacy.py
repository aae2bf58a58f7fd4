"""The page *What is held about a visitor* says what is in force."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from analytics.conf import get_config
from analytics.reporting.privacy import statement
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import get_dimensions
from analytics.rollup.retention import LETTERS_LIMIT, RECORDS_DAYS, keep
from analytics.words import number

pytestmark = pytest.mark.django_db


def fact(what):
    (found,) = (each for each in statement().facts if each.what == what)
    return found


def how_long(label):
    (found,) = (k for k in statement().rows if label in k.dimensions.split(", "))
    return found.how_long


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        ("ANALYTICS_RECORD_USERS", True, "signed-in user"),
        ("ANALYTICS_RECORD_PATHS", True, "path"),
        ("ANALYTICS_COUNTRY_HEADER", "CF-IPCountry", "country"),
    ],
)
def test_what_is_switched_off_is_said_to_be_off(settings, setting, value, what):
    setattr(settings, setting, type(value)())
    assert (fact(what).recorded, fact(what).kept) == (False, "")
    setattr(settings, setting, value)
    assert fact(what).recorded
    assert fact(what).kept


@pytest.mark.parametrize("period", ["stable", "month", "day"])
def test_how_long_a_visitor_is_the_same(settings, period):
    settings.ANALYTICS_VISITOR_PERIOD = period
    words = {"stable": "stays the same", "month": "each month", "day": "each day"}
    assert words[period] in fact("client address and user agent").kept


def test_signals(settings):
    settings.ANALYTICS_HONOUR_DNT = False
    assert "not looked at" in statement().signals
    settings.ANALYTICS_HONOUR_DNT = True
    assert "no visitor" in statement().signals


def test_the_retention_in_force_is_shown():
    route = next(each for each in get_dimensions() if each.name == "route")
    assert how_long("Route") == "minute 2 days, hour 90 days, day for ever"
    keep(route, Grain.HOUR, 30)
    assert how_long("Route") == "minute 2 days, hour 30 days, day for ever"
    assert how_long("Total") == "minute 2 days, hour 90 days, day for ever"


def test_every_dimension_that_is_counted_is_named(settings):
    settings.ANALYTICS_RECORD_USERS = False
    named = ", ".join(kept.dimensions for kept in statement().rows).split(", ")
    labels = {str(each.label) for each in get_dimensions()}
    assert labels - set(named) == {"User"}
    settings.ANALYTICS_RECORD_USERS = True
    assert how_long("User") == "hour 90 days, day for ever"


def test_words_of_the_url_are_those_that_dimensions_declare():
    assert "slug (products:detail)" in fact("words of the URL").kept.split("; ")


def test_the_page_says_all_of_it(admin_client):
    response = admin_client.get(reverse("admin:analytics_privacy"))
    found = statement()
    shown = [text for fact in found.facts for text in fact[:2]]
    shown += [text for row in (*found.places, *found.rows) for text in row]
    for text in (*shown, *found.never, found.signals):
        assert escape(text) in response.text
    assert str(get_config().recorder.journal_dir) in response.text
    assert f"{RECORDS_DAYS} days, at most {number(LETTERS_LIMIT)}." in response.text


def test_what_imports_and_outages_leave_is_named():
    places = {place.where: place for place in statement().places}
    (rejects,) = (name for name in places if "*.unreadable.txt" in name)
    assert "addresses can be in them" in places[rejects].what
    assert "hash" in places["database: imported files"].what
    assert "times of outages" in places["database: ledger and job runs"].how_long


def test_it_asks_once(django_assert_num_queries):
    with django_assert_num_queries(1):
        statement()
