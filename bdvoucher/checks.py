"""What is missing, unsafe or at odds in the settings, each with the variable that mends it.

The first group runs with every command; those that need `--deploy` speak of a real shop. An empty
`SECRET_KEY` is refused by a library before any check can run, in as clear a sentence.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning as CheckWarning, register

from core.api.idempotency import LEASE as REQUEST_LEASE
from core.http import ANSWER_SECONDS, CONNECT_SECONDS
from core.providers import Misconfigured
from fulfillment.partners.registry import PARTNERS
from notifications.delivery import SHARE_OF_LEASE
from payments.gateways.registry import GATEWAYS, get_gateway
from payments.limits import Limits
from payments.returning import is_return_address

KEY_BYTES: Final = 32
SECRET_LENGTH: Final = 50
JWT_LENGTH: Final = 32
LONGEST_BROKER_WAIT: Final = 5.0
#: A payment whose callback never came is settled within so many seconds.
SETTLED_WITHIN: Final = 300
MAKE_TEXT: Final = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
MAKE_KEY: Final = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'

#: What an adapter cannot work without.
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "paystation": ("PAYSTATION_MERCHANT_ID", "PAYSTATION_PASSWORD", "PAYSTATION_PAGE_HOST"),
    "dcb": ("DCB_CARRIERS",),  # and what each of them needs
    "bkash": ("BKASH_APP_KEY", "BKASH_APP_SECRET", "BKASH_USERNAME", "BKASH_PASSWORD"),
    "sslcommerz": ("SSLCOMMERZ_STORE_ID", "SSLCOMMERZ_STORE_PASSWORD"),
    "nagad": (
        "NAGAD_MERCHANT_ID",
        "NAGAD_MERCHANT_PRIVATE_KEY",
        "NAGAD_GATEWAY_PUBLIC_KEY",
        "NAGAD_PAGE_HOST",
    ),
    "zendit": ("ZENDIT_API_KEY",),
    "reloadly": ("RELOADLY_CLIENT_ID", "RELOADLY_CLIENT_SECRET", "RELOADLY_AUDIENCE"),
}
#: Addresses beside the base URL that credentials or codes travel to.
FURTHER_ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {"reloadly": ("RELOADLY_AUTH_URL",)}
DCB_CARRIERS: Final = frozenset({"bdapps", "applink"})
#: Backends that take a mail and bring it to nobody.
MAIL_TO_NOBODY: Final = ("console", "dummy", "filebased", "locmem")
DURATIONS: Final = (
    "ATTEMPT_LEASE",
    "MAIL_LEASE",
    "PAYMENT_LEASE",
    "PARTNER_SENT_LEASE",
    "PARTNER_PENDING_GRACE",
    "PARTNER_UNKNOWN_WINDOW",
    "BREAKER_PAUSE",
    "REFUND_RESEND_AFTER",
    "MAIL_KEEP_TRYING",
    "PAYMENT_DEADLINE",
    "PAYMENT_REMINDER",
    "SUBSCRIPTION_NOTICE",
    "SUBSCRIPTION_GRACE",
    "CARRIER_PATIENCE",
    "SIGN_IN_WINDOW",
)
NUMBERS: Final = (
    "CUSTOMER_WAIT_SECONDS",
    "OPERATOR_WAIT_SECONDS",
    "PARTNER_ANSWER_SECONDS",
    "SWEEP_PAYMENTS_SECONDS",
    "SWEEP_ORDERS_SECONDS",
    "SWEEP_EMAILS_SECONDS",
    "SWEEP_RUNS_SECONDS",
    "SWEEP_PARTNERS_SECONDS",
    "SWEEP_IMPORTS_SECONDS",
    "CHECK_INVARIANTS_SECONDS",
    "BREAKER_FAILURES",
    "SWEEP_SUBSCRIPTIONS_SECONDS",
    "CLOSE_OVERDUE_SECONDS",
    "SWEEP_EXPIRED_SECONDS",
    "SIGN_IN_TRIES",
    "ORDER_MAX_LINES",
    "ORDER_MAX_QUANTITY",
)
PLANS: Final = ("ATTEMPT_WAITS", "LOOKUP_WAITS", "MAIL_WAITS", "VERIFY_WAITS", "REFUND_WAITS")

Check = Callable[..., list[CheckMessage]]


def error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"bdvoucher.E{number:03}")


def warning(number: int, message: str, hint: str) -> CheckWarning:
    return CheckWarning(message, hint=hint, id=f"bdvoucher.W{number:03}")


def note(number: int, message: str, hint: str) -> Info:
    return Info(message, hint=hint, id=f"bdvoucher.I{number:03}")


def listed(find: Callable[[], Iterator[CheckMessage]]) -> Check:
    """A check as Django calls it, from a generator of what it found."""

    def check(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
        del app_configs  # settings belong to no app
        return list(find())

    check.__name__ = find.__name__
    return check


def signing_keys() -> Iterator[CheckMessage]:
    secret, jwt = settings.SECRET_KEY, settings.JWT_SIGNING_KEY
    if len(secret) < SECRET_LENGTH:
        yield error(
            1,
            f"SECRET_KEY has {len(secret)} characters, fewer than {SECRET_LENGTH}.",
            f"Set SECRET_KEY to a random text: {MAKE_TEXT}",
        )
    if not jwt:
        yield error(
            2,
            "There is no JWT_SIGNING_KEY, so anybody could sign an access token.",
            f"Set JWT_SIGNING_KEY to a random text: {MAKE_TEXT}",
        )
    elif len(jwt.encode()) < JWT_LENGTH:
        yield error(
            3,
            f"JWT_SIGNING_KEY is shorter than the {JWT_LENGTH} bytes that HS256 needs.",
            f"Set JWT_SIGNING_KEY to a longer random text: {MAKE_TEXT}",
        )
    elif jwt == secret:
        yield error(
            4,
            "JWT_SIGNING_KEY is the same as SECRET_KEY: neither could be changed alone.",
            f"Set JWT_SIGNING_KEY to a random text of its own: {MAKE_TEXT}",
        )
    if settings.SIMPLE_JWT.get("SIGNING_KEY") != jwt:
        yield error(
            5,
            "Tokens are signed with another key than JWT_SIGNING_KEY.",
            "Let SIMPLE_JWT['SIGNING_KEY'] be JWT_SIGNING_KEY.",
        )


def code_keys() -> Iterator[CheckMessage]:
    ring: Mapping[str, bytes] = settings.CODE_KEYS
    own: bytes = settings.CODE_FINGERPRINT_KEY
    form = f"CODE_KEYS is `name:key,...`, newest first; a key: {MAKE_KEY}"
    if not ring:
        yield error(10, "The key ring is empty: no voucher code can be sealed or read.", form)
    for name, key in ring.items():
        if not name or len(key) != KEY_BYTES:
            yield error(
                11,
                f"Key {name[:8]!r} of the ring has {len(key)} bytes or no name; "
                f"it must have {KEY_BYTES} bytes and a name.",
                form,
            )
    if len(set(ring.values())) < len(ring) or _names_given_twice():
        yield error(
            12,
            "A name or a key stands on the ring twice.",
            "Give every key of CODE_KEYS a name of its own; a key that was taken off the ring "
            "leaves the codes sealed with it unreadable.",
        )
    if len(own) != KEY_BYTES:
        yield error(
            13,
            f"The fingerprint key has {len(own)} bytes instead of {KEY_BYTES}.",
            f"Set CODE_FINGERPRINT_KEY, once and for ever: {MAKE_KEY}",
        )
    elif own in ring.values():
        yield error(
            14,
            "The fingerprint key is also a key of the ring, and would turn with it.",
            "Set CODE_FINGERPRINT_KEY to a key that is not in CODE_KEYS.",
        )


def _names_given_twice() -> bool:
    """The parsed ring keeps the last of two keys of one name, so the variable itself is read."""
    entries = os.environ.get("CODE_KEYS", "").split(",")
    names = [entry.partition(":")[0].strip() for entry in entries if entry.strip()]
    return len(set(names)) < len(names)


def providers() -> Iterator[CheckMessage]:
    if not settings.PAYMENT_METHODS:
        yield error(
            20,
            "No payment method is enabled: nothing can be sold.",
            f"Set PAYMENT_METHODS to some of: {', '.join(sorted(GATEWAYS))}.",
        )
    for slug in settings.PAYMENT_METHODS:
        if slug not in GATEWAYS:
            yield error(
                21,
                f"Payment method {slug!r} is enabled, but there is no such gateway.",
                f"PAYMENT_METHODS may name: {', '.join(sorted(GATEWAYS))}.",
            )
    for slug in settings.VOUCHER_PARTNERS:
        if slug not in PARTNERS:
            yield error(
                24,
                f"Voucher partner {slug!r} is in use, but there is no such adapter.",
                f"VOUCHER_PARTNERS may name: {', '.join(sorted(PARTNERS))}.",
            )
    if "dcb" in settings.PAYMENT_METHODS and not set(settings.DCB_CARRIERS) <= DCB_CARRIERS:
        yield error(
            26,
            "DCB_CARRIERS names an operator that there is none of.",
            "Set it to some of: bdapps, applink.",
        )
    for slug in _used():
        for name, url in _addresses(slug).items():
            if not url.hostname:
                yield error(23, f"{slug} has no usable address.", f"Set {name} to a URL.")


def usable_gateways() -> Iterator[CheckMessage]:
    """What is set is no use to its adapter: a key that can't be read, say. Gaps are E022's."""
    for slug in settings.PAYMENT_METHODS:
        complete = all(getattr(settings, name, "") for name in CREDENTIALS.get(slug, ()))
        if slug not in GATEWAYS or not complete:
            continue
        try:
            get_gateway(slug)
        except Misconfigured as exc:
            yield error(
                26,
                f"{slug} can't be used: {exc.message}.",
                f"Mend it, or take {slug} off PAYMENT_METHODS.",
            )


def limits() -> Iterator[CheckMessage]:
    for entry in settings.GATEWAY_LIMITS:
        try:
            slug, _ = Limits.read(entry)
        except (ValueError, ArithmeticError):
            slug = ""
        if slug not in GATEWAYS:
            yield error(
                26,
                f"GATEWAY_LIMITS can't be read at {entry!r}.",
                "Write <gateway>:<least>-<most> in BDT, and :whole for whole taka only.",
            )


def points() -> Iterator[CheckMessage]:
    """Points are credited through a partner that is set up in full, or not at all."""
    address, key = settings.POINTS_BRIDGE_BASE_URL, settings.POINTS_BRIDGE_API_KEY
    if bool(address) != bool(key):
        missing = "POINTS_BRIDGE_API_KEY" if address else "POINTS_BRIDGE_BASE_URL"
        yield error(
            28,
            "The points partner is set up by half: no points can be credited.",
            f"Set {missing}, or leave both empty where no points are transferred.",
        )
    elif address and not _url(address).hostname:
        yield error(
            28, "The points partner has no usable address.", "Set POINTS_BRIDGE_BASE_URL to a URL."
        )


def return_addresses() -> Iterator[CheckMessage]:
    for entry in settings.RETURN_ADDRESSES:
        if not is_return_address(entry):
            yield error(
                27,
                f"RETURN_ADDRESSES can't be used at {entry!r}.",
                "Write origin and path in full, without query, such as https://app.example.com/paid",
            )


def browser_origins_of_a_real_shop() -> Iterator[CheckMessage]:
    for entry in settings.CORS_ALLOWED_ORIGINS:
        if _url(entry).scheme != "https":
            yield error(
                60,
                f"Pages of {entry} may call the API, and travel without TLS.",
                "Write https:// origins into CORS_ALLOWED_ORIGINS.",
            )


def return_addresses_of_a_real_shop() -> Iterator[CheckMessage]:
    for entry in settings.RETURN_ADDRESSES:
        if _url(entry).scheme != "https":
            yield error(
                59,
                f"Customers would be sent to {entry} without TLS.",
                "Write https:// addresses into RETURN_ADDRESSES.",
            )


def _used() -> list[str]:
    gateways = [slug for slug in settings.PAYMENT_METHODS if slug in GATEWAYS]
    return gateways + [slug for slug in settings.VOUCHER_PARTNERS if slug in PARTNERS]


def _addresses(slug: str) -> dict[str, SplitResult]:
    """The settings that say where a provider answers; carrier billing has one per operator."""
    names = [f"{slug.upper()}_BASE_URL", *FURTHER_ADDRESSES.get(slug, ())]
    if slug == "dcb":
        names = [f"DCB_{carrier.upper()}_BASE_URL" for carrier in _carriers()]
    return {name: _url(str(getattr(settings, name, ""))) for name in names}


def _carriers() -> list[str]:
    return [carrier for carrier in settings.DCB_CARRIERS if carrier in DCB_CARRIERS]


def _credentials(slug: str) -> list[str]:
    known = list(CREDENTIALS.get(slug, ()))
    if slug != "dcb":
        return known
    carriers = [carrier.upper() for carrier in _carriers()]
    names = [f"DCB_{each}_{what}" for each in carriers for what in ("APP_ID", "PASSWORD")]
    return [*known, *names, *["DCB_NOTIFICATION_SENDERS"] * ("APPLINK" in carriers)]


def _url(text: str) -> SplitResult:
    """Its parts; none of them where it can't be read."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return urlsplit("")
    return parts if parts.scheme in {"http", "https"} else urlsplit("")


def machinery() -> Iterator[CheckMessage]:
    if not apps.is_installed("rest_framework_simplejwt.token_blacklist"):
        yield error(
            30,
            "The app token_blacklist is missing: refresh tokens could be used for ever.",
            "Put rest_framework_simplejwt.token_blacklist into INSTALLED_APPS.",
        )
    from bdvoucher.celery import app

    options = {
        "CACHES['default']['OPTIONS']": settings.CACHES["default"].get("OPTIONS", {}),
        "Celery's broker_transport_options": app.conf.broker_transport_options,
    }
    for where, given in options.items():
        limits = [given.get("socket_timeout"), given.get("socket_connect_timeout")]
        if not all(limit and 0 < limit <= LONGEST_BROKER_WAIT for limit in limits):
            yield error(
                31,
                f"{where} has no time limit or a long one: a Redis that hangs would hold requests.",
                f"Set REDIS_TIMEOUT_SECONDS to between 0 and {LONGEST_BROKER_WAIT:g}.",
            )


def durations() -> Iterator[CheckMessage]:
    for name in DURATIONS:
        if getattr(settings, name) <= timedelta(0):
            yield error(40, f"{name} must be longer than nothing.", f"Set {name}_SECONDS.")
    for name in NUMBERS:
        if getattr(settings, name) <= 0:
            yield error(40, f"{name} must be more than 0.", f"Set {name}.")
    for name in PLANS:
        plan = getattr(settings, name)
        if not plan or min(plan) <= 0:
            yield error(
                41,
                f"{name} must name at least one wait, each longer than 0 seconds.",
                f"Set {name} to seconds between tries, such as 30,120,600.",
            )
    slowest = max(settings.VERIFY_WAITS, default=0) + settings.SWEEP_PAYMENTS_SECONDS
    if slowest > SETTLED_WITHIN:
        yield warning(
            42,
            f"A payment whose callback is lost is asked for only every {slowest:g} s.",
            f"Keep VERIFY_WAITS and SWEEP_PAYMENTS_SECONDS together within {SETTLED_WITHIN} s.",
        )


def leases() -> Iterator[CheckMessage]:
    """A lease shorter than the work under it lets two do the work at once."""
    mail = settings.MAIL_LEASE.total_seconds() * SHARE_OF_LEASE
    if not 0 < (settings.EMAIL_TIMEOUT or 0) < mail:
        yield error(
            42,
            f"A mail server may take {settings.EMAIL_TIMEOUT} s for one step, but a mail is held "
            f"for {mail:g} s at most.",
            "Set EMAIL_TIMEOUT_SECONDS lower or MAIL_LEASE_SECONDS higher.",
        )
    partner = _exchange(settings.PARTNER_ANSWER_SECONDS)
    for name in ("ATTEMPT_LEASE", "PARTNER_SENT_LEASE"):
        if getattr(settings, name).total_seconds() <= partner:
            yield error(
                43,
                f"{name} is not longer than the {partner:g} s a partner's answer may take.",
                f"Set {name}_SECONDS higher or PARTNER_ANSWER_SECONDS lower.",
            )
    gateway = _exchange(ANSWER_SECONDS)
    if settings.PAYMENT_LEASE.total_seconds() <= gateway:
        yield error(
            44,
            f"PAYMENT_LEASE is not longer than the {gateway:g} s a gateway's answer may take.",
            "Set PAYMENT_LEASE_SECONDS higher.",
        )
    for name in ("CUSTOMER_WAIT_SECONDS", "OPERATOR_WAIT_SECONDS"):
        longest = getattr(settings, name) + partner
        if longest >= REQUEST_LEASE.total_seconds():
            yield error(
                45,
                f"An answer may take {longest:g} s, but a repeated request counts as abandoned "
                f"after {REQUEST_LEASE.total_seconds():g} s.",
                f"Set {name} lower.",
            )


def _exchange(answer_seconds: float) -> float:
    """The longest one call to the outside takes (`core.http.Outbound`)."""
    return min(CONNECT_SECONDS, answer_seconds) + answer_seconds


def addresses_of_a_real_shop() -> Iterator[CheckMessage]:
    public = _url(settings.PUBLIC_BASE_URL)
    if public.scheme != "https":
        yield error(
            50,
            "PUBLIC_BASE_URL is not https: payment callbacks and return pages stand below it.",
            "Set PUBLIC_BASE_URL to the shop's https:// address.",
        )
    elif not _allowed(public.hostname or ""):
        yield error(
            51,
            f"{public.hostname}, where gateways call back, is not an allowed host.",
            "Put the host of PUBLIC_BASE_URL into ALLOWED_HOSTS.",
        )
    for slug in _used():
        for name, url in _addresses(slug).items():
            if url.scheme != "https":
                yield error(
                    52,
                    f"{slug} is asked without TLS, or it is a simulator.",
                    f"Set {name} to the provider's https:// address.",
                )


def _allowed(host: str) -> bool:
    return any(
        host == name.lower() or name == "*" or (name.startswith(".") and host.endswith(name))
        for name in settings.ALLOWED_HOSTS
    )


def credentials() -> Iterator[CheckMessage]:
    """Of a real shop: on a developer's machine they come with the running shop alone."""
    for slug in _used():
        missing = [name for name in _credentials(slug) if not getattr(settings, name, "")]
        if missing:
            yield error(
                22,
                f"{slug} is in use, but its credentials are not complete.",
                f"Set {', '.join(missing)}.",
            )
    for slug in settings.VOUCHER_PARTNERS:
        if slug in PARTNERS and not getattr(settings, f"{slug.upper()}_WEBHOOK_SECRET", ""):
            yield warning(
                25,
                f"Every webhook of {slug} is refused: its purchases are followed by plan alone.",
                f"Set {slug.upper()}_WEBHOOK_SECRET, and the same in the partner's console.",
            )


def known_secrets() -> Iterator[CheckMessage]:
    """Demo and test secrets stand in the source, so everybody has them."""
    from bdvoucher.local.environment import DEMO_CREDENTIALS, TEST_SECRETS

    used = {
        "SECRET_KEY": settings.SECRET_KEY,
        "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
        "CODE_KEYS": os.environ.get("CODE_KEYS", ""),
        "CODE_FINGERPRINT_KEY": os.environ.get("CODE_FINGERPRINT_KEY", ""),
        **{name: getattr(settings, name, "") for name in DEMO_CREDENTIALS},
    }
    public = {**TEST_SECRETS, **DEMO_CREDENTIALS}
    found = [name for name, value in used.items() if value and value == public.get(name)]
    if found:
        yield error(
            53,
            f"{', '.join(found)}: these are the public ones of the demo or of the tests.",
            "Set them to secrets that only this shop has.",
        )


def mail_of_a_real_shop() -> Iterator[CheckMessage]:
    kind = settings.EMAIL_BACKEND.removeprefix("django.core.mail.backends.").split(".")[0]
    if kind in MAIL_TO_NOBODY:
        yield error(
            54,
            f"Mail goes to {settings.EMAIL_BACKEND}: no customer would get a code.",
            "Set EMAIL_URL to a mail server, or EMAIL_BACKEND to a provider of django-anymail.",
        )
    elif kind == "smtp" and not _is_local(settings.EMAIL_HOST) and not _mail_is_encrypted():
        yield warning(
            55,
            f"Codes travel to {settings.EMAIL_HOST} without TLS.",
            "Write EMAIL_URL with smtp+tls:// or smtp+ssl://.",
        )


def _mail_is_encrypted() -> bool:
    return bool(settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)


def _is_local(host: str | None) -> bool:
    return (host or "") in {"localhost", "127.0.0.1", "::1"}


def people_of_a_real_shop() -> Iterator[CheckMessage]:
    """Who signs up, and whose tries are counted."""
    if not settings.SMS_URL:
        yield note(
            56,
            "One-time passwords are sent to nobody, so no customer can sign up.",
            "Set SMS_URL to where text messages are posted.",
        )
    elif _url(settings.SMS_URL).scheme != "https":
        yield error(
            57, "One-time passwords travel without TLS.", "Set SMS_URL to an https:// address."
        )
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        yield note(
            58,
            "A proxy ends TLS, but its address counts as every customer's: they share one limit.",
            "Set TRUSTED_PROXIES to how many proxies of your own stand in front.",
        )


def metrics_are_guarded() -> Iterator[CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < JWT_LENGTH:
        yield error(
            60,
            "METRICS_TOKEN is short enough to be guessed: turnover and stock are behind it.",
            f"Set METRICS_TOKEN to a random text, or leave it empty: {MAKE_TEXT}",
        )


ALWAYS: Final = (
    signing_keys,
    code_keys,
    providers,
    limits,
    return_addresses,
    points,
    usable_gateways,
    machinery,
    durations,
    leases,
)
DEPLOYED: Final = (
    addresses_of_a_real_shop,
    browser_origins_of_a_real_shop,
    return_addresses_of_a_real_shop,
    credentials,
    known_secrets,
    mail_of_a_real_shop,
    people_of_a_real_shop,
    metrics_are_guarded,
)


#: Made once: the apps may be loaded again (in tests), and a check is to be registered once.
_CHECKS: Final[list[tuple[Check, dict[str, Any]]]] = [(listed(find), {}) for find in ALWAYS] + [
    (listed(find), {"deploy": True}) for find in DEPLOYED
]


def register_all() -> None:
    """Called once the apps are loaded."""
    for check, options in _CHECKS:
        register(check, Tags.security, **options)
