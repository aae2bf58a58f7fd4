"""Somebody who grants, and an application that asks."""

import pytest
from django.test import Client

from tests.access.oauth.dancing import Dance, register, register_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(analyst) -> Client:
    browser = Client()
    browser.force_login(analyst)
    return browser


@pytest.fixture
def dance(browser) -> Dance:
    return Dance(browser, *register())


@pytest.fixture
def machine(browser, analyst) -> Dance:
    """An application that acts by itself, as the analyst."""
    return Dance(browser, *register_machine(analyst))
