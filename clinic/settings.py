"""The whole configuration: one file, everything from the environment, each variable listed in the README."""

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("ATLAS_VAR") or ROOT / "var")
for folder in ("mail", "static"):  # WhiteNoise warns of a folder that is not there
    (VAR / folder).mkdir(parents=True, exist_ok=True)

# The order of the packages: each may import only those before it (docs/architecture.md).
LAYERS = ["clinic", "locations", "patients", "appointments", "evaluations", "careplans", "dashboard"]


def env(name, default=""):
    """An empty variable counts as unset: `DATABASE_URL=` must not select Django's dummy database."""
    return os.environ.get(name, "").strip() or default


# Not set: Atlas is tried out on one machine. On: so it is, by somebody who works at its code. Off: a real installation.
DEBUG = env("DEBUG", "0").lower() in {"1", "true", "yes", "on"}
ON_TRIAL = DEBUG or not env("DEBUG")
SECRET_KEY = env("SECRET_KEY", "only-for-trying-atlas-on-one-machine" if ON_TRIAL else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set when DEBUG is off.")
ALLOWED_HOSTS = [h.strip() for h in env("ALLOWED_HOSTS").split(",") if h.strip()]
if not ALLOWED_HOSTS:
    if not ON_TRIAL:
        raise ImproperlyConfigured("ALLOWED_HOSTS must be set when DEBUG is off.")
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
BASE_URL = env("BASE_URL", f"http://127.0.0.1:{env('PORT', '8000')}").rstrip("/")
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL.startswith("https://") else []

INSTALLED_APPS = [
    "dashboard", "careplans", "evaluations", "appointments", "patients", "locations", "clinic",
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.humanize", "django.contrib.staticfiles", "django.forms",
    "rest_framework", "drf_spectacular", "crispy_forms", "crispy_bootstrap5", "django_htmx", "phonenumber_field",
    "allauth", "allauth.account", "allauth.mfa", "csp",
]  # fmt: skip
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "locations.access.AccessMiddleware",
]
ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.navigation.rail",
                "locations.current.context",
            ],
            "builtins": ["clinic.templatetags.clocks"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {
    "default": dj_database_url.parse(env("DATABASE_URL", f"sqlite:///{VAR / 'atlas.sqlite3'}"), conn_max_age=60)
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a transaction that reads and then writes must not fail half-way (docs/decisions/0005).
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    # Statements are prepared: for a page with several joins, planning takes PostgreSQL longer than answering.
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 2}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL")
_IN_REDIS = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
CACHES = {
    "default": _IN_REDIS
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(VAR / "cache")},
    # Requests of the API are counted here, at each of them: without Redis by the web process for itself.
    "rates": _IN_REDIS if REDIS_URL else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "clinic.accounts.StaffAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False  # the desk's machine is used by many: closing the browser ends the session
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SECURE_REFERRER_POLICY = "same-origin"
# An evaluation without scripts is one form: 474 findings with value, status and reason, and the questions.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
BEHIND_PROXY = bool(env("BEHIND_PROXY"))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)  # else the throttle would count everybody as the proxy
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "clinic.views.page_csrf"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
    }
}

LANGUAGE_CODE = "en-us"  # of the staff's pages
LANGUAGES = [("en", "English"), ("es", "Español")]  # that patients are written to in (`clinic/catalogs.py`)
LOCALE_PATHS = [VAR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "clinic.browser_libraries.Finder",
]
WHITENOISE_USE_FINDERS = True

CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DB_FORMAT = "E164"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "clinic.api_defaults.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["locations.access.ApiPolicy"],
    "DEFAULT_PARSER_CLASSES": ["clinic.api_defaults.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "clinic.api_defaults.Pages",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "clinic.rest.explain",
    "DEFAULT_SCHEMA_CLASS": "clinic.api_docs.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "clinic.api_rates.PerUser",
        "clinic.api_rates.PerAddress",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": env("API_RATE", "6000/min"), "anon": "60/min"},
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {"TITLE": "Atlas", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False,
                        "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"]}  # fmt: skip


def mail_settings(url):
    """`smtp://user:password@host:port?tls=1` (or `?ssl=1`; `&timeout=120`), or `file:///folder`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": "clinic.mail_files.Backend", "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme != "smtp" or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:587?tls=1 or file:///folder.")
    query = parse_qs(parts.query)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": query.get("tls") == ["1"],
        "EMAIL_USE_SSL": query.get("ssl") == ["1"],
        # Shorter than 120 s makes "accepted, but the answer came late" common: a doubled mail.
        "EMAIL_TIMEOUT": int(query.get("timeout", ["120"])[0]),
    }


globals().update(mail_settings(env("EMAIL_URL", f"file://{VAR / 'mail'}")))
# How long a sender keeps the mails it claimed, from the last it began; who dies is succeeded then. And how long after
# each failure a mail is tried again: once more often than there are numbers.
MAIL_LEASE_SECONDS = float(env("MAIL_LEASE_SECONDS", "600"))
MAIL_RETRY_SECONDS = tuple(float(part) for part in env("MAIL_RETRY_SECONDS", "300,900,3600,3600").split(","))
if 4 * globals().get("EMAIL_TIMEOUT", 0) > MAIL_LEASE_SECONDS:
    raise ImproperlyConfigured("MAIL_LEASE_SECONDS must be at least four times the timeout of EMAIL_URL (120).")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "Atlas clinics <clinic@example.org>")
BOUNCE_ADDRESS = env("BOUNCE_ADDRESS")  # where mails come back to; where it is empty, to the sender
# The service that carries the mails and reports what became of them at /mail-events/SERVICE/.
MAIL_SERVICE = env("MAIL_SERVICE").lower()
ANYMAIL = {"WEBHOOK_SECRET": env("MAIL_WEBHOOK_SECRET")}
if MAIL_SERVICE:
    if ":" not in ANYMAIL["WEBHOOK_SECRET"]:
        raise ImproperlyConfigured("With MAIL_SERVICE, MAIL_WEBHOOK_SECRET must be set: user:password.")
    _key = env("MAIL_WEBHOOK_KEY")
    if not _key and MAIL_SERVICE in {"mailersend", "mailgun", "mandrill"}:
        raise ImproperlyConfigured(
            f"With MAIL_SERVICE={MAIL_SERVICE}, MAIL_WEBHOOK_KEY must be set: it signs its reports."
        )
    # Each service has a name of its own for it.
    _names = "WEBHOOK_SIGNING_KEY", "WEBHOOK_KEY", "SIGNING_SECRET", "TRACKING_WEBHOOK_VERIFICATION_KEY"
    ANYMAIL |= {f"{MAIL_SERVICE.upper()}_{name}": _key for name in _names if _key}

# How long a booking rests before its notice is mailed: a slip put right at once is never mailed.
NOTICE_GRACE_SECONDS = int(env("NOTICE_GRACE_SECONDS", "180"))

# Care plans are looked at again after so many days or visits, whichever comes first, in active and in supportive care
# (clinical reference 4.3); so many days past that they get no further visits.
REEVALUATE_ACTIVE = tuple(int(part) for part in env("REEVALUATE_ACTIVE", "30,12").split(","))
REEVALUATE_SUPPORTIVE = tuple(int(part) for part in env("REEVALUATE_SUPPORTIVE", "90,6").split(","))
REEVALUATION_GRACE_DAYS = int(env("REEVALUATION_GRACE_DAYS", "7"))
# A first headache from this age on is a red flag: the safer of the two ages in print (clinical reference 1.4, L5).
OLDER_ONSET_AGE = int(env("OLDER_ONSET_AGE", "50"))
# How often one network may look at and send the public pages, (how often, in so many seconds).
PAGE_RATES = {"seen": (120, 60), "sent": (60, 600)}
BEAT_SECONDS = float(env("BEAT_SECONDS", "60"))

CELERY_BROKER_URL = REDIS_URL or "filesystem://"
if not REDIS_URL:
    for name in ("queue", "processed", "control"):
        (VAR / "broker" / name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR / "broker" / "queue"),
        "data_folder_out": str(VAR / "broker" / "queue"),
        "processed_folder": str(VAR / "broker" / "processed"),
        "control_folder": str(VAR / "broker" / "control"),
        "store_processed": False,
    }
else:
    # A call that is not answered within it is given to another worker: longer than the longest task (below). A server
    # that is gone without a word is noticed, and a worker that stands still with it is none (celery#8091).
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 1800, "socket_timeout": 60, "socket_connect_timeout": 10, "socket_keepalive": True,
        "health_check_interval": 25, "retry_on_timeout": True,
    }  # fmt: skip
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A sweep stops by itself after four minutes and the mail it is at (clinic/delivery.py); this is for what hangs.
CELERY_TASK_TIME_LIMIT = 1500
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the broker is not what says that a mail is sent
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that is away is waited for, however long
CELERY_RESULT_EXPIRES = None  # there are no results to clear away
CELERY_BEAT_SCHEDULER = "clinic.beat:Scheduler"
# An interval, not a crontab: clock changes cannot make it run twice or not at all. `expires` keeps a
# stopped worker from finding an hour of wake-up calls.
CELERY_BEAT_SCHEDULE = {
    "send due messages": {
        "task": "clinic.tasks.send_due_messages",
        "schedule": BEAT_SECONDS,
        "options": {"expires": max(5, BEAT_SECONDS - 5)},
    },
    "offer free times": {
        "task": "appointments.tasks.offer_free_times",
        "schedule": BEAT_SECONDS,
        "options": {"expires": max(5, BEAT_SECONDS - 5)},
    },
    "open incidents": {
        "task": "evaluations.tasks.open_incidents",
        "schedule": BEAT_SECONDS,
        "options": {"expires": max(5, BEAT_SECONDS - 5)},
    },
    "forget booking requests": {
        "task": "appointments.tasks.forget_booking_requests",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line", "stream": sys.stderr}},
    "loggers": {name: {"level": "ERROR"} for name in ("weasyprint", "fontTools")},  # they tell every step and glyph
    "root": {"handlers": ["err"], "level": env("LOG_LEVEL", "INFO")},
}
