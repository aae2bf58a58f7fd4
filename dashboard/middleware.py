"""Compression that cannot leak: `SafeGZipMiddleware`.

Reads the request's cookies; changes only the body and headers of plain responses.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class SafeGZipMiddleware(GZipMiddleware):
    """Compresses complete responses to visitors without a session.

    With a session, a page mixes secrets with text that an attacker may choose, and its
    compressed length gives the secrets away (BREACH). Streams are left alone because a
    file must reach the server as a file, or it cannot use sendfile, and because
    compressing would hold back the first chunks of a long answer.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        session = settings.SESSION_COOKIE_NAME
        if (
            response.streaming
            or session in request.COOKIES
            or session in response.cookies
        ):
            return response
        return super().process_response(request, response)
