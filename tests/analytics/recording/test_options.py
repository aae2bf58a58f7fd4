"""What recorders without Django are told, and that it means what the settings mean."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from analytics.conf import get_config
from analytics.recording.names import derived_key, is_site_name
from analytics.recording.options import Options, recorder_of

LEAST = {
    "ANALYTICS_SITE": "flask-shop",
    "ANALYTICS_KEY": "text of the key",
    "ANALYTICS_REDIS_URL": "redis://127.0.0.1:6379/0",
    "ANALYTICS_JOURNAL_DIR": "/var/lib/journal",
}


def options(**changes):
    values = {"site": "shop", "key": "k", "redis_url": "redis://x", "journal_dir": "/j"}
    return Options(**(values | changes))


def test_the_environment_is_read():
    more = {
        "ANALYTICS_JOURNAL_MAX_BYTES": "5000",
        "ANALYTICS_IGNORE": "/healthz, /static/",
        "ANALYTICS_HOSTS": "shop.example.org",
        "ANALYTICS_PROXIES": "1",
        "ANALYTICS_VISITOR_PERIOD": "day",
        "ANALYTICS_RECORD_PATHS": "1",
        "ANALYTICS_HONOUR_DNT": "no",
        "ANALYTICS_COUNTRY_HEADER": "CF-IPCountry",
    }
    found = Options.from_environ(LEAST | more)
    assert found == Options(
        site="flask-shop",
        key="text of the key",
        redis_url="redis://127.0.0.1:6379/0",
        journal_dir="/var/lib/journal",
        journal_max_bytes=5_000,
        ignore=("/healthz", "/static/"),
        hosts=("shop.example.org",),
        proxies=1,
        visitor_period="day",
        record_paths=True,
        honour_dnt=False,
        country_header="CF-IPCountry",
    )


def test_the_defaults_are_those_of_the_settings():
    found, config = Options.from_environ(LEAST), get_config()
    assert found.recorder.journal_max_bytes == config.recorder.journal_max_bytes
    assert found.recorder.stream_max_batches == config.recorder.stream_max_batches
    assert found.visitor_period == config.visitor_period


@pytest.mark.parametrize("name", LEAST)
def test_what_is_needed_is_asked_for_by_name(name):
    with pytest.raises(ValueError, match=name):
        Options.from_environ(LEAST | {name: ""})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"site": "a:b"}, "letters"),
        ({"site": "a" * 51}, "50"),
        ({"proxies": -1}, "whole number"),
        ({"proxies": True}, "whole number"),
        ({"journal_max_bytes": "1"}, "whole number"),
        ({"journal_max_bytes": 0}, "1 or more"),
        ({"stream_max_batches": 0}, "1 or more"),
        ({"ignore": "/healthz"}, "tuple"),
        ({"ignore": ("healthz",)}, "start with"),
        ({"hosts": "example.org"}, "tuple"),
        ({"visitor_period": "week"}, "stable"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        options(**changes)


@pytest.mark.parametrize(
    "name", ["ANALYTICS_JOURNAL_MAX_BYTES", "ANALYTICS_STREAM_MAX_BATCHES"]
)
def test_no_limit_is_no_setting_where_0_would_record_or_ship_nothing(settings, name):
    setattr(settings, name, 0)
    with pytest.raises(ImproperlyConfigured, match=rf"{name}.*1 or more"):
        get_config()


@pytest.mark.parametrize(
    ("name", "text"),
    [("ANALYTICS_PROXIES", "one"), ("ANALYTICS_RECORD_PATHS", "perhaps")],
)
def test_words_of_the_environment_are_refused_by_name(name, text):
    with pytest.raises(ValueError, match=name):
        Options.from_environ(LEAST | {name: text})


@pytest.mark.parametrize("secret", ["secret", "geheim-ü", b"bytes"])
def test_the_key_is_what_django_derives(secret):
    whole = salted_hmac("analytics", "key", secret=secret, algorithm="sha256")
    assert derived_key(secret) == whole.digest()


def test_the_key_is_that_of_the_settings(settings):
    settings.ANALYTICS_KEY = "shared"
    assert options(key="shared").recorder.key == get_config().recorder.key


@pytest.mark.parametrize("name", ["", "1st", "a b", "a:b", "ä", "a\n", "a" * 51])
def test_what_is_no_name_of_a_site(name):
    assert not is_site_name(name)


def test_a_process_has_one_recorder_for_the_same_options(tmp_path):
    one, other = (options(journal_dir=tmp_path).recorder for _ in range(2))
    assert recorder_of(one) is recorder_of(other)
