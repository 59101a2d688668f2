"""Carrier billing's own page: a number, a password, consent; then the charge (contract page dcb).

bdapps wants a password of the merchant's own for a one-off charge; Applink sends one itself. A
payment keeps one number once a password of the operator is on its way: its first step is never
repeated (`E1337`), so another number is another try to pay.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import sms
from accounts.inputs import msisdn_of
from core.actors import SYSTEM, Actor
from core.db import durable
from core.errors import BadGateway, BadRequest, Conflict
from core.limits import count_and_check
from core.logging import get_logger
from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from notifications.alerts import raise_alert
from notifications.states import AlertKind
from orders.services import locked, tell
from payments.gateways.base import Outcome, Verdict
from payments.gateways.carriers.base import Begun, Carrier, WrongCode
from payments.gateways.registry import carrier_gateway
from payments.models import CarrierConsent, Payment
from payments.settlement import settle
from payments.states import OPEN, PaymentStatus
from payments.verification import known, verify
from payments.wording import PASSWORD_MESSAGE

log = get_logger(__name__)

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=5)
TRIES: Final = 3
"""Of one password; a payment has `CarrierConsent.MOST_PASSWORDS`."""
PER_NUMBER: Final = (6, timedelta(hours=1))
PER_ADDRESS: Final = (30, timedelta(minutes=15))


@durable
def send_password(payment_id: int, typed: str, *, address: str, now: datetime) -> None:
    """Let a password reach the number that is to be charged, by its operator or by us.

    Raises:
        BadRequest: no mobile number, or none of an operator we can charge.
        Conflict: nothing may be sent any more for this payment.
        RateLimited: too many passwords to this number or from this address.
        BadGateway: it could not be sent just now.
    """
    gateway = carrier_gateway(answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
    try:
        number = msisdn_of(typed.strip() or _number_before(payment_id))
        carrier = gateway.carrier_of(number)
    except (ValueError, Declined) as exc:
        raise BadRequest.at("number", "This number can't be charged.", code="number") from exc
    for scope, key, (limit, window) in (
        ("carrier-address", address, PER_ADDRESS),
        ("carrier-number", number, PER_NUMBER),
    ):
        count_and_check(scope, key, limit, window)
    if carrier.sends_password:
        _begin(payment_id, carrier, number, begin=gateway.begin, now=now)
    else:
        _send_ours(payment_id, carrier, number, now=now)


def _number_before(payment_id: int) -> str:
    """A new password without a number goes where the last one went."""
    row = CarrierConsent.objects.filter(payment=payment_id).first()
    return row.subscriber.removeprefix("tel:") if row else ""


def _claim(payment_id: int, carrier: Carrier, number: str, *, now: datetime) -> CarrierConsent:
    """The row in which one more password is written down; under the order's lock."""
    payment = _locked(payment_id)
    row, _ = CarrierConsent.objects.get_or_create(payment=payment, defaults={"created_at": now})
    if not row.may_send or payment.capture_sent_at or row.given_at:
        raise Conflict("No more codes can be sent for this payment. Please start a new one.")
    row.carrier, row.subscriber = carrier.slug, f"tel:{number}"
    row.operators_own = carrier.sends_password
    row.passwords += 1
    row.tries, row.expires_at, row.digest = 0, now + LIFETIME, b""
    return row


def _locked(payment_id: int) -> Payment:
    """
    Raises:
        Conflict: the payment is not waiting for its payer.
    """
    locked(Payment.objects.values_list("order_id", flat=True).get(pk=payment_id))
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status != PaymentStatus.PENDING:
        raise Conflict("This payment is closed.")
    return payment


def _send_ours(payment_id: int, carrier: Carrier, number: str, *, now: datetime) -> None:
    password = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    with transaction.atomic():
        row = _claim(payment_id, carrier, number, now=now)
        row.digest = _digest(row, password)
        row.save()
        order, amount = row.payment.order, row.payment.amount
    text = PASSWORD_MESSAGE[order.language].format(
        password=password, amount=amount, number=order.order_number
    )
    try:
        sms.get_sender().send(number, text)
    except ProviderError as exc:
        log.warning("carrier.password_not_sent", payment=payment_id, error=type(exc).__name__)
        raise BadGateway("The code could not be sent. Please try again.") from exc


def _begin(
    payment_id: int,
    carrier: Carrier,
    number: str,
    *,
    begin: Callable[..., Begun],
    now: datetime,
) -> None:
    """The operator's first step: written down, sent once, its answer written down."""
    with transaction.atomic():
        row = _claim(payment_id, carrier, number, now=now)
        row.save()
    try:
        begun = begin(known(row.payment), row.carrier, row.subscriber)
    except Declined as exc:
        no = Verdict(Outcome.FAILED, reason=exc.message)
        settle(payment_id=payment_id, verdict=no, actor=SYSTEM, now=timezone.now())
        raise Conflict("Your operator refused. Please choose another way to pay.") from exc
    except OutcomeUnknown as exc:  # a password may be on its way that we could never hand on
        message = "Your operator did not answer. Please start a new payment."
        raise BadGateway(message) from exc
    except (Unavailable, Misconfigured) as exc:  # surely not done: the same id may be sent again
        if isinstance(exc, Misconfigured):
            raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(exc), now=timezone.now())
        CarrierConsent.objects.filter(pk=row.pk, correlator="").update(
            passwords=0, operators_own=False
        )
        raise BadGateway("The code could not be sent. Please try again.") from exc
    CarrierConsent.objects.filter(pk=row.pk).update(
        correlator=begun.correlator, internal_id=begun.internal_id
    )


@durable
def confirm(payment_id: int, password: str, *, address: str, now: datetime) -> None:
    """The payer types the password: consent, and the charge.

    Raises:
        BadRequest: wrong, expired, or typed too often.
        Conflict: there is nothing to confirm.
        RateLimited: too many tries from this address.
        BadGateway: the operator could not be reached; nothing was charged.
    """
    limit, window = PER_ADDRESS
    count_and_check("carrier-address", address, limit, window)
    row = CarrierConsent.objects.filter(payment=payment_id).first()
    if row is None or not row.passwords:
        raise Conflict("Ask for a code first.")
    if row.operators_own:
        _hand_on(row, password, now=now)
    else:
        accept(payment_id, password, now=now)
        verify(payment_id, answer_seconds=settings.CUSTOMER_WAIT_SECONDS)


def accept(payment_id: int, password: str, *, now: datetime) -> None:
    """Consent by our own password. The charge follows by whoever verifies first.

    Raises:
        BadRequest, Conflict: see `confirm`.
    """
    with transaction.atomic():
        payment = _locked(payment_id)
        row = CarrierConsent.objects.select_for_update().get(payment=payment)
        if row.given_at or payment.capture_sent_at:
            raise Conflict("This payment is confirmed already.")
        live = row.tries < TRIES and row.expires_at is not None and row.expires_at > now
        row.tries += live
        right = live and constant_time_compare(_digest(row, password), bytes(row.digest))
        if right:
            _give(row, now=now)
        row.save()
    if not right:
        raise _wrong()


def _hand_on(row: CarrierConsent, password: str, *, now: datetime) -> None:
    """The operator checks it: claimed, sent once, given back only if it surely did nothing."""
    if not row.correlator:
        raise Conflict("Your operator did not answer. Please start a new payment.")
    gateway = carrier_gateway(answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
    claimed = Payment.objects.filter(
        pk=row.payment_id, capture_sent_at=None, status=PaymentStatus.PENDING
    ).update(capture_sent_at=now)
    if not claimed:
        raise Conflict("This payment is confirmed already.")
    try:
        verdict = gateway.capture(known(Payment.objects.get(pk=row.payment_id)), password)
    except (Unavailable, Misconfigured) as exc:
        Payment.objects.filter(pk=row.payment_id, status__in=OPEN).update(capture_sent_at=None)
        if isinstance(exc, WrongCode):
            raise _wrong() from exc
        if isinstance(exc, Misconfigured):
            raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(exc), now=timezone.now())
        raise BadGateway("Your operator could not be reached. Please try again.") from exc
    with transaction.atomic():
        locked(row.payment.order_id)
        if verdict.outcome is Outcome.AUTHORIZED:
            _give(row, now=now)
            row.save(update_fields=["given_at"])
        settle(payment_id=row.payment_id, verdict=verdict, actor=_payer(row), now=timezone.now())


def _give(row: CarrierConsent, *, now: datetime) -> None:
    row.given_at = now
    detail = {"transactionId": row.payment.reference, "carrier": row.carrier, "number": row.masked}
    reason = f"{row.masked} agreed to a charge of {row.payment.amount} BDT"
    tell(row.payment.order, "consent", actor=_payer(row), reason=reason, detail=detail, now=now)


def give_up(payment_id: int, *, now: datetime) -> None:
    """The payer leaves without paying.

    Raises:
        Conflict: a charge was sent already, or the payment is closed.
    """
    with transaction.atomic():
        payment = _locked(payment_id)
        row = CarrierConsent.objects.filter(payment=payment).first()
        if payment.capture_sent_at or (row and row.given_at):
            raise Conflict("This payment is confirmed already.")
        verdict = Verdict(Outcome.CANCELLED, reason="given up on the payment page")
        settle(payment_id=payment_id, verdict=verdict, actor=_customer(payment), now=now)


def _payer(row: CarrierConsent) -> Actor:
    return _customer(row.payment)


def _customer(payment: Payment) -> Actor:
    customer_id = payment.order.customer_id
    return Actor("customer", customer_id, f"customer:{customer_id}") if customer_id else SYSTEM


def _wrong() -> BadRequest:
    return BadRequest.at("password", "This code is wrong or no longer valid.", code="password")


def _digest(row: CarrierConsent, password: str) -> bytes:
    value = f"{row.payment_id}:{row.subscriber}:{password}"
    return salted_hmac("payments.carrier", value, algorithm="sha256").digest()
