"""Accounts in MariaDB, numbers in PostgreSQL: MariaDB is killed and hung under load."""

from base64 import b64encode

import pytest

from tests.acceptance.browser import Browser
from tests.acceptance.marks import ON_POSTGRESQL
from tests.acceptance.people import NAME, PASSWORD

OVERVIEW = "/admin/"
PAGES = (
    OVERVIEW,
    "/admin/analytics/rollup/explore/",
    "/admin/admin_tools_stats/dashboardstats/charts/",
    "/admin/analytics/rollup/overview/numbers/",
    "/admin/analytics/retention/privacy/",
    "/admin/products/product/",
)
LONGEST = 20
"""Seconds: nobody waits longer, on two cores with much else to do."""


@pytest.fixture
def accounts(site, mariadb_server):
    """The site's accounts in a database of the server; Ann's token, and what an
    application of hers signs in with."""
    database = mariadb_server.make()
    site.env |= {
        "USERS_DATABASE_URL": database.url,
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.users_settings",
        # Journals and tables know the admin's requests, too.
        "ANALYTICS_IGNORE": "/healthz",
    }
    assert site.command("migrate", "--database=users", "-v0") == 0, site.logs()
    # What is here by the tests' template cannot be what is read.
    for table in ("auth_user", "django_session", "access_apitoken", "auth_permission"):
        site.database.query(f"DROP TABLE {table} CASCADE")
    people = site.start("people", ["tests.acceptance.people"])
    assert people.wait() == 0, site.logs()
    return people.said().split()[-3:]


class Person(Browser):
    """Ann, with a browser and a script."""

    def __init__(self, address, accounts):
        super().__init__(address)
        self.token, *self.application = accounts

    def api(self, path: str):
        return self.get(path, Authorization=f"Bearer {self.token}")

    def obtain_jwt(self):
        body = {"username": NAME, "password": PASSWORD}
        return self.send("POST", "/api/v1/auth/jwt/", body)

    def obtain_grant(self):
        """An OAuth token, by the application's own id and secret."""
        pair = b64encode(":".join(self.application).encode()).decode()
        form = {"grant_type": "client_credentials"}
        return self.post("/oauth/token/", form, Authorization=f"Basic {pair}")


def all_doors_open(person: Person) -> None:
    """Sign-in, token, web token and grant."""
    assert person.sign_in(NAME, PASSWORD).status == 302
    assert person.get(OVERVIEW).status == 200
    assert person.api("/api/v1/products/").status == 200
    pair = person.obtain_jwt()
    assert pair.status == 200
    grant = person.obtain_grant()
    assert grant.status == 200, grant.text
    for text in (pair.json["access"], grant.json["access_token"]):
        bearer = f"Bearer {text}"
        assert person.get("/api/v1/products/", Authorization=bearer).status == 200


def numbers_are_up(person: Person) -> None:
    for page in PAGES:
        answer = person.get(page)
        assert answer.status == 200, page
        assert NAME in answer.text or page.endswith("numbers/")
        assert answer.seconds < LONGEST, page


def nobody_comes_in(person: Person) -> None:
    """And each door says so in words, and when to come again."""
    answers = [person.sign_in(NAME, PASSWORD), person.obtain_grant()]
    assert "database of accounts does not answer" in answers[0].text
    for answer in (person.api("/api/v1/products/"), person.obtain_jwt()):
        assert answer.json["code"] == "unavailable"
        answers.append(answer)
    for answer in answers:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.seconds < LONGEST


def every_worker_knows(person: Person) -> bool:
    """Each tries again by itself, seconds after it did in vain."""
    return all(person.api("/api/v1/products/").status == 200 for _ in range(20))


@ON_POSTGRESQL
@pytest.mark.parametrize("way", ["killed", "hung"])
def test_users_down_under_load(site, mariadb_server, accounts, way):
    server = mariadb_server
    site.start_counting()
    web = site.start_web()
    ann, other = Person(web.address, accounts), Person(web.address, accounts)
    all_doors_open(ann)
    # Both workers have seen her.
    for page in PAGES * 2:
        assert ann.get(page).status == 200, page
    with web.load(clients=2) as load:
        server.kill9() if way == "killed" else server.suspend()
        before = site.total()
        nobody_comes_in(other)
        numbers_are_up(ann)
        saved = ann.post("/admin/products/category/add/", {"name": "X", "slug": "x"})
        assert saved.status == 503
        assert site.database.query("SELECT 1 FROM products_category") == []
        site.wait_for(lambda: site.total() > before, "counting goes on")
        server.start() if way == "killed" else server.resume()
        site.wait_for(lambda: every_worker_knows(other), "tokens are good")
        all_doors_open(other)
        numbers_are_up(ann)
        outcome = load.stop()

    recorded = outcome.sent + ann.asked + other.asked
    site.wait_settled(recorded)
    assert not outcome.failed
    site.assert_settled(recorded)
