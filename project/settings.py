"""Django settings. The environment is read here and nowhere else.

Without any variable set this is the embedded set-up: SQLite and a private Redis under `var/`,
reachable from this machine only. `docs/reference/settings.md` lists the variables.
"""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django_stubs_ext

from project import embedded, logs
from project.addresses import BrokerAddress, RedisAddress, database_settings
from project.environment import Environment
from workflows.errors import ConfigurationError
from workflows.states import RunStatus

django_stubs_ext.monkeypatch()  # lets classes of Django take type arguments: admin.ModelAdmin[Run]
env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env.str("CELERIAC_VAR", default=str(BASE_DIR / "var"))).absolute()


def _make_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"CELERIAC_VAR: {path} cannot be made: {error.strerror}; name a folder to write in"
        ) from None
    return path


def _own_key(name: str, make: Callable[[], str]) -> str:
    """Return the key kept in `var/`, made at the first start; never a constant."""
    path = VAR / name
    try:
        kept, reason = _kept_key(path, make), "it is empty"
    except OSError as error:
        kept, reason = "", error.strerror or "it cannot be kept"
    except UnicodeDecodeError:
        kept, reason = "", "it is not text"
    if not kept:
        raise ConfigurationError(
            f"CELERIAC_VAR: {path} is of no use: {reason}; remove it, or set {name.upper()}"
        )
    return kept


def _kept_key(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        # Written whole under another name first: two processes may start at the same moment.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was first, and its key is the one
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


# --- the ground -----------------------------------------------------------------------------

_make_folder(VAR / "static")
SECRET_KEY = env.str("SECRET_KEY", default="") or _own_key(
    "secret_key", lambda: secrets.token_urlsafe(50)
)
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "project",
    "workflows",
    "approvals",
]
if env.bool("CELERIAC_EXAMPLES", default=True):
    INSTALLED_APPS.append("examples.dependency_review")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.requests.PlainTextMiddleware",  # before the session is looked up by its cookie
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
ROOT_URLCONF = "project.urls"
LOGIN_URL = "approvals:login"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
WHITENOISE_USE_FINDERS = True  # the embedded set-up has no collectstatic step

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- browsers -------------------------------------------------------------------------------

HTTPS = env.bool("CELERIAC_HTTPS", default=False)  # behind TLS; off, http://127.0.0.1 works
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- servers --------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{VAR / 'celeriac.sqlite3'}"
DATABASES = {"default": database_settings("DATABASE_URL", DATABASE_URL)}

_redis_url = env.str("REDIS_URL", default="")
_broker_url = env.str("BROKER_URL", default="")
REDIS_SOCKET = embedded.socket_path(VAR)
EMBEDDED_REDIS = not _redis_url
REDIS = (
    RedisAddress.parse("REDIS_URL", _redis_url)
    if _redis_url
    else RedisAddress.at_socket(REDIS_SOCKET)
)
BROKER = (
    BrokerAddress.parse("BROKER_URL", _broker_url) if _broker_url else BrokerAddress.on_redis(REDIS)
)
RESULTS = REDIS.beside()  # what chords count; a flush of the broker's database spares it
KEY_PREFIX = env.str("CELERIAC_KEY_PREFIX", default="celeriac:")
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR / "mail"
if env.str("EMAIL_URL", default=""):
    globals().update(env.email_url("EMAIL_URL"))

# --- the engine -----------------------------------------------------------------------------

_can_embed = embedded.find_redis_server() is not None
CELERIAC: dict[str, Any] = {
    "DISPATCHER": env.choice(
        "CELERIAC_DISPATCHER",
        default="inline" if EMBEDDED_REDIS and not _can_embed else "celery",
        known=("celery", "inline"),
    ),
    "QUEUES": env.json(
        "CELERIAC_QUEUES", default={"inspection": {"rate": "200/s", "concurrency": 8}}
    ),
    # A group's chord has as many slots as the pool has processes: more would stand in front of
    # other work.
    "SLOTS": env.at_least("CELERIAC_CONCURRENCY", 1, default=2),
}

# What nodes do outside of the engine; docs/explanation/effects.md tells what each of these opens.
_ISOLATION = ("off", "isolated", "trusted")
CELERIAC["CODE"] = env.choice("CELERIAC_CODE", default="off", known=_ISOLATION)
CELERIAC["COMMAND"] = env.choice("CELERIAC_COMMAND", default="off", known=_ISOLATION)
CELERIAC["COMMAND_PROGRAMS"] = env.list("CELERIAC_COMMAND_PROGRAMS", default=[])
CELERIAC["COMMAND_FOLDERS"] = env.list("CELERIAC_COMMAND_FOLDERS", default=[])
CELERIAC["HTTP_PRIVATE"] = env.list("CELERIAC_HTTP_PRIVATE", default=[])
CELERIAC["HTTP_HOSTS"] = env.list("CELERIAC_HTTP_HOSTS", default=[])
CELERIAC["HTTP_CA_FILE"] = env.str("CELERIAC_HTTP_CA_FILE", default="")
CELERIAC["SECRET_KEYS"] = env.list("CELERIAC_SECRET_KEYS", default=[]) or [
    _own_key("secrets_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
]

# Without a broker a row is not on its way to anybody: the next look finds it.
CELERIAC["LEASE_SECONDS"] = env.number("CELERIAC_LEASE_SECONDS", default=15.0)
CELERIAC["MESSAGE_SECONDS"] = env.number(
    "CELERIAC_MESSAGE_SECONDS", default=0.0 if CELERIAC["DISPATCHER"] == "inline" else 15.0
)

# --- the API --------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "workflows.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["workflows.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "workflows.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "workflows.api.problems.handle_exception",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Token", "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Celeriac",
    "DESCRIPTION": "Durable workflows and human approvals.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": [status.value for status in RunStatus],
        "RequestStatus": "approvals.models.RequestStatus",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # From the installed package: no page fetches anything from another host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- logs -----------------------------------------------------------------------------------

LOGGING = logs.django_logging(env.log_level("LOG_LEVEL", default="INFO"))
logs.configure_structlog()
