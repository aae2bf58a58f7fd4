"""`make flask`: prepares the shop and serves it, beside a dashboard that runs.

Reads the environment and the folder of the dashboard's state, for its Redis and its
key; writes `flask_shop/` in it (a key of its own, the database) and upgrades the
schema. Becomes gunicorn then. What stops it says so in one sentence.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from dashboard.valkey import running_socket

from .config import Refusal, Settings, text, var_dir
from .upgrading import seed, upgrade

HOST = "127.0.0.1"
PORT = "8001"
Environ = dict[str, str]


def main() -> int:
    try:
        environ = environ_beside(dict(os.environ))
        prepare(Settings.from_environ(environ))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    port = environ["PORT"]
    print(f"\n  Shop   http://{HOST}:{port}/\n", flush=True)
    words = [sys.executable, "-m", "gunicorn", "flask_shop.wsgi"]
    words += ["--bind", f"{HOST}:{port}", "--workers", "2", "--threads", "4"]
    words += ["--graceful-timeout", "8", "--no-control-socket"]
    os.execve(words[0], words, environ)  # noqa: S606


def environ_beside(environ: Environ) -> Environ:
    """The environment with all that can be found out on this machine."""
    var = var_dir(environ)
    found = {
        "PORT": text(environ, "PORT") or PORT,
        "FLASK_SHOP_LOCAL": text(environ, "FLASK_SHOP_LOCAL") or "1",
        "FLASK_SHOP_SECRET_KEY": text(environ, "FLASK_SHOP_SECRET_KEY")
        or kept_key(var / "flask_shop"),
        "ANALYTICS_REDIS_URL": redis_url(environ, var),
        "ANALYTICS_KEY": key(environ, var),
        "ANALYTICS_JOURNAL_DIR": text(environ, "ANALYTICS_JOURNAL_DIR")
        or str(var / "journal"),
    }
    if not found["PORT"].isdecimal() or not 0 < int(found["PORT"]) < 65_536:
        raise Refusal(f"PORT must lie between 1 and 65535, not {found['PORT']}.")
    return environ | found


def redis_url(environ: Environ, var: Path) -> str:
    """The dashboard's Redis, found in the order in which it finds it itself."""
    url = text(environ, "ANALYTICS_REDIS_URL") or text(environ, "REDIS_URL")
    if url:
        return url
    if socket := running_socket(var):
        return f"unix://{socket}"
    raise Refusal(
        f"No dashboard runs on {var}: start `make run` first, or set "
        "ANALYTICS_REDIS_URL to the Redis of the one that is to count."
    )


def key(environ: Environ, var: Path) -> str:
    """The secret from which the dashboard derives its key, too."""
    secret = text(environ, "ANALYTICS_KEY") or text(environ, "SECRET_KEY")
    file = var / "secret_key"
    if not secret and file.is_file():
        secret = file.read_text().strip()
    if not secret:
        raise Refusal(
            f"There is no key in {var}: set ANALYTICS_KEY to that of the dashboard, "
            "or to its SECRET_KEY if it has none."
        )
    return secret


def kept_key(folder: Path) -> str:
    """The shop's own secret: made once, so that its sessions survive a restart."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "secret_key"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


def prepare(settings: Settings) -> None:
    try:
        upgrade(settings.database_url)
        seed(settings.database_url)
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise Refusal(f"The database cannot be used: {reason}") from None


if __name__ == "__main__":
    sys.exit(main())
