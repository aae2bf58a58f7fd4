"""Settings: nothing secret has a default, and what is missing is named."""

import pytest

from flask_shop.config import CHECKOUT, Refusal, Settings, database_url

KEY = "0123456789abcdef0123456789abcdef"
SET = {
    "FLASK_SHOP_SECRET_KEY": KEY,
    "FLASK_SHOP_HOSTS": "shop.example.org, example.org",
}


def test_all_that_is_needed():
    settings = Settings.from_environ(SET | {"FLASK_SHOP_DATABASE_URL": "sqlite://"})
    hosts = ("shop.example.org", "example.org")
    assert settings == Settings(KEY, "sqlite://", hosts, local=False)


def test_locally_the_hosts_are_loopback_addresses():
    environ = {"FLASK_SHOP_SECRET_KEY": KEY, "FLASK_SHOP_LOCAL": "1"}
    assert Settings.from_environ(environ).hosts == ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"FLASK_SHOP_SECRET_KEY": ""}, "FLASK_SHOP_SECRET_KEY"),
        ({"FLASK_SHOP_SECRET_KEY": "secret"}, "FLASK_SHOP_SECRET_KEY"),
        ({"FLASK_SHOP_HOSTS": " "}, "FLASK_SHOP_HOSTS"),
    ],
)
def test_what_is_missing_is_named(change, named):
    with pytest.raises(Refusal, match=named):
        Settings.from_environ(SET | change)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        (
            "postgres://a:b@db.example.org/c",
            "postgresql+psycopg2://a:b@db.example.org/c",
        ),
        ("postgresql://db/c", "postgresql+psycopg2://db/c"),
        ("postgresql+psycopg2://db/c", "postgresql+psycopg2://db/c"),
        ("", f"sqlite:///{CHECKOUT}/var/flask_shop/shop.sqlite3"),
    ],
)
def test_database(said, url):
    assert database_url({"FLASK_SHOP_DATABASE_URL": said}) == url
