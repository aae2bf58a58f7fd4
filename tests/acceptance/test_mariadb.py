"""Accounts in a real MariaDB: `A` is not `a`, nothing is cut off, every text fits."""

import json
import subprocess
import sys

import pytest

from tests.acceptance.databases import ROOT
from tests.acceptance.test_moving import Site

LOOK = """
import json
from django.contrib.auth.models import User
from django.db import DataError, connections
from access.models import ApiToken
User.objects.create_user("Ann", "Ann@example.org")
ann = User.objects.create_user("ann", first_name="Ann 😀")
try:
    User.objects.filter(pk=ann.pk).update(first_name="x" * 200)
    long = "cut off"
except DataError:
    long = "refused"
cursor = connections["users"].cursor()
cursor.execute("SELECT @@sql_mode, @@tx_isolation, @@collation_connection")
names = lambda **q: sorted(User.objects.filter(**q).values_list("username", flat=True))
print(json.dumps({
    "exact": names(username="ANN"),
    "is": names(username="Ann"),
    "icontains": names(username__icontains="aNN"),
    "contains": names(username__contains="A"),
    "iexact": names(email__iexact="ann@EXAMPLE.org"),
    "emoji": User.objects.get(username="ann").first_name,
    "long": long,
    "session": cursor.fetchone(),
}))
"""
COLLATIONS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND collation_name != 'utf8mb4_bin'
"""


@pytest.fixture
def accounts(mariadb_server):
    return mariadb_server.make()


@pytest.fixture
def site(accounts, tmp_path) -> Site:
    found = Site(tmp_path, USERS_DATABASE_URL=accounts.url)
    found.manage("migrate", "-v0", "--database=users")
    return found


def test_names_differ_by_their_capitals(site, accounts):
    found = json.loads(site.manage("shell", "-v0", "-c", LOOK))
    mode, isolation, collation = found.pop("session")
    assert found == {
        "exact": [],
        "is": ["Ann"],
        "icontains": ["Ann", "ann"],
        "contains": ["Ann"],
        "iexact": ["Ann"],
        "emoji": "Ann 😀",
        "long": "refused",
    }
    assert "STRICT_ALL_TABLES" in mode
    assert isolation == "READ-COMMITTED"
    assert collation == "utf8mb4_bin"
    assert accounts.query(COLLATIONS) == ()


def test_tables_that_ignore_case_are_an_error_with_its_cure(site, accounts):
    check = ("django", "check", "--database=users", "--tag=database")
    assert "access.E012" not in site.run(*check).stderr
    accounts.query(
        "ALTER TABLE django_session CONVERT TO CHARACTER SET utf8mb4 "
        "COLLATE utf8mb4_general_ci"
    )
    said = site.run(*check).stderr
    assert "access.E012" in said
    assert "Columns of django_session are compared by utf8mb4_general_ci" in said
    cure = "ALTER TABLE django_session CONVERT TO CHARACTER SET utf8mb4 COLLATE"
    assert cure in said
    accounts.query(f"{cure} utf8mb4_bin")
    assert "access.E012" not in site.run(*check).stderr


def test_going_back_and_forth_through_all_migrations(site, accounts):
    """Other servers find other faults in how a migration changes a table."""
    site.manage("migrate", "-v0", "--database=users", "access", "zero")
    assert accounts.query("SHOW TABLES LIKE 'access%'") == ()
    site.manage("migrate", "-v0", "--database=users")
    assert accounts.query(COLLATIONS) == ()


def test_the_driver_is_loaded_for_mysql_alone(tmp_path):
    code = "import django, sys; django.setup(); print('pymysql' in sys.modules)"
    site = Site(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=site.env,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False", done.stderr
