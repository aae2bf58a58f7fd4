"""Compression: for whole answers to visitors without a session, nothing else."""

import pytest
from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from dashboard.middleware import SafeGZipMiddleware

TEXT = b"the same words again and again " * 100


def answer(response, cookies: dict[str, str] | None = None):
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
    request.COOKIES.update(cookies or {})
    return SafeGZipMiddleware(lambda _: response)(request)


def test_anonymous_page_is_compressed():
    response = answer(HttpResponse(TEXT))
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < len(TEXT)
    assert response["Vary"] == "Accept-Encoding"


def test_page_of_a_session_is_not_compressed():
    response = answer(HttpResponse(TEXT), {settings.SESSION_COOKIE_NAME: "x"})
    assert not response.has_header("Content-Encoding")


def test_page_that_starts_a_session_is_not_compressed():
    page = HttpResponse(TEXT)
    page.set_cookie(settings.SESSION_COOKIE_NAME, "x")
    assert not answer(page).has_header("Content-Encoding")


def test_stream_is_handed_on_as_it_is():
    response = answer(StreamingHttpResponse([TEXT]))
    assert not response.has_header("Content-Encoding")
    assert response.getvalue() == TEXT


def test_file_stays_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(TEXT)
    with path.open("rb") as file:
        response = answer(FileResponse(file))
        assert response.file_to_stream is file
        assert not response.has_header("Content-Encoding")


@pytest.mark.django_db
def test_whole_site_compresses_its_public_pages(client, catalogue):
    response = client.get("/products/", headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
