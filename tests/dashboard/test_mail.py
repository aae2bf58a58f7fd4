"""`EMAIL_URL` as Django's settings."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard.mail import settings_of


def test_places_that_are_no_server():
    assert settings_of("console:")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    found = settings_of("file:///var/mail%20here")
    assert found["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert found["EMAIL_FILE_PATH"] == "/var/mail here"


@pytest.mark.parametrize(
    ("scheme", "port", "tls", "ssl"),
    [
        ("smtp", 25, False, False),
        ("smtp+tls", 587, True, False),
        ("smtps", 465, False, True),
    ],
)
def test_servers(scheme, port, tls, ssl):
    found = settings_of(f"{scheme}://me%40here:p%3Aw@mail.example.org")
    assert found["EMAIL_HOST"] == "mail.example.org"
    assert found["EMAIL_HOST_USER"] == "me@here"
    assert found["EMAIL_HOST_PASSWORD"] == "p:w"
    assert found["EMAIL_PORT"] == port
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (tls, ssl)
    assert settings_of(f"{scheme}://h.example.org:99")["EMAIL_PORT"] == 99


@pytest.mark.parametrize(
    "url", ["", "mail", "http://h", "smtp://", "file:", "smtp://u:s3cret@h:port"]
)
def test_what_cannot_be_used_is_said_without_a_password(url):
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(url)
    assert str(caught.value).startswith("EMAIL_URL must be")
    assert "s3cret" not in str(caught.value)
