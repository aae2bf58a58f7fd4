"""What an address may ask: its numbers."""

import pytest

from analytics.reporting.question import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("1000", 1_000),
        ("0" * 5_000 + "7", 7),
        ("1001", None),
        ("000000001999999999", None),
        ("9" * 5_000, None),
        ("000000001" + "9" * 5_000, None),
        ("0", None),
        ("", None),
        ("-1", None),
        ("1.0", None),
        ("1_0", None),
        (" 1", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_a_whole_number_is_of_plain_digits_and_within_its_bounds(text, number):
    assert whole_number(text, 1_000) == number
