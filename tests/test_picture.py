"""The README's picture is not older than the page that it shows."""

from tests.picture import HEAD, PICTURE, digest, digest_in, with_digest

SMALLEST = HEAD + b"\0\0\0\1IHDRxcrc!" + b"\0\0\0\0IENDcrc!"


def test_the_picture_is_as_new_as_the_code():
    assert digest_in(PICTURE.read_bytes()) == digest(), "run: make picture"


def test_a_picture_keeps_what_it_is_given():
    assert digest_in(SMALLEST) == ""
    assert digest_in(with_digest(SMALLEST, "abc")) == "abc"
