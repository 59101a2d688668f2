"""Asking the gateway what became of a payment; the only source of truth (ADR 0005)."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.actors import SYSTEM, Actor
from core.db import durable
from core.logging import get_logger
from core.providers import Declined, Misconfigured, ProviderError, Unavailable
from notifications.alerts import raise_alert
from notifications.states import AlertKind
from orders.services import locked
from payments.exchanges import kept
from payments.gateways.base import (
    CapturingGateway,
    Consent,
    Known,
    Outcome,
    PaymentGateway,
    Verdict,
)
from payments.gateways.registry import get_gateway
from payments.models import CarrierConsent, Payment
from payments.settlement import Settlement, settle
from payments.states import CARRIER_METHOD, INTERNAL_METHODS, OPEN, PaymentStatus

log = get_logger(__name__)
#: More notifications of one payment than this tell nothing new.
NOTICES = 20


@durable
def verify(
    payment_id: int,
    *,
    actor: Actor = SYSTEM,
    answer_seconds: float = 10.0,
    left: Outcome | None = None,
) -> Settlement:
    """Ask, settle what is decided, and plan the next question where nothing is.

    Callback, poll, sweep and operator may ask at once: asking moves no money, `settle`
    lets one through, and the capture of a confirmed payment is claimed by one.

    Args:
        left: how the payer left the gateway's page, by a callback; see `Claim.left`.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.method in INTERNAL_METHODS:
        return Settlement(payment, changed=False)
    try:
        gateway = get_gateway(payment.method, answer_seconds=answer_seconds)
        verdict = kept("verify", lambda: gateway.verify(known(payment)), payment)
        verdict = _left(gateway, payment, verdict, left) or _captured(gateway, payment, verdict)
    except ProviderError as exc:
        verdict = Verdict(Outcome.UNKNOWN, reason=exc.message)
        if isinstance(exc, Misconfigured):
            raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(exc), now=timezone.now())
    now = timezone.now()
    _plan(payment, now=now)
    settlement = settle(payment_id=payment_id, verdict=verdict, actor=actor, now=now)
    settlement = replace(settlement, answered=verdict.outcome != Outcome.UNKNOWN)
    if settlement.payment.status == PaymentStatus.AUTHORIZED:
        _call_a_person(settlement.payment, now=now)
    if not settlement.changed:
        log.info(
            "payment.asked", payment=payment.reference, outcome=verdict.outcome, why=verdict.reason
        )
    return settlement


def known(payment: Payment) -> Known:
    return Known(
        reference=payment.reference,
        gateway_reference=payment.gateway_reference,
        amount=payment.amount,
        execute_sent=payment.capture_sent_at is not None,
        gateway_transaction_id=payment.gateway_transaction_id,
        consent=consent_to(payment) if payment.method == CARRIER_METHOD else None,
    )


def consent_to(payment: Payment) -> Consent | None:
    """What carrier billing needs to know: the payer's consent, the operator's notifications."""
    row = CarrierConsent.objects.filter(payment=payment).first()
    if row is None:
        return None
    notices = payment.callbacks.filter(method="POST").order_by("-pk").values_list("body", flat=True)
    return Consent(
        carrier=row.carrier,
        subscriber=row.subscriber,
        given=row.given_at is not None,
        correlator=row.correlator,
        internal_id=row.internal_id,
        notices=tuple(reversed(notices[:NOTICES])),
    )


def _left(
    gateway: PaymentGateway, payment: Payment, verdict: Verdict, left: Outcome | None
) -> Verdict | None:
    """The end of a payment whose payer gave up where only our capture takes money.

    Nothing was taken by the gateway's own word, and nothing will be: once the row is closed
    no capture is sent. So the customer is told at once instead of after our deadline.
    """
    capturing = hasattr(gateway, "capture")
    if left is None or not capturing or verdict.outcome != Outcome.PENDING:
        return None
    ready = gateway.ready_to_capture(verdict)  # type: ignore[attr-defined]
    if ready or payment.capture_sent_at is not None:
        return None
    reason = f"the payer left the page ({left.value}), and nothing was taken"
    return replace(verdict, outcome=left, reason=reason, unless_captured=True)


def _captured(gateway: PaymentGateway, payment: Payment, verdict: Verdict) -> Verdict:
    """Take the money of a payment its payer confirmed: once, by whoever claims it first.

    The claim is stored before the call: from then on, whatever happens, we only ask.
    """
    capture = getattr(gateway, "capture", None)
    if capture is None:
        return verdict
    capturing: CapturingGateway = gateway  # type: ignore[assignment]
    if not capturing.ready_to_capture(verdict):
        return verdict
    claimed = Payment.objects.filter(pk=payment.pk, capture_sent_at=None, status__in=OPEN).update(
        capture_sent_at=timezone.now()
    )
    if not claimed:
        return verdict
    try:
        return kept("capture", lambda: capturing.capture(known(payment)), payment)
    except Declined as exc:
        return Verdict(Outcome.FAILED, reason=exc.message)
    except (Unavailable, Misconfigured):
        # Surely not sent: the right to send it is given back, or the payer's yes would expire.
        Payment.objects.filter(pk=payment.pk).update(capture_sent_at=None)
        raise


def _call_a_person(payment: Payment, *, now: datetime) -> None:
    """A carrier that does not confirm: no query call says more, its report to us does."""
    sent = payment.capture_sent_at
    if sent is None or sent > now - settings.CARRIER_PATIENCE:
        return
    message = (
        f"Payment {payment.reference}: the operator has not confirmed a charge that was sent at "
        f"{sent:%Y-%m-%d %H:%M} UTC. Look it up in the platform's report and record what it says."
    )
    with transaction.atomic():
        order = locked(payment.order_id)
        raise_alert(order, AlertKind.PAYMENT_UNCONFIRMED, message, now=now)


def _plan(payment: Payment, *, now: datetime) -> None:
    """Quick first, then slower; the plan is in the row."""
    waits = settings.VERIFY_WAITS
    wait = waits[min(payment.checks, len(waits) - 1)]
    Payment.objects.filter(pk=payment.pk, status__in=OPEN).update(
        checks=F("checks") + 1, next_check_at=now + timedelta(seconds=wait)
    )
