"""Numbers as people read them, with spaces that break no line."""

import pytest

from analytics.words import number, percent, precise, signed


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 µs"),
        (999, "999 µs"),
        (1_000, "1 ms"),
        (1_254, "1.25 ms"),
        (999_499, "999 ms"),
        (999_500, "1 s"),
        (31_400_000, "31.4 s"),
        (999_600_000, "1\u202f000 s"),
        (86_400_000_000, "86\u202f400 s"),
    ],
)
def test_durations_in_three_digits(value, text):
    assert precise(value) == text
