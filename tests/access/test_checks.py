"""The system checks, and that the documentation names all there is."""

import re
from pathlib import Path

import pytest
from django.core import checks as django_checks

from access import checks
from access.models import SignIn
from access.schedule import ENTRY
from access.scopes import SCOPES

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ACCESS = (ROOT / "docs" / "access.md").read_text()
IDS = sorted(set(re.findall(r"access\.[EW]\d{3}", Path(checks.__file__).read_text())))


def ids(found: list) -> list[str]:
    return [message.id for message in found]


def test_our_own_settings_are_in_order():
    assert checks.check_key() == checks.check_own_key() == []
    ran = django_checks.run_checks(tags=[checks.TAG], include_deployment_checks=True)
    assert not [message for message in ran if message.id in IDS]


@pytest.mark.parametrize("old", [False, True])
def test_secret_key_must_not_sign_web_tokens(settings, old):
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    if old:
        settings.SECRET_KEY_FALLBACKS = [key]
    else:
        settings.SECRET_KEY = key
    assert ids(checks.check_key()) == ["access.E001"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"SIGNING_KEY": "short"}, "access.E002"),
        ({"SIGNING_KEY": None}, "access.E002"),
        ({"ALGORITHM": "none"}, "access.E003"),
    ],
)
def test_weak_web_tokens_are_refused(settings, change, expected):
    settings.SIMPLE_JWT = settings.SIMPLE_JWT | change
    assert ids(checks.check_key()) == [expected]


def test_derived_key_is_told(settings):
    settings.JWT_KEY_DERIVED = True
    assert ids(checks.check_own_key()) == ["access.W001"]


@pytest.mark.parametrize("check", IDS)
def test_every_check_is_documented(check):
    assert f"| `{check}` |" in OPERATIONS


def test_schedule_scopes_and_kinds_are_documented():
    assert len(IDS) == 4
    assert f"| {ENTRY.name} | `{ENTRY.task}` |" in OPERATIONS
    assert [scope for scope in SCOPES if f"| `{scope}` |" not in ACCESS] == []
    assert [kind.label for kind in SignIn.Kind if f"*{kind.label}*" not in ACCESS] == []
