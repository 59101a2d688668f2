"""Waits, leases and time limits: none is nothing, and each is longer than the work under it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage

from bdvoucher.checks.messages import error, warning
from core.api.idempotency import LEASE as REQUEST_LEASE
from core.http import ANSWER_SECONDS, CONNECT_SECONDS
from notifications.delivery import SHARE_OF_LEASE

LONGEST_BROKER_WAIT: Final = 5.0
#: A payment whose callback never came is settled within so many seconds.
SETTLED_WITHIN: Final = 300
DURATIONS: Final = (
    "ATTEMPT_LEASE",
    "MAIL_LEASE",
    "PAYMENT_LEASE",
    "WEBHOOK_LEASE",
    "PARTNER_SENT_LEASE",
    "IMPORT_LEASE",
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
    "ADMIN_IDLE",
)
NUMBERS: Final = (
    "CUSTOMER_WAIT_SECONDS",
    "OPERATOR_WAIT_SECONDS",
    "PARTNER_ANSWER_SECONDS",
    "SWEEP_PAYMENTS_SECONDS",
    "SWEEP_ORDERS_SECONDS",
    "SWEEP_EMAILS_SECONDS",
    "SWEEP_RUNS_SECONDS",
    "SWEEP_WEBHOOKS_SECONDS",
    "WEBHOOK_SECONDS",
    "SWEEP_PARTNERS_SECONDS",
    "SWEEP_IMPORTS_SECONDS",
    "CHECK_INVARIANTS_SECONDS",
    "BREAKER_FAILURES",
    "SWEEP_SUBSCRIPTIONS_SECONDS",
    "CLOSE_OVERDUE_SECONDS",
    "CLOSE_BOOKS_SECONDS",
    "SWEEP_EXPIRED_SECONDS",
    "SIGN_IN_TRIES",
    "CODES_READ_PER_HOUR",
    "ORDER_MAX_LINES",
    "ORDER_MAX_QUANTITY",
)
PLANS: Final = (
    "ATTEMPT_WAITS",
    "LOOKUP_WAITS",
    "MAIL_WAITS",
    "VERIFY_WAITS",
    "REFUND_WAITS",
    "WEBHOOK_WAITS",
)


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
            46,
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
    if settings.WEBHOOK_LEASE.total_seconds() <= 2 * settings.WEBHOOK_SECONDS:
        yield error(
            47,
            f"WEBHOOK_LEASE is not well above the {settings.WEBHOOK_SECONDS:g} s of a receiver.",
            "Set WEBHOOK_LEASE_SECONDS higher or WEBHOOK_SECONDS lower.",
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
