"""What the description says holds on a running site: schemathesis asks it.

`API_EXAMPLES` makes it ask more: so many requests of each operation and phase, and
every boundary of what changes something.
"""

import json
import os
import subprocess
import sys

import pytest
from django.core.cache import caches
from django.core.servers.basehttp import WSGIRequestHandler
from rest_framework.settings import api_settings

from api import throttles
from api.description import description
from tests.access.conftest import PASSWORD
from tests.analytics.conftest import valkey_url  # noqa: F401
from tests.api.calling import SCOPES, caller, person
from tests.products.making import product

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = os.environ.get("API_EXAMPLES")
SEED = os.environ.get("API_SEED", "20261123")
CHECKS = """
# No schema can say which categories there are, which SKUs are taken, and which measures
# a dimension has: what fits it may still be refused, as described.
[checks.positive_data_acceptance]
enabled = false

[phases.coverage]
generate-duplicate-query-parameters = true

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 429]

# What a body says is converted by each field's rules, whatever its format calls it:
# the text 5 is a number, and 9.5 a price.
[[operations]]
include-method = ["POST", "PUT", "PATCH"]
checks.negative_data_rejection.enabled = false
"""
BRIEF = """
# Every boundary of every field in five formats takes minutes.
phases.coverage.enabled = false
"""
CALLERS = {
    "superuser": "coverage,fuzzing,stateful",
    "scopeless": "fuzzing",
    "nobody": "fuzzing",
}
"""Who asks, and in which ways: who is let in nowhere needs fewer."""


@pytest.fixture(autouse=True)
def throttled(settings, valkey_url, monkeypatch):  # noqa: F811
    """By a real Valkey, with limits that nothing here reaches."""
    options = settings.CACHES["throttles"] | {"LOCATION": valkey_url}
    settings.CACHES = settings.CACHES | {"throttles": options}
    rates = dict.fromkeys(api_settings.DEFAULT_THROTTLE_RATES, "1000000/minute")
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)
    monkeypatch.setattr(throttles, "shared", throttles.Shared())
    caches["throttles"].clear()
    assert throttles.shared.count("it-counts", 60) == 1


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Heads and bodies go in packets of their own, which else waits for the other."""
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)


@pytest.fixture
def credential():
    """The header of each of CALLERS."""
    root = person(name="root", is_superuser=True, password=PASSWORD)
    for name in ("mug", "pan", "pen"):
        product(name)

    def header(who: str) -> list[str]:
        if who == "nobody":
            return []
        client = caller(root, scopes=SCOPES if who == "superuser" else ())
        return ["--header", f"Authorization: {client.defaults['HTTP_AUTHORIZATION']}"]

    return header


@pytest.mark.parametrize("who", CALLERS)
def test_every_answer_is_as_described(live_server, tmp_path, credential, who):
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(description()))
    checks = tmp_path / "checks.toml"
    checks.write_text(CHECKS + ("" if EXAMPLES else BRIEF))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(checks)]
    command += ["run", str(file), "--url", live_server.url, "--phases", CALLERS[who]]
    command += ["--seed", SEED, "--max-examples", EXAMPLES or "4", "--warnings", "off"]
    command += ["--generation-database", "none", "--no-color", *credential(who)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
