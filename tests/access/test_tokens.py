"""The text of a token."""

import pytest

from access import tokens


def test_text_is_taken_apart_as_it_was_put_together():
    made = [tokens.make() for _ in range(50)]
    assert [tokens.parse(str(text)) for text in made] == made
    # As random text has: else the test would not see that it is split too often.
    assert any("_" in text.secret for text in made)
    assert len({text.prefix for text in made}) == 50


@pytest.mark.parametrize(
    "text",
    [
        *("", "adt", "adt_", "adt__", "adt_ab_", "adt__secret"),
        *("xyz_ab_secret", "adt_ü_s", "adt_ab_" + "s" * 300),
    ],
)
def test_what_cannot_be_a_token_is_none(text):
    assert tokens.parse(text) is None


def test_secret_fits_its_own_digest_only():
    one, other = tokens.make(), tokens.make()
    kept = tokens.digest(one.secret)
    assert one.secret not in kept
    assert tokens.fits(one.secret, kept)
    assert not tokens.fits(other.secret, kept)
