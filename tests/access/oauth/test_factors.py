"""Access that a password alone granted ends where a second factor is asked for."""

import pytest

from tests.access.factors.conftest import give_factor, require

pytestmark = pytest.mark.django_db


def required(user) -> None:
    require("Analyst")


@pytest.mark.parametrize("asked_for", [required, give_factor])
def test_access_from_before_is_not_prolonged(dance, analyst, asked_for):
    pair = dance.tokens()
    pair = dance.refresh(pair["refresh_token"]).json()
    asked_for(analyst)
    answer = dance.refresh(pair["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
