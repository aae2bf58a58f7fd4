"""`make run`: prepares everything and runs the whole site until Ctrl-C.

Reads the environment and the Procfile; writes `var/` (key, database, static files,
journal, Redis) and the database; starts Valkey unless REDIS_URL is set, then the
Procfile's processes. What stops it says so in one sentence. Leaves no process behind.
"""

import fcntl
import os
import secrets
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, NoReturn

from dashboard import env, preparation
from dashboard.preparation import BASE_DIR, Refusal
from dashboard.processes import Site
from dashboard.valkey import EmbeddedValkey, ValkeyError

HOST = "127.0.0.1"


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except (Refusal, ValkeyError) as refusal:
        print(refusal, file=sys.stderr)
        return 1


def run() -> int:
    from django.core.exceptions import ImproperlyConfigured

    var = preparation.enter()
    try:
        port = env.number("PORT", 8000)
    except ImproperlyConfigured as error:
        raise Refusal(error) from None
    check_port(port)
    # Held until the process ends: it is the open file that carries the lock.
    lock = only_one(var)
    valkey = None
    try:
        if not env.text("REDIS_URL"):
            valkey = EmbeddedValkey(var)
            valkey.start()
            os.environ["REDIS_URL"] = valkey.url
        preparation.prepare()
        return serve(port, valkey)
    finally:
        if valkey:
            valkey.stop()
        lock.close()


def check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise Refusal(f"PORT must lie between 1 and 65535, not {port}.")
    with socket.socket() as probe:
        # As gunicorn does, so that connections of a run just ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refusal(
                f"Port {port} cannot be used ({error.strerror}); stop what uses it or "
                f"choose another: make run PORT={port + 1 if port < 65535 else 8000}"
            ) from None


def only_one(var: Path) -> IO:
    """Two runs on one `var/` would take each other's Redis away."""
    lock = (var / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Refusal(
            f"`make run` is already running on {var}; stop it first, or set "
            "DASHBOARD_VAR to another folder."
        ) from None
    return lock


def first_superuser() -> str | None:
    """The password of the `admin` it made, or None if somebody can sign in already."""
    from django.contrib.auth import get_user_model

    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    if users.objects.filter(username="admin").exists():
        return None
    password = secrets.token_urlsafe(15)
    users.objects.create_superuser("admin", "", password)
    return password


def serve(port: int, valkey: EmbeddedValkey | None) -> int:
    """Run the Procfile; 0 when told to stop, 1 when a process ended by itself."""
    os.environ["PORT"] = str(port)
    # The Procfile says `python`: the one that runs this.
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    os.environ["PATH"] = os.pathsep.join(folders)
    site = Site((BASE_DIR / "Procfile").read_text(), str(BASE_DIR), dict(os.environ))

    def started() -> None:
        if valkey:
            valkey.watch()
        address = f"http://{HOST}:{port}"
        threading.Thread(target=announce, args=(address,), daemon=True).start()

    return site.run(started)


def announce(address: str) -> None:
    """Tell address and login once the web answers, whatever it answers.

    The first user is made only now: its password is shown once, so it must not be made
    by a start that fails before anybody can see it.
    """
    from django.db import connections

    while not answers(f"{address}/healthz"):
        time.sleep(0.2)
    password, empty = first_superuser(), nothing_counted()
    connections.close_all()
    login = f", user admin, password {password} (shown only now)" if password else ""
    lines = ["", f"  Shop   {address}/", f"  Admin  {address}/admin/{login}"]
    if empty:
        lines.append("  Demo   `make demo` fills in 90 days of visits to look at")
    print("\n".join([*lines, ""]), flush=True)


def nothing_counted() -> bool:
    """Whether there are neither visits nor a demo yet."""
    from analytics.models import Rollup

    return not Rollup.objects.exists()


def answers(url: str) -> bool:
    try:
        # The address is our own, not a user's.
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
