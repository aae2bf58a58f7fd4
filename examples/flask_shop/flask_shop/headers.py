"""The security headers of every answer, errors and static files included."""

from __future__ import annotations

from flask import Flask, Response, request

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
A_YEAR = "max-age=31536000"


def set_headers(app: Flask, https: bool) -> None:
    headers = HEADERS | ({"Strict-Transport-Security": A_YEAR} if https else {})

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(headers)
        if request.endpoint != "static":
            # Stock and forms are never to come out of a cache.
            response.headers["Cache-Control"] = "no-store"
        return response
