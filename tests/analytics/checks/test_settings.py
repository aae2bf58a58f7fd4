"""Settings that nobody can work with are named."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from analytics.checks import (
    check_countries,
    check_journal,
    check_redis_url,
    check_settings,
    settings,
)
from tests.analytics.checks.ids import ids
from tests.analytics.recording.test_country import database


def test_good_settings(site):
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANALYTICS_SITE", "a b"),
        ("ANALYTICS_PROXIES", "two"),
        ("ANALYTICS_IGNORE", "/static/"),
        ("ANALYTICS_VISITOR_PERIOD", "week"),
    ],
)
def test_unusable_setting_is_named(site, name, value):
    setattr(site, name, value)
    (message,) = check_settings()
    assert ids([message]) == ["E003"]
    assert name in message.msg
    for check in (check_journal, check_redis_url):
        assert check() == []


def test_times_without_a_zone(site):
    site.USE_TZ = False
    assert ids(check_settings()) == ["E006"]


def test_unusable_dimension_is_named(site, monkeypatch):
    def fail():
        raise ImproperlyConfigured("Dimension 'x' is declared twice.")

    monkeypatch.setattr(settings, "get_dimensions", fail)
    assert ids(check_settings()) == ["E004"]


def test_a_file_of_countries(site, tmp_path):
    site.ANALYTICS_COUNTRY_DATABASE = str(database(tmp_path))
    assert check_countries() == []


@pytest.mark.parametrize("content", [None, b"rubbish"])
def test_a_file_of_countries_that_is_none(site, tmp_path, content):
    file = tmp_path / "country.mmdb"
    if content:
        file.write_bytes(content)
    site.ANALYTICS_COUNTRY_DATABASE = str(file)
    (message,) = check_countries()
    assert ids([message]) == ["E007"]
    assert str(file) in message.msg
