"""The Flask shop of `examples/` beside a tested site: its start, and its requests."""

from __future__ import annotations

import os
import secrets

from flask_shop.upgrading import seed, upgrade
from tests.acceptance.client import NOT_FOUND, Ask
from tests.acceptance.databases import ROOT
from tests.acceptance.site import Site, Web

PRODUCT = "/products/<slug:slug>/"
SHOP_MIX = (
    Ask("/", "/", 200),
    Ask("/?q=tea&page=1", "/", 200, method="HEAD"),
    Ask("/category/oolong/", "/category/<slug:category>/", 200),
    Ask("/products/clay-pot/", PRODUCT, 200),
    Ask("/products/none/", PRODUCT, 404),
    Ask("/products/clay-pot/order/", f"{PRODUCT}order/", 200),
    # Without the token of the form.
    Ask("/products/clay-pot/order/", f"{PRODUCT}order/", 400, method="POST"),
    # A redirect to the address with the slash: by no view.
    Ask("/products/clay-pot", "(no view)", 308),
    Ask("/no/such/path", NOT_FOUND, 404),
)


def start_shop(site: Site, workers: int = 2) -> Web:
    """It shares the machine with the site: its Redis, its folder of journals."""
    url = f"sqlite:///{site.folder / 'shop.sqlite3'}"
    upgrade(url)
    seed(url)
    address = site.folder / "flask.sock"
    words = ["gunicorn", "flask_shop.wsgi", "--bind", f"unix:{address}"]
    words += ["--workers", str(workers), "--no-control-socket"]
    env = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'examples' / 'flask_shop'}",
        "ANALYTICS_KEY": site.env["SECRET_KEY"],
        "ANALYTICS_REDIS_URL": site.valkey.url,
        "FLASK_SHOP_DATABASE_URL": url,
        "FLASK_SHOP_LOCAL": "1",
        "FLASK_SHOP_SECRET_KEY": secrets.token_urlsafe(32),
    }
    return Web(site.start("flask", words, **env), address, workers)
