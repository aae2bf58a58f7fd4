"""The middleware is there, once, and outermost; a class made of it counts too."""

import pytest

from analytics.checks.middleware import MIDDLEWARE, check_middleware
from analytics.recording.middleware import AnalyticsMiddleware
from tests.analytics.checks.ids import ids

OTHER = "django.middleware.common.CommonMiddleware"


class Recording(AnalyticsMiddleware):
    """A project's own version of the middleware."""


@pytest.mark.parametrize("ours", [MIDDLEWARE, f"{__name__}.Recording"])
def test_middleware_is_first(settings, ours):
    settings.MIDDLEWARE = [ours, OTHER]
    assert check_middleware() == []


def test_middleware_is_missing(settings):
    settings.MIDDLEWARE = [OTHER, "not.there.Middleware"]
    assert ids(check_middleware()) == ["E001"]


def test_middleware_is_not_outermost(settings):
    settings.MIDDLEWARE = [OTHER, MIDDLEWARE]
    assert ids(check_middleware()) == ["W001"]


@pytest.mark.parametrize(
    ("before", "found"), [([], ["E005"]), ([OTHER], ["E005", "W001"])]
)
def test_middleware_is_listed_twice(settings, before, found):
    settings.MIDDLEWARE = [*before, MIDDLEWARE, f"{__name__}.Recording"]
    messages = check_middleware()
    assert ids(messages) == found
    assert "2 times" in messages[0].msg
    assert "Recording" in messages[0].hint
