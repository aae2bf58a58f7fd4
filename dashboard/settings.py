"""Settings of this project, safe for production unless the environment relaxes them.

Reads environment variables (all of them are in `.env.example`) and the key file that
`make run` keeps in `var/`; writes nothing. There is no default secret.
`DASHBOARD_LOCAL=1` relaxes exactly what plain http on a loopback address needs.
"""

from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from dashboard import databases, env, mail, valkey

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
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if LOCAL else ()
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEST_RUNNER = "dashboard.test_runner.PytestRunner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Before the admin, which wakes django-axes: it is to hear of a failure before that
    # locks.
    "access.apps.AccessConfig",
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
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "rest_framework_simplejwt.token_blacklist",
    "oauth2_provider",
    "api.apps.ApiConfig",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
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
    "access.sessions.SessionTimes",
    # Before all that asks accounts anything.
    "access.users.middleware.UsersDown",
    # Before all that asks who the user is: without a code that is owed, it is nobody.
    "django_otp.middleware.OTPMiddleware",
    "access.factors.gate.FactorGate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Innermost: what it answers instead of the login page goes through all others.
    "axes.middleware.AxesMiddleware",
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

# ── Databases ────────────────────────────────────────────────────────────────
DATABASES = databases.configured(VAR_DIR)
# Accounts, sessions, tokens and grants in a database of their own.
USERS_APART = "users" in DATABASES
DATABASE_ROUTERS = ["dashboard.routers.UsersRouter"] if USERS_APART else []
# So long the last known rights of somebody signed in hold while that one is down.
USERS_REMEMBER_SECONDS = env.number("USERS_REMEMBER_SECONDS", 15 * 60)

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

# ── Sign-in ──────────────────────────────────────────────────────────────────
SESSION_ENGINES = {
    "database": "django.contrib.sessions.backends.db",
    "cache": "django.contrib.sessions.backends.cache",
    "cached_db": "access.users.cached_db",
}


def session_engine() -> str:
    """Where sessions are kept: in the database, in Redis, or in both."""
    word = env.text("SESSION_ENGINE", "cached_db" if USERS_APART else "database")
    if word not in SESSION_ENGINES:
        names = ", ".join(SESSION_ENGINES)
        raise ImproperlyConfigured(f"SESSION_ENGINE must be {names}, not {word!r}.")
    return SESSION_ENGINES[word]


LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
SESSION_ENGINE = session_engine()
SESSION_CACHE_ALIAS = "sessions"
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_SECONDS", 2 * 3600)
SESSION_ABSOLUTE_SECONDS = env.number("SESSION_ABSOLUTE_SECONDS", 12 * 3600)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "access.users.backend.RememberingBackend"
    if USERS_APART
    else "access.backends.AccountBackend",
]
# A name from an address: its owner comes in from elsewhere. What is tried while it is
# locked does not prolong it, so nobody is locked out for ever.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "access.client.address"
AXES_LOCKOUT_CALLABLE = "access.lockout.answer"
# The list of sign-ins is our own, with less in it.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False


def second_factor_required() -> str:
    """Of whom it is required besides the members of groups that require it."""
    word = env.text("SECOND_FACTOR_REQUIRED", "groups")
    if word not in ("groups", "superusers", "staff"):
        raise ImproperlyConfigured(
            f"SECOND_FACTOR_REQUIRED must be groups, superusers or staff, not {word!r}."
        )
    return word


SECOND_FACTOR_REQUIRED = second_factor_required()
OTP_TOTP_ISSUER = env.text("SECOND_FACTOR_ISSUER", "Dashboard")

PASSWORD_RESET_TIMEOUT = 3600
for name, value in mail.settings_of(
    env.text("EMAIL_URL", "console:" if LOCAL else "smtp://localhost")
).items():
    globals()[name] = value
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "dashboard@localhost")


def jwt_key() -> str:
    """From JWT_KEY, else from the file that `make run` made; empty if there is none."""
    file = VAR_DIR / "jwt_key"
    kept = file.read_text().strip() if file.is_file() else ""
    return env.text("JWT_KEY") or kept


def derived_jwt_key() -> str:
    """From SECRET_KEY, which it does not tell."""
    key = blake2b(SECRET_KEY.encode(), digest_size=32).digest()
    return blake2b(key=key, person=b"json web token", digest_size=32).hexdigest()


JWT_KEY_DERIVED = not jwt_key()
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": jwt_key() or derived_jwt_key(),
    "AUDIENCE": "dashboard-api",
    "ISSUER": "dashboard",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}

OAUTH2_PROVIDER_APPLICATION_MODEL = "access.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "access.Grant"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "access.oauth.server.Server",
    "OAUTH2_VALIDATOR_CLASS": "access.oauth.validator.Validator",
    "SCOPES_BACKEND_CLASS": "access.oauth.bounds.Scopes",
    "ACCESS_TOKEN_GENERATOR": "access.oauth.server.make_access",
    "REFRESH_TOKEN_GENERATOR": "access.oauth.server.make_refresh",
    "CLIENT_SECRET_GENERATOR_LENGTH": 48,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    # After the access token that came with it; each use begins anew.
    "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 24 * 3600,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "PKCE_REQUIRED": True,
    # Those to loopback addresses are plain http, and nothing else is: see the model.
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "ALLOW_URI_WILDCARDS": False,
} | {
    # What RFC 9700 asks for. TOKEN_STORAGE: the database has digests of tokens alone.
    f"COMPLIANT_BCP_RFC9700_{gate}": True
    for gate in (
        "ACCESS_TOKEN_TRANSPORT",
        "AUTHZ_RESPONSE_ISS",
        "IMPLICIT_GRANT",
        "PASSWORD_GRANT",
        "PKCE_METHOD",
        "PKCE_REQUIRED",
        "REDIRECT_URI_MATCHING",
        "REDIRECT_URI_SCHEME",
        "REFRESH_TOKEN",
        "TOKEN_STORAGE",
    )
}

VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": VALIDATION + "UserAttributeSimilarityValidator"},
    {"NAME": VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": VALIDATION + "CommonPasswordValidator"},
    {"NAME": VALIDATION + "NumericPasswordValidator"},
]


# ── The API ──────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first one names the challenge of a 401.
        "access.authentication.TokenAuthentication",
        "access.oauth.authentication.OAuthAuthentication",
        "access.authentication.JwtAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # A view adds what it needs; without any, signed in and in scope is the least.
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "access.permissions.InScope",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "api.formats.XmlRenderer",
        "api.formats.YamlRenderer",
        "api.formats.CsvRenderer",
        "api.formats.XlsxRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "api.formats.JsonParser",
        "api.formats.XmlParser",
        "api.formats.YamlParser",
        "api.formats.CsvParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "api.filters.Search",
        "api.filters.Ordering",
    ],
    "DEFAULT_PAGINATION_CLASS": "api.paging.Pages",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.formats.choice.Choice",
    "DEFAULT_THROTTLE_CLASSES": ["api.throttles.PerScope"],
    "DEFAULT_THROTTLE_RATES": {
        "analytics:read": "600/minute",
        "products:read": "600/minute",
        "products:write": "120/minute",
        "other": "120/minute",
        # By address: asking for a web token, and credentials that are not good.
        "sign-in": "30/minute",
        "refused": "60/minute",
    },
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "DEFAULT_VERSION": "v1",
    "ALLOWED_VERSIONS": ["v1"],
    "EXCEPTION_HANDLER": "api.problems.answer",
    "NON_FIELD_ERRORS_KEY": "all",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
}
API_MAX_BYTES = env.number("API_MAX_BYTES", 10 * 1024 * 1024)
SPECTACULAR_SETTINGS = {
    "TITLE": "Dashboard",
    "DESCRIPTION": "The catalogue and the numbers of its traffic.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.schema.add_problems",
    ],
}


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
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    SESSION_CACHE_ALIAS: {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "dashboard:sessions",
        # Django's own is pickle, which runs what it reads.
        "OPTIONS": {
            "serializer": "access.sessions.SealedSerializer",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
        },
    },
    "throttles": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "dashboard:throttles",
        "OPTIONS": {
            "serializer": "api.cache.JsonSerializer",
            # Requests wait for the answer; without one they are let in.
            "socket_connect_timeout": 0.2,
            "socket_timeout": 0.2,
        },
    },
}
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
ANALYTICS_USER_NAMES = "access.users.names.names_of"

# What is not set here has its default in analytics/conf.py.
optional = {
    "ANALYTICS_SITE": env.text,
    "ANALYTICS_KEY": env.text,
    "ANALYTICS_VISITOR_PERIOD": env.text,
    "ANALYTICS_JOURNAL_MAX_BYTES": lambda name: env.number(name, 0),
    "ANALYTICS_STREAM_MAX_BATCHES": lambda name: env.number(name, 0),
    "ANALYTICS_RECORD_IN_TESTS": env.flag,
    "ANALYTICS_RECORD_PATHS": env.flag,
    "ANALYTICS_COUNTRY_HEADER": env.text,
    "ANALYTICS_COUNTRY_DATABASE": env.text,
    "ANALYTICS_HONOUR_DNT": env.flag,
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
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # A line for every step that it takes; what happened is in the audit list.
        "axes": {"level": "WARNING"},
        # In detail they would tell codes and tokens.
        "oauthlib": {"level": "WARNING"},
        "oauth2_provider": {"level": "WARNING"},
    },
}
