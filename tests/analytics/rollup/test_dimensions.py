"""The keys of the built-in dimensions."""

import pytest

from analytics.rollup.dimensions import BUILT_IN
from tests.analytics.recording.events import event

KEYS = {dimension.name: dimension.key for dimension in BUILT_IN}
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("total", {}, ""),
        ("route", {"route": "/a/"}, "/a/"),
        ("route", {"route": "", "status": 404}, "(not found)"),
        ("route", {"route": "", "status": 301}, "(no view)"),
        ("status", {"status": 418}, "418"),
        ("method", {"method": "PATCH"}, "PATCH"),
        ("method", {"method": "BREW"}, "(other)"),
        ("exception", {"exception": "KeyError"}, "KeyError"),
        ("exception", {}, None),
        (
            "error_referrer",
            {"status": 404, "referrer": "a.example.org"},
            "a.example.org",
        ),
        ("error_referrer", {"status": 500}, "(none)"),
        ("error_referrer", {"status": 499, "exception": "OSError"}, "(none)"),
        ("error_referrer", {"referrer": "a.example.org"}, None),
        ("host", {"host": "example.org"}, "example.org"),
        ("host", {}, None),
        ("path", {"path": "/a/7/"}, "/a/7/"),
        ("path", {}, None),
        ("referrer", {"referrer": "a.example.org"}, "a.example.org"),
        ("referrer", {}, None),
        ("campaign", {"campaign": "a / b / c"}, "a / b / c"),
        ("campaign", {}, None),
        ("country", {"country": "AT"}, "AT"),
        ("country", {}, None),
        ("language", {"language": "de-at"}, "de"),
        ("language", {"language": ""}, None),
        ("device", {"agent": PHONE}, "phone"),
        ("browser", {"agent": PHONE}, "Mobile Safari"),
        ("system", {"agent": PHONE}, "iOS"),
        ("bot", {"agent": PHONE}, None),
        ("device", {"agent": "curl/8.5.0"}, None),
        ("bot", {"agent": "curl/8.5.0"}, "curl"),
        ("route_status", {"route": "/a/", "status": 404}, "/a/ × 404"),
        ("user", {"user": "7"}, "7"),
        ("user", {}, None),
    ],
)
def test_key(name, changes, key):
    assert KEYS[name](event(**changes)) == key
