"""The settings of the shop: environment variables that begin with ``FLASK_SHOP_``.

Reads the environment that it is given and nothing else. There is no default for what
is secret; a value that cannot be used ends the start with a sentence that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
SECRET_LENGTH = 32
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Refusal(Exception):
    """A reason not to start, in a sentence for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked."""

    secret_key: str
    """Signs the sessions, and so the tokens of the forms."""
    database_url: str
    hosts: tuple[str, ...]
    """Names that the site answers to."""
    local: bool = False
    """Plain http on a loopback address: cookies cannot be ``Secure``."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        local = text(environ, "FLASK_SHOP_LOCAL") == "1"
        hosts = text(environ, "FLASK_SHOP_HOSTS").replace(",", " ").split()
        if not hosts and not local:
            raise Refusal("Set FLASK_SHOP_HOSTS to the host names of the site.")
        return cls(
            secret_key=_secret_key(environ),
            database_url=database_url(environ),
            hosts=tuple(hosts) or LOOPBACK,
            local=local,
        )


def text(environ: Mapping[str, str], name: str) -> str:
    """An empty variable counts as unset."""
    return environ.get(name, "").strip()


def var_dir(environ: Mapping[str, str]) -> Path:
    """Where the dashboard of this checkout keeps its state, and the shop its own."""
    return Path(text(environ, "DASHBOARD_VAR") or CHECKOUT / "var").resolve()


def database_url(environ: Mapping[str, str]) -> str:
    """As SQLAlchemy spells it; SQLite in the folder of the state if nobody says."""
    url = text(environ, "FLASK_SHOP_DATABASE_URL")
    if not url:
        return f"sqlite:///{var_dir(environ) / 'flask_shop' / 'shop.sqlite3'}"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return f"postgresql+psycopg2://{url.removeprefix(scheme)}"
    return url


def _secret_key(environ: Mapping[str, str]) -> str:
    key = text(environ, "FLASK_SHOP_SECRET_KEY")
    if len(key) < SECRET_LENGTH:
        raise Refusal(
            "Set FLASK_SHOP_SECRET_KEY to a random text of at least "
            f"{SECRET_LENGTH} characters; `make flask` makes one and keeps it."
        )
    return key
