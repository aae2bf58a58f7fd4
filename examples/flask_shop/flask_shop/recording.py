"""What connects the shop with the dashboard: the recorder around it, and the routes.

Reads the `ANALYTICS_*` variables; writes into each request's environment by which
pattern and view it was answered, or what was raised. All else is the business of
`analytics.recording`, which counts the requests under the site `flask_shop`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Flask, got_request_exception, request

from analytics.recording.options import Options
from analytics.recording.wsgi import WsgiRecorder

SITE = "flask_shop"
IGNORE = "/static/,/healthz"


def options_of(environ: Mapping[str, str], hosts: Iterable[str]) -> Options:
    """As the environment says, which may have been made for the dashboard: the name
    of the site, its hosts and what is not recorded are its own."""
    own = {"SITE": SITE, "HOSTS": ",".join(hosts), "IGNORE": IGNORE}
    own = {f"ANALYTICS_{name}": value for name, value in own.items()}
    return Options.from_environ({**environ, **own})


def record_requests(app: Flask, options: Options) -> None:
    app.before_request(tell_route)
    got_request_exception.connect(tell_exception, app)
    app.wsgi_app = WsgiRecorder(app.wsgi_app, options)


def tell_route() -> None:
    """Only Flask knows it. An address without a page has none."""
    if rule := request.url_rule:
        request.environ["analytics.route"] = rule.rule
        request.environ["analytics.view"] = request.endpoint


def tell_exception(sender: Flask, exception: Exception) -> None:
    """What the answer with status 500 is made of."""
    request.environ["analytics.exception"] = exception
