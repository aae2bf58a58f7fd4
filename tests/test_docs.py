"""What a user can set, run or see is in the documentation."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands

from analytics.recording.options import Options
from analytics.rollup.dimensions import BUILT_IN
from analytics.schedule import SCHEDULE

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DIMENSIONS = (ROOT / "docs" / "dimensions.md").read_text()
ENVIRONMENT = (ROOT / ".env.example").read_text()
README = (ROOT / "README.md").read_text()


def _names(pattern, *files):
    return sorted({n for f in files for n in re.findall(pattern, f.read_text())})


SITES = (ROOT / "docs" / "sites.md").read_text()
SETTINGS = _names(r"\bANALYTICS_[A-Z_]+\b", ROOT / "analytics" / "conf.py")
CHECKS = _names(r"analytics\.[EWI]\d{3}", *(ROOT / "analytics" / "checks").glob("*.py"))
VARIABLES = _names(r"env\.\w+\(\s*\"([A-Z_]+)\"", *(ROOT / "dashboard").glob("*.py"))
COMMANDS = sorted(
    name
    for name, app in get_commands().items()
    if app in ("analytics", "products") and name != "seed_products"
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_documented(setting):
    assert f"`{setting}`" in OPERATIONS
    assert f"\n{setting}=" in ENVIRONMENT


@pytest.mark.parametrize("option", fields(Options), ids=lambda option: option.name)
def test_every_option_of_other_sites_is_documented(option):
    assert f"`ANALYTICS_{option.name.upper()}`" in SITES


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_environment_variable_is_in_the_example(variable):
    assert f"\n{variable}=" in ENVIRONMENT


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_is_documented(check):
    assert f"| `{check}` |" in OPERATIONS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert f"`manage.py {command}" in OPERATIONS


@pytest.mark.parametrize("entry", SCHEDULE, ids=lambda entry: entry.name)
def test_every_schedule_entry_is_documented(entry):
    assert f"| {entry.name} | `{entry.task}` |" in OPERATIONS


@pytest.mark.parametrize("dimension", BUILT_IN, ids=lambda dimension: dimension.name)
def test_every_dimension_is_documented(dimension):
    assert f"| `{dimension.name}` |" in DIMENSIONS


@pytest.mark.parametrize(
    "package",
    [
        re.match(r"[\w-]+", line)[0]
        for line in (ROOT / "requirements.in").read_text().splitlines()
        if line and not line.startswith("#")
    ],
)
def test_every_dependency_is_in_the_readme_with_its_reason(package):
    assert re.search(rf"\| `{package}` \| \S", README)


def test_patterns_found_something():
    assert min(map(len, (SETTINGS, CHECKS, VARIABLES, COMMANDS))) > 3
