"""What the site asks of the drivers of its databases."""

import psycopg2.extensions
import pytest

from dashboard import databases

URL = "postgres://dashboard:word@db.example.org/users"


def test_no_machine_that_is_gone_is_waited_for(monkeypatch):
    monkeypatch.setenv("USERS_DATABASE_TIMEOUT", "7")
    options = databases.users(URL)["OPTIONS"]
    assert options["connect_timeout"] == 7
    assert options["options"] == "-c statement_timeout=7s"
    assert options["tcp_user_timeout"] == 7000
    assert options["keepalives_idle"] == 7
    # The driver refuses what it does not know.
    assert "tcp_user_timeout=7000" in psycopg2.extensions.make_dsn(**options)


@pytest.mark.parametrize(
    ("name", "value"), [("tcp_user_timeout", "9"), ("options", "-c work_mem=1MB")]
)
def test_what_the_address_says_goes_first(name, value):
    address = f"{URL}?{name}={value.replace(' ', '%20').replace('=', '%3D')}"
    assert str(databases.users(address)["OPTIONS"][name]) == value
