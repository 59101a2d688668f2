"""What a person records of a payment that no call can tell of."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from core.actors import Actor
from core.errors import BadRequest, Conflict, NotFound
from orders.services import locked
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.settlement import settle
from payments.states import CARRIER_METHOD, PaymentStatus


def record_carrier_report(
    reference: str,
    *,
    charged: bool,
    amount: Decimal | None,
    transaction_id: str,
    notes: str,
    operator: Actor,
    now: datetime,
) -> Payment:
    """Settle a charge that its operator never confirmed, by the platform's report.

    No query call exists for it (contract page dcb, "Behaviour under fault"). The report is
    settled like any verdict: a wrong sum is held, an id that paid something else changes nothing.

    Raises:
        NotFound: no such payment by carrier billing.
        BadRequest: no reason, or "charged" without sum and the platform's id.
        Conflict: it is decided, or its operator may still confirm by itself.
    """
    if not notes.strip():
        raise BadRequest.at("notes", "Say where the report was seen.")
    if charged and (amount is None or not transaction_id.strip()):
        raise BadRequest.at("transaction_id", "The report names the sum and the platform's id.")
    found = Payment.objects.filter(reference=reference, method=CARRIER_METHOD).first()
    if found is None:
        raise NotFound("There is no such payment by carrier billing.")
    reason = f"platform's report, entered by {operator.label}: {notes.strip()}"
    verdict = Verdict(Outcome.FAILED, reason=reason)
    if charged:
        verdict = Verdict(
            Outcome.PAID,
            amount=amount,
            gateway_transaction_id=transaction_id.strip()[:100],
            reason=reason,
            evidence={"report": notes.strip()[:500]},
        )
    with transaction.atomic():
        locked(found.order_id)
        payment = Payment.objects.select_for_update().get(pk=found.pk)
        if payment.status != PaymentStatus.AUTHORIZED:
            raise Conflict(f"{reference} is {payment.status}: nothing is to be recorded.")
        sent = payment.capture_sent_at
        if sent is None or sent > now - settings.CARRIER_PATIENCE:
            raise Conflict("The operator may still confirm it by itself.")
        settlement = settle(payment_id=payment.pk, verdict=verdict, actor=operator, now=now)
    if not settlement.changed:
        raise Conflict("That transaction id belongs to another payment.")
    return settlement.payment
