"""Two who send the same code at the same moment: one comes in."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client

from .conftest import give_code, give_factor, give_password, shown_by_app

pytestmark = [
    pytest.mark.skipif(
        connection.vendor == "sqlite",
        reason="its tests' database is in memory, for one",
    ),
    pytest.mark.django_db(transaction=True),
]


def statuses_of(browsers: list[Client], code: str) -> list[int]:
    start, found = threading.Barrier(len(browsers)), []

    def send(browser: Client) -> None:
        try:
            start.wait(10)
            found.append(give_code(browser, code).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(each,)) for each in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(found)


@pytest.mark.parametrize("kind", ["app", "paper"])
def test_of_two_with_the_same_code_one_comes_in(analyst: User, kind):
    papers = give_factor(analyst)
    code = shown_by_app(analyst) if kind == "app" else papers[0]
    browsers = [give_password(analyst), give_password(analyst)]
    assert statuses_of(browsers, code) == [200, 302]
