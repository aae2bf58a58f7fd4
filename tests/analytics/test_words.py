"""Numbers as people read them, with spaces that break no line."""

import pytest

from analytics.words import number, percent, signed


def test_thousands_stand_apart():
    assert number(12_430) == "12\u202f430"
    assert number(999) == "999"


def test_percent_has_two_digits_or_is_nothing():
    assert percent(0.4211) == "0.42\u202f%"
    assert percent(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.34, "+12\u202f%"),
        (-0.54, "−0.5\u202f%"),
        (0.04, "0.0\u202f%"),
        (1234.5, "+1\u202f234\u202f%"),
        (9.96, "+10\u202f%"),
    ],
)
def test_changes_as_people_read_them(value, text):
    assert signed(value) == text
