"""Settings of this project, safe for production unless the environment relaxes them.

Reads environment variables (all of them are in `.env.example`) and the key file that
`make run` keeps in `var/`; writes nothing. There is no default secret.
`DASHBOARD_LOCAL=1` relaxes exactly what plain http on a loopback address needs.
"""

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from dashboard import env, valkey

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("DASHBOARD_VAR", str(BASE_DIR / "var")))
LOCAL = env.flag("DASHBOARD_LOCAL")


def secret_key() -> str:
    """From SECRET_KEY, else from the file that `make run` made."""
    key = env.text("SECRET_KEY")
    file = VAR_DIR / "secret_key"
    if not key and file.is_file():
        key = file.read_text().strip()
    if not key:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to a long random text, or run `make run` once, which "
            "makes one and keeps it in var/."
        )
    return key


# ── The site ─────────────────────────────────────────────────────────────────
DEBUG = False
SECRET_KEY = secret_key()
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if LOCAL else ()
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEST_RUNNER = "dashboard.test_runner.PytestRunner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "dashboard.apps.DashboardConfig",
    "dashboard.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_celery_beat",
    "import_export",
    # Behind the admin: its own index template needs addresses that must not exist.
    "admin_tools_stats",
    "analytics.apps.AnalyticsConfig",
    "products.apps.ProductsConfig",
]

MIDDLEWARE = [
    # Outermost, so that it sees every request, also those answered below it.
    "analytics.recording.middleware.AnalyticsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dashboard.middleware.SafeGZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True

# ── Database ─────────────────────────────────────────────────────────────────
SQLITE_OPTIONS = {
    # A writer that waits its turn from the start cannot fail half way through.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: a committed count survives a power cut, also in WAL mode.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def database() -> dict:
    """SQLite in `var/` unless DATABASE_URL names another database."""
    default = "sqlite:///" + quote(str(VAR_DIR / "db.sqlite3"))
    config = dj_database_url.parse(
        env.text("DATABASE_URL", default), conn_max_age=60, conn_health_checks=True
    )
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        options.update(SQLITE_OPTIONS)
    elif config["ENGINE"] == "django.db.backends.postgresql":
        options.setdefault("connect_timeout", 5)
    return config


DATABASES = {"default": database()}

# ── Static files ─────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ── Security ─────────────────────────────────────────────────────────────────
SECURE_SSL_REDIRECT = not LOCAL
# A load balancer asks for the health over plain http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 0 if LOCAL else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL
SECURE_REFERRER_POLICY = "same-origin"
if env.flag("TRUST_X_FORWARDED_PROTO"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Browsers accept the __Host- prefix only with Secure, Path=/ and no Domain: a
# neighbouring subdomain can then not plant a session of its own.
COOKIE_PREFIX = "dashboard_" if LOCAL else "__Host-"
SESSION_COOKIE_NAME = COOKIE_PREFIX + "sessionid"
CSRF_COOKIE_NAME = COOKIE_PREFIX + "csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": VALIDATION + "UserAttributeSimilarityValidator"},
    {"NAME": VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": VALIDATION + "CommonPasswordValidator"},
    {"NAME": VALIDATION + "NumericPasswordValidator"},
]


# ── Redis and Celery ─────────────────────────────────────────────────────────
def redis_url() -> str:
    """From REDIS_URL, else the embedded server of a `make run` that is running."""
    socket = valkey.running_socket(VAR_DIR)
    default = f"unix://{socket}" if socket else "redis://127.0.0.1:6379/0"
    return env.text("REDIS_URL", default)


REDIS_URL = redis_url()


def broker_url(redis_url: str) -> str:
    """The same server in Celery's spelling, which differs for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = parts.query.replace("db=", "virtual_host=")
    url = "redis+socket://" + parts.netloc + quote(unquote(parts.path))
    return f"{url}?{query}" if query else url


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Without results there is nothing for celery.backend_cleanup to clean.
CELERY_RESULT_EXPIRES = None
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_DEFAULT_QUEUE = "jobs"
CELERY_TASK_ROUTES = {"analytics.tasks.drain": {"queue": "drain"}}
CELERY_BROKER_CONNECTION_TIMEOUT = 4
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 4,
    "socket_timeout": 10,
    "socket_keepalive": True,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Written at once: the admin shows when a task ran last, and a killed beat remembers.
CELERY_BEAT_SYNC_EVERY = 1

# ── Analytics ────────────────────────────────────────────────────────────────
ANALYTICS_JOURNAL_DIR = env.text("ANALYTICS_JOURNAL_DIR", str(VAR_DIR / "journal"))
ANALYTICS_REDIS_URL = env.text("ANALYTICS_REDIS_URL", REDIS_URL)
ANALYTICS_IGNORE = env.words(
    "ANALYTICS_IGNORE", (STATIC_URL, "/healthz", "/admin/analytics/")
)
ANALYTICS_PROXIES = env.number("ANALYTICS_PROXIES", 0)
ANALYTICS_RECORD_USERS = env.flag("ANALYTICS_RECORD_USERS")

# What is not set here has its default in analytics/conf.py.
optional = {
    "ANALYTICS_SITE": env.text,
    "ANALYTICS_KEY": env.text,
    "ANALYTICS_VISITOR_PERIOD": env.text,
    "ANALYTICS_JOURNAL_MAX_BYTES": lambda name: env.number(name, 0),
    "ANALYTICS_STREAM_MAX_BATCHES": lambda name: env.number(name, 0),
    "ANALYTICS_RECORD_IN_TESTS": env.flag,
}
for name, read in optional.items():
    if env.text(name):
        globals()[name] = read(name)

# ── Logs ─────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "filters": {"brief": {"()": "dashboard.logs.Brief"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["brief"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    # Django's own handlers mail errors and print only in DEBUG; here all goes one way.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
