"""The settings under a production environment, read by processes of their own."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dashboard import valkey
from dashboard.settings import MIDDLEWARE, broker_url

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF"
PRODUCTION = {
    "SECRET_KEY": KEY,
    "JWT_KEY": KEY[::-1],
    "ALLOWED_HOSTS": "www.example.org",
}
CHECK = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]

COOKIES = """
import json, django
django.setup()
from django.test import Client
def show(**headers):
    headers["headers"] = {"host": "www.example.org"}
    response = Client().get("/admin/login/", **headers)
    cookies = [morsel.OutputString() for morsel in response.cookies.values()]
    return [response.status_code, dict(response.headers), cookies]
plain, secure = show(), show(secure=True)
forged = show(HTTP_X_FORWARDED_PROTO="https")
print(json.dumps([plain, secure, forged]))
"""


def python(*arguments: str, **environ: str) -> subprocess.CompletedProcess:
    """Run Python in the checkout with nothing of our environment but these."""
    base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=base | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_deployment_check_is_clean(tmp_path):
    done = python(*CHECK, **PRODUCTION, DASHBOARD_VAR=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_local_mode_would_not_pass_that_check(tmp_path):
    local = PRODUCTION | {"DASHBOARD_LOCAL": "1"}
    done = python(*CHECK, **local, DASHBOARD_VAR=str(tmp_path))
    assert "security.W008" in done.stderr


def test_production_cookies_and_headers(tmp_path):
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    production = PRODUCTION | {"DATABASE_URL": database, "DASHBOARD_VAR": str(tmp_path)}
    assert python("manage.py", "migrate", **production).returncode == 0
    collect = python("manage.py", "collectstatic", "--noinput", **production)
    assert collect.returncode == 0, collect.stderr
    done = python("-c", COOKIES, **production)
    plain, secure, forged = json.loads(done.stdout)
    assert plain[0] == forged[0] == 301
    assert secure[0] == 200
    assert "max-age=31536000" in secure[1]["Strict-Transport-Security"]
    (cookie,) = secure[2]
    assert cookie.startswith("__Host-csrftoken=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in cookie.split("; ")
    assert "Domain" not in cookie


def test_forwarded_proto_counts_only_where_asked_for(tmp_path):
    expression = "from dashboard.settings import SECURE_PROXY_SSL_HEADER as h; print(h)"
    trusting = PRODUCTION | {"TRUST_X_FORWARDED_PROTO": "1"}
    assert "HTTP_X_FORWARDED_PROTO" in python("-c", expression, **trusting).stdout
    assert "ImportError" in python("-c", expression, **PRODUCTION).stderr


def test_missing_key_is_explained(tmp_path):
    done = python("manage.py", "check", DASHBOARD_VAR=str(tmp_path))
    assert done.returncode != 0
    assert "Set SECRET_KEY to a long random text" in done.stderr


def test_key_file_of_the_first_run_is_used(tmp_path):
    (tmp_path / "secret_key").write_text(KEY)
    expression = "from dashboard.settings import SECRET_KEY; print(SECRET_KEY)"
    assert python("-c", expression, DASHBOARD_VAR=str(tmp_path)).stdout.strip() == KEY


SHOW_KEYS = """
from dashboard.settings import JWT_KEY_DERIVED, SECRET_KEY, SIMPLE_JWT
print(JWT_KEY_DERIVED, SIMPLE_JWT["SIGNING_KEY"], SECRET_KEY)
"""


def test_web_tokens_have_a_key_of_their_own(tmp_path):
    alone = {"SECRET_KEY": KEY, "DASHBOARD_VAR": str(tmp_path)}
    derived, key, secret = python("-c", SHOW_KEYS, **alone).stdout.split()
    assert (derived, secret) == ("True", KEY)
    assert len(key) == 64
    assert key not in secret
    (tmp_path / "jwt_key").write_text("of-the-first-run")
    kept = python("-c", SHOW_KEYS, **alone).stdout.split()
    assert kept[:2] == ["False", "of-the-first-run"]
    given = python("-c", SHOW_KEYS, **alone, JWT_KEY="given").stdout.split()
    assert given[:2] == ["False", "given"]


def test_one_key_for_both_is_refused(tmp_path):
    same = PRODUCTION | {"JWT_KEY": KEY, "DASHBOARD_VAR": str(tmp_path)}
    done = python("manage.py", "check", **same)
    assert done.returncode != 0
    assert "access.E001" in done.stderr


@pytest.mark.parametrize(
    ("word", "engine"), [("cache", "cache"), ("cached_db", "cached_db"), ("", "db")]
)
def test_engine_of_the_sessions(word, engine):
    show = "from dashboard.settings import SESSION_ENGINE as s; print(s)"
    done = python("-c", show, **PRODUCTION, SESSION_ENGINE=word)
    assert done.stdout.strip().rpartition(".")[2] == engine


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DASHBOARD_LOCAL", "perhaps"),
        ("ANALYTICS_PROXIES", "two"),
        ("SESSION_ENGINE", "file"),
        ("SESSION_IDLE_SECONDS", "soon"),
    ],
)
def test_unusable_value_names_its_variable(name, value):
    done = python("manage.py", "check", **(PRODUCTION | {name: value}))
    assert f"{name} must be" in done.stderr
    assert value in done.stderr


def test_each_variable_is_in_the_example_file():
    text = (ROOT / ".env.example").read_text()
    source = "".join(
        (ROOT / "dashboard" / name).read_text()
        for name in ("settings.py", "databases.py", "run.py")
    )
    asked = {line.split('"')[1] for line in source.split("env.")[1:] if '"' in line}
    names = {name for name in asked if name.isupper()}
    assert {"SECRET_KEY", "PORT", "DATABASE_URL"} <= names
    assert {name for name in names if f"\n{name}=" not in text} == set()


def test_analytics_is_outermost_and_the_order_is_right():
    short = [path.rsplit(".", 1)[1].removesuffix("Middleware") for path in MIDDLEWARE]
    assert short == [
        *("Analytics", "Security", "WhiteNoise", "CSP", "SafeGZip", "Session"),
        *("Locale", "Common", "CsrfView", "Authentication", "SessionTimes"),
        *("UsersDown", "OTP", "FactorGate", "Message", "XFrameOptions", "Axes"),
    ]


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("redis://redis.example.org:6379/1", "redis://redis.example.org:6379/1"),
        ("rediss://:pw@redis.example.org/0", "rediss://:pw@redis.example.org/0"),
        ("unix:///run/a b/redis.sock", "redis+socket:///run/a%20b/redis.sock"),
        ("unix:///r.sock?db=2", "redis+socket:///r.sock?virtual_host=2"),
        ("unix://:pw@/r.sock", "redis+socket://:pw@/r.sock"),
    ],
)
def test_broker_is_the_same_server_in_celerys_spelling(redis, broker):
    assert broker_url(redis) == broker


def test_sqlite_is_durable_and_concurrent(tmp_path):
    code = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "for name in ('journal_mode', 'synchronous', 'foreign_keys'):\n"
        "    with connection.cursor() as cursor:\n"
        "        cursor.execute(f'PRAGMA {name}')\n"
        "        print(cursor.fetchone()[0])\n"
    )
    done = python("-c", code, **PRODUCTION, DASHBOARD_VAR=str(tmp_path))
    assert done.stdout.split() == ["wal", "2", "1"], done.stderr


def test_commands_find_the_redis_of_a_running_make_run():
    show = "from django.conf import settings; print(settings.REDIS_URL)"
    # Not tmp_path: it may be too long a name for a socket.
    with tempfile.TemporaryDirectory() as var, socket.socket(socket.AF_UNIX) as server:
        path = valkey.socket_path(Path(var))
        server.bind(str(path))
        done = python("-c", show, **PRODUCTION, DASHBOARD_VAR=var)
    assert done.stdout.strip() == f"unix://{path}", done.stderr
