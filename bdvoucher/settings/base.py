"""Everything the shop takes from its environment, read in this one place (twelve-factor).

Names, units and defaults are explained in `.env.example`. Secrets have no default here.
"""

import base64
from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from core.api.description import ENUMS, FRONT_PAGE, HEADERS, TAGS
from core.logging import configure
from core.patience import PatientConnection

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()


def key_bytes(name: str, text: str) -> bytes:
    """A key written in base64; what is not base64 is said in one sentence, not by a traceback."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be base64; see .env.example.") from None


def seconds(name: str, default: float) -> timedelta:
    return timedelta(seconds=env.float(name, default))


DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
SHOP_NAME = env.str("SHOP_NAME", "BD Voucher")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", "support@bdvoucher.com")

INSTALLED_APPS = [
    "bdvoucher.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "anymail",
    "corsheaders",
    "core",
    "accounts",
    "catalog",
    "orders",
    "vouchers",
    "notifications",
    "webhooks",
    "fulfillment",
    "payments",
    "loyalty",
    "books",
    "bdvoucher.apps.BdvoucherConfig",
]
MIDDLEWARE = [
    "core.middleware.CorrelationMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.PlainHttpMiddleware",
    "core.middleware.RefusalsMiddleware",
    "core.patience.PatienceMiddleware",
    "core.middleware.EnvelopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLifeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "bdvoucher.urls"
WSGI_APPLICATION = "bdvoucher.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# Data
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///bdvoucher")}
DATABASES["default"] |= {
    "ATOMIC_REQUESTS": False,  # transactions belong to services (architecture, section 6)
    "CONN_HEALTH_CHECKS": True,
    "CONN_MAX_AGE": 0,
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        "connect_timeout": env.int("DATABASE_CONNECT_SECONDS", 5),
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", 8),
            "timeout": 10,
            "connection_class": PatientConnection,
        },
        "options": f"-c statement_timeout={env.int('DATABASE_STATEMENT_MS', 15_000)}"
        f" -c lock_timeout={env.int('DATABASE_LOCK_MS', 10_000)}"
        " -c idle_in_transaction_session_timeout=60000",
    }
)
#: PgBouncer in transaction mode: no cursor outlives its transaction, and the limits above are
#: given to the role instead (docs/scaling.md), because it passes no options on.
if env.bool("DATABASE_BEHIND_POOLER", False):
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    DATABASES["default"]["OPTIONS"].pop("options")
DATABASE_ANSWER_SECONDS = env.float("DATABASE_ANSWER_SECONDS", 12)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
REDIS_SECONDS = env.float("REDIS_TIMEOUT_SECONDS", 1.5)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "bdv",
        "OPTIONS": {
            "socket_timeout": REDIS_SECONDS,
            "socket_connect_timeout": REDIS_SECONDS,
        },
    }
}

# The doorbell (Celery wakes work that PostgreSQL remembers; no result is kept)
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL)

# Accounts and sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.StaffBackend"]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # staff e-mails are unique by a partial constraint
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", "")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": seconds("JWT_ACCESS_SECONDS", 30 * 60),
    "REFRESH_TOKEN_LIFETIME": seconds("JWT_REFRESH_SECONDS", 30 * 24 * 3600),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ALGORITHM": "HS256",
    "UPDATE_LAST_LOGIN": False,
}
SESSION_COOKIE_AGE = env.int("ADMIN_SESSION_SECONDS", 12 * 3600)
ADMIN_IDLE = seconds("ADMIN_IDLE_SECONDS", 2 * 3600)
CODES_READ_PER_HOUR = env.int("CODES_READ_PER_HOUR", 1000)
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", False)
ORDER_CLAIM = timedelta(minutes=env.int("ORDER_CLAIM_MINUTES", 15))
SESSION_COOKIE_HTTPONLY = True
LOGIN_URL = "admin:login"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
SMS_URL = env.str("SMS_URL", "")
SMS_TOKEN = env.str("SMS_TOKEN", "")
SIGN_IN_TRIES = env.int("SIGN_IN_TRIES", 10)
SIGN_IN_WINDOW = seconds("SIGN_IN_WINDOW_SECONDS", 15 * 60)

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.CustomerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.api.operations.Operation",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_METADATA_CLASS": None,  # what a verb does is said by the schema
}
CATALOGUE_CACHE_SECONDS = env.int("CATALOGUE_CACHE_SECONDS", 60)
CATALOGUE_STOCK_SECONDS = env.int("CATALOGUE_STOCK_SECONDS", 3)
#: Uploads stay in memory: a supplier's file is codes, and codes stand in no temporary file (D20).
FILE_UPLOAD_HANDLERS = ["core.uploads.InMemory"]
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", 1_000_000)
SPECTACULAR_SETTINGS = {
    "TITLE": "BD Voucher API",
    "DESCRIPTION": FRONT_PAGE,
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "TAGS": TAGS,
    "ENUM_NAME_OVERRIDES": ENUMS,
    "APPEND_COMPONENTS": {"headers": HEADERS},
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # a stale or foreign token keeps nobody from reading
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["core.api.schema.only_versioned"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# Language, time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("bn", "বাংলা")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / ".local" / "static"))
STATICFILES_DIRS = [BASE_DIR / "bdvoucher" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Security
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Read by monitors on the inside, who mostly come without TLS; they tell nothing of an order.
INSIDE_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
SECURE_REDIRECT_EXEMPT = [rf"^{path.lstrip('/')}$" for path in INSIDE_PATHS]
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
#: What a storefront calls: neither operators' routes nor where gateways and partners report to.
CORS_URLS_REGEX = r"^/api/(v1/(?!admin/|webhooks/|payments/[-\w]+/(callback|ipn))|schema/)"
CORS_ALLOW_HEADERS = (
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "x-correlation-id",
)
CORS_EXPOSE_HEADERS = ("ETag", "Retry-After", "X-Correlation-ID")

# Mail
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://127.0.0.1:25")
vars().update(EMAIL_CONFIG)
MAIL_PROVIDER = env.str("MAIL_PROVIDER", "")
_MAILED_BY = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend" if MAIL_PROVIDER else ""
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "") or _MAILED_BY or EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT_SECONDS", 10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "BD Voucher <vouchers@bdvoucher.com>")
_SENDGRID = env.str("ANYMAIL_SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY", "")
ANYMAIL = {
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    "WEBHOOK_SECRET": env.list("ANYMAIL_WEBHOOK_SECRET", default=[]),
    "BREVO_API_KEY": env.str("ANYMAIL_BREVO_API_KEY", ""),
    "MAILGUN_API_KEY": env.str("ANYMAIL_MAILGUN_API_KEY", ""),
    "MAILGUN_API_URL": env.str("ANYMAIL_MAILGUN_API_URL", ""),
    "MAILGUN_SENDER_DOMAIN": env.str("ANYMAIL_MAILGUN_SENDER_DOMAIN", ""),
    "MAILGUN_WEBHOOK_SIGNING_KEY": env.str("ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY", ""),
    "POSTMARK_SERVER_TOKEN": env.str("ANYMAIL_POSTMARK_SERVER_TOKEN", ""),
    "RESEND_API_KEY": env.str("ANYMAIL_RESEND_API_KEY", ""),
    "SENDGRID_API_KEY": env.str("ANYMAIL_SENDGRID_API_KEY", ""),
    "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": _SENDGRID,
}
ANYMAIL = {name: value for name, value in ANYMAIL.items() if value}
#: Checked by ourselves: anymail would want another library for it.
RESEND_WEBHOOK_SECRET = env.str("ANYMAIL_RESEND_WEBHOOK_SECRET", "")
MAIL_MESSAGE_ID_DOMAIN = env.str("MAIL_MESSAGE_ID_DOMAIN", "mail.bdvoucher.com")

# Codes at rest (D20)
CODE_KEYS: dict[str, bytes] = {
    name: key_bytes("CODE_KEYS", key)
    for name, _, key in (entry.partition(":") for entry in env.list("CODE_KEYS", default=[]))
}
"""Key ring, newest first: `k2:<base64 of 32 bytes>,k1:<...>`. The first one encrypts."""
CODE_FINGERPRINT_KEY = key_bytes("CODE_FINGERPRINT_KEY", env.str("CODE_FINGERPRINT_KEY", ""))

# The shop's rules
ORDER_MAX_LINES = env.int("ORDER_MAX_LINES", 50)
ORDER_MAX_QUANTITY = env.int("ORDER_MAX_QUANTITY", 100)
PAYMENT_DEADLINE = seconds("PAYMENT_DEADLINE_SECONDS", 30 * 60)
PAYMENT_METHODS: list[str] = env.list(
    "PAYMENT_METHODS", default=["paystation", "bkash", "nagad", "sslcommerz", "dcb"]
)
PAYMENT_REMINDER = seconds("PAYMENT_REMINDER_SECONDS", 15 * 60)
MAIL_RESENDS_PER_HOUR = env.int("MAIL_RESENDS_PER_HOUR", 5)
SUBSCRIPTION_NOTICE = seconds("SUBSCRIPTION_NOTICE_SECONDS", 3 * 24 * 3600)
SUBSCRIPTION_GRACE = seconds("SUBSCRIPTION_GRACE_SECONDS", 5 * 24 * 3600)
RETURN_ADDRESSES: list[str] = env.list("RETURN_ADDRESSES", default=[])
GATEWAY_LIMITS: list[str] = env.list("GATEWAY_LIMITS", default=[])
"""What a gateway takes: `<gateway>:<least>-<most>` in BDT, and `:whole` for whole taka only."""

# How long work may take, and when it is looked at again
CUSTOMER_WAIT_SECONDS = env.float("CUSTOMER_WAIT_SECONDS", 4.0)
PARTNER_ANSWER_SECONDS = env.float("PARTNER_ANSWER_SECONDS", 10.0)
OPERATOR_WAIT_SECONDS = env.float("OPERATOR_WAIT_SECONDS", 20.0)
ATTEMPT_LEASE = seconds("ATTEMPT_LEASE_SECONDS", 60)
MAIL_LEASE = seconds("MAIL_LEASE_SECONDS", 120)
PAYMENT_LEASE = seconds("PAYMENT_LEASE_SECONDS", 60)
PARTNER_SENT_LEASE = seconds("PARTNER_SENT_LEASE_SECONDS", 60)
IMPORT_LEASE = seconds("IMPORT_LEASE_SECONDS", 60)
PARTNER_PENDING_GRACE = seconds("PARTNER_PENDING_GRACE_SECONDS", 15 * 60)
REFUND_RESEND_AFTER = seconds("REFUND_RESEND_AFTER_SECONDS", 10 * 60)
PARTNER_UNKNOWN_WINDOW = seconds("PARTNER_UNKNOWN_WINDOW_SECONDS", 5 * 60)
MAIL_KEEP_TRYING = seconds("MAIL_KEEP_TRYING_SECONDS", 24 * 3600)
BREAKER_FAILURES = env.int("BREAKER_FAILURES", 5)
BREAKER_PAUSE = seconds("BREAKER_PAUSE_SECONDS", 60)
SWEEP_PAYMENTS_SECONDS = env.float("SWEEP_PAYMENTS_SECONDS", 30)
SWEEP_ORDERS_SECONDS = env.float("SWEEP_ORDERS_SECONDS", 30)
SWEEP_EMAILS_SECONDS = env.float("SWEEP_EMAILS_SECONDS", 30)
SWEEP_EXPIRED_SECONDS = env.float("SWEEP_EXPIRED_SECONDS", 3600)
SWEEP_RUNS_SECONDS = env.float("SWEEP_RUNS_SECONDS", 10)
SWEEP_PARTNERS_SECONDS = env.float("SWEEP_PARTNERS_SECONDS", 300)
SWEEP_IMPORTS_SECONDS = env.float("SWEEP_IMPORTS_SECONDS", 30)
CHECK_INVARIANTS_SECONDS = env.float("CHECK_INVARIANTS_SECONDS", 600)
SWEEP_SUBSCRIPTIONS_SECONDS = env.float("SWEEP_SUBSCRIPTIONS_SECONDS", 60)
CLOSE_OVERDUE_SECONDS = env.float("CLOSE_OVERDUE_SECONDS", 60)
CLOSE_BOOKS_SECONDS = env.float("CLOSE_BOOKS_SECONDS", 1800)
#: The waits, in seconds, between tries of one kind of work; the last one repeats.
ATTEMPT_WAITS: list[float] = env.list("ATTEMPT_WAITS", float, [30, 120, 600, 1800])
LOOKUP_WAITS: list[float] = env.list("LOOKUP_WAITS", float, [1, 2, 5, 10, 30, 60, 300])
RENEWAL_REMINDERS: list[float] = env.list("RENEWAL_REMINDERS", float, [0, 86400, 259200])
MAIL_WAITS: list[float] = env.list("MAIL_WAITS", float, [30, 60, 300, 900, 3600])
VERIFY_WAITS: list[float] = env.list("VERIFY_WAITS", float, [15, 30, 60, 120, 180, 240])
REFUND_WAITS: list[float] = env.list("REFUND_WAITS", float, [30, 60, 300, 900, 3600])

# Gateways and partners
PAYSTATION_BASE_URL = env.str("PAYSTATION_BASE_URL", "https://api.paystation.com.bd")
PAYSTATION_PAGE_HOST = env.str("PAYSTATION_PAGE_HOST", "paystation.com.bd")
PAYSTATION_MERCHANT_ID = env.str("PAYSTATION_MERCHANT_ID", "")
PAYSTATION_PASSWORD = env.str("PAYSTATION_PASSWORD", "")
PAYSTATION_PAY_WITH_CHARGE = env.str("PAYSTATION_PAY_WITH_CHARGE", "0")
BKASH_BASE_URL = env.str("BKASH_BASE_URL", "https://tokenized.pay.bka.sh/v1.2.0-beta")
BKASH_APP_KEY = env.str("BKASH_APP_KEY", "")
BKASH_APP_SECRET = env.str("BKASH_APP_SECRET", "")
BKASH_USERNAME = env.str("BKASH_USERNAME", "")
BKASH_PASSWORD = env.str("BKASH_PASSWORD", "")
SSLCOMMERZ_BASE_URL = env.str("SSLCOMMERZ_BASE_URL", "https://securepay.sslcommerz.com")
SSLCOMMERZ_STORE_ID = env.str("SSLCOMMERZ_STORE_ID", "")
SSLCOMMERZ_STORE_PASSWORD = env.str("SSLCOMMERZ_STORE_PASSWORD", "")
NAGAD_BASE_URL = env.str("NAGAD_BASE_URL", "https://api.mynagad.com/api/dfs")
NAGAD_PAGE_HOST = env.str("NAGAD_PAGE_HOST", "mynagad.com")
NAGAD_MERCHANT_ID = env.str("NAGAD_MERCHANT_ID", "")
NAGAD_MERCHANT_PRIVATE_KEY = env.str("NAGAD_MERCHANT_PRIVATE_KEY", "")
NAGAD_GATEWAY_PUBLIC_KEY = env.str("NAGAD_GATEWAY_PUBLIC_KEY", "")
NAGAD_CLIENT_IP = env.str("NAGAD_CLIENT_IP", "127.0.0.1")
DCB_CARRIERS: list[str] = env.list("DCB_CARRIERS", default=["bdapps"])
DCB_BDAPPS_BASE_URL = env.str("DCB_BDAPPS_BASE_URL", "https://developer.bdapps.com")
DCB_BDAPPS_APP_ID = env.str("DCB_BDAPPS_APP_ID", "")
DCB_BDAPPS_PASSWORD = env.str("DCB_BDAPPS_PASSWORD", "")
DCB_BDAPPS_INSTRUMENT = env.str("DCB_BDAPPS_INSTRUMENT", "MobileAccount")
DCB_APPLINK_BASE_URL = env.str("DCB_APPLINK_BASE_URL", "")
DCB_APPLINK_APP_ID = env.str("DCB_APPLINK_APP_ID", "")
DCB_APPLINK_PASSWORD = env.str("DCB_APPLINK_PASSWORD", "")
DCB_APPLINK_INSTRUMENT = env.str("DCB_APPLINK_INSTRUMENT", "Mobile Account")
DCB_NOTIFICATION_SENDERS: list[str] = env.list("DCB_NOTIFICATION_SENDERS", default=[])
CARRIER_PATIENCE = seconds("CARRIER_PATIENCE_SECONDS", 15 * 60)
VOUCHER_PARTNERS: list[str] = env.list("VOUCHER_PARTNERS", default=["zendit", "reloadly"])
ZENDIT_BASE_URL = env.str("ZENDIT_BASE_URL", "https://api.zendit.io/v1")
ZENDIT_API_KEY = env.str("ZENDIT_API_KEY", "")
ZENDIT_WEBHOOK_HEADER = env.str("ZENDIT_WEBHOOK_HEADER", "X-Zendit-Webhook-Secret")
ZENDIT_WEBHOOK_SECRET = env.str("ZENDIT_WEBHOOK_SECRET", "")
RELOADLY_BASE_URL = env.str("RELOADLY_BASE_URL", "https://giftcards.reloadly.com")
RELOADLY_AUTH_URL = env.str("RELOADLY_AUTH_URL", "https://auth.reloadly.com")
RELOADLY_AUDIENCE = env.str("RELOADLY_AUDIENCE", "https://giftcards.reloadly.com")
RELOADLY_CLIENT_ID = env.str("RELOADLY_CLIENT_ID", "")
RELOADLY_CLIENT_SECRET = env.str("RELOADLY_CLIENT_SECRET", "")
RELOADLY_WEBHOOK_SECRET = env.str("RELOADLY_WEBHOOK_SECRET", "")

# Webhooks to others
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", 10)
WEBHOOK_LEASE = seconds("WEBHOOK_LEASE_SECONDS", 60)
WEBHOOK_WAITS: list[float] = env.list("WEBHOOK_WAITS", float, [30, 120, 600, 3600])
WEBHOOK_LISTENERS_SECONDS = env.int("WEBHOOK_LISTENERS_SECONDS", 15)
WEBHOOK_ALLOW_LOOPBACK = env.bool("WEBHOOK_ALLOW_LOOPBACK", False)
SWEEP_WEBHOOKS_SECONDS = env.float("SWEEP_WEBHOOKS_SECONDS", 10)

# Loyalty programmes
LOYALTY_TOKEN_LIFETIME = seconds("LOYALTY_TOKEN_SECONDS", 3600)
LOYALTY_TOKEN_TRIES = env.int("LOYALTY_TOKEN_TRIES", 10)
LOYALTY_RATE_LIMIT = env.int("LOYALTY_RATE_LIMIT", 300)
LOYALTY_MOST_POINTS = env.int("LOYALTY_MOST_POINTS", 10_000_000)
SWEEP_TRANSFERS_SECONDS = env.float("SWEEP_TRANSFERS_SECONDS", 30)
TRANSFER_WAITS: list[float] = env.list("TRANSFER_WAITS", float, [2, 10, 60, 300, 1800, 3600])
POINTS_BRIDGE_BASE_URL = env.str("POINTS_BRIDGE_BASE_URL", "")
POINTS_BRIDGE_API_KEY = env.str("POINTS_BRIDGE_API_KEY", "")

SENTRY_DSN = env.str("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", "production")
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = configure(LOG_LEVEL)
