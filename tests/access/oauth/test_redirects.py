"""Which addresses can be registered."""

import pytest

from access.oauth.redirects import errors_of, origin

GOOD = {
    "https://client.example.org/back": "https://client.example.org",
    "https://client.example.org/": "https://client.example.org",
    "https://client.example.org:8443/a/b?c=d&e=%20": "https://client.example.org:8443",
    "https://xn--bcher-kva.example.org/back": "https://xn--bcher-kva.example.org",
    "https://192.0.2.1/back": "https://192.0.2.1",
    "http://127.0.0.1:8765/back": "http://127.0.0.1:8765",
    "http://127.0.0.1/back": "http://127.0.0.1",
    "http://localhost:8765/": "http://localhost:8765",
}
BAD = {
    "http://client.example.org/back": "scheme",
    "http://127.0.0.1.example.org/back": "scheme",
    "http://127.0.0.2/back": "scheme",
    "http://0.0.0.0/back": "scheme",
    "http://localhost.example.org/": "scheme",
    "ftp://client.example.org/back": "scheme",
    "org.example.client:/back": "form",
    "javascript:alert(1)": "form",
    "data:text/html,x": "form",
    "https:client.example.org/back": "form",
    "https:///back": "form",
    "//client.example.org/back": "form",
    "/back": "form",
    "https://client.example.org:x/back": "form",
    "https://*.example.org/back": "characters",
    "https://client.example.org/*": "characters",
    "https://client.example.org/back#part": "characters",
    "https://client.example.org/back#": "characters",
    "https://client.example.org\\@evil.example.org/": "characters",
    "https://bücher.example.org/": "characters",
    "https://client.example.org/\x00": "characters",
    "http://[::1]/back": "characters",
    "https://a@client.example.org/back": "host",
    "https://a:b@client.example.org/back": "host",
    "https://Client.example.org/back": "host",
    "https://client.example.org:/back": "host",
    "https://client.example.org:0443/back": "host",
    "https://client_.example.org/back": "host",
    "https://client.example.org;x/back": "host",
    "https://client.example.org,x/back": "host",
    "https://'self'/back": "host",
    "https://-client.example.org/back": "host",
    "HTTPS://client.example.org/back": "form",
    "https://client.example.org": "path",
    "https://client.example.org?x=/": "path",
    "https://client.example.org/" + "x" * 500: "length",
}


@pytest.mark.parametrize("uri", GOOD)
def test_good_ones_and_their_origin(uri):
    assert errors_of(uri) == []
    assert origin(uri) == GOOD[uri]


@pytest.mark.parametrize("uri", BAD)
def test_bad_ones_are_told_why(uri):
    (error,) = errors_of(uri)
    assert error.code == BAD[uri]
    assert uri[:500] in error.messages[0]
