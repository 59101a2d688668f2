"""Buying one unit from a partner: stored, sent, recorded; never twice (D18, I8).

Each step that calls out runs with no transaction open; what it learns is written under the
order's lock, so that an operator who delivers at the same instant is seen.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.states import IDENTIFIERS
from core import correlation
from core.actors import Actor
from core.logging import get_logger
from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.states import check_arrow
from fulfillment.breaker import note_answer, note_silence
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer, VoucherPartner
from fulfillment.partners.registry import get_partner
from fulfillment.states import PURCHASE_ARROWS, UNDER_WAY, AttemptStatus, PurchaseStatus
from notifications.alerts import raise_alert, resolve_alerts
from notifications.states import AlertKind
from orders.models import OrderItem
from orders.services import locked
from vouchers.ciphers import Secret
from vouchers.models import Voucher
from vouchers.pool import NewCode
from vouchers.services import CodeTaken, store_issued, store_surplus
from vouchers.states import DELIVERED

log = get_logger(__name__)

#: What a partner may answer, or raise, when asked to sell or to look up.
Answer = IssuedCode | AtWork | None | ProviderError | Anomaly
CLOSED: Final = "CLOSED_BY_OPERATOR"
PERSONAL: Final = frozenset(IDENTIFIERS) - {"email"}


@dataclass(frozen=True, slots=True)
class Result:
    """How one unit stands after the partner was asked."""

    status: PurchaseStatus
    error: str = ""
    word: str = ""
    """The partner's own word for its refusal."""
    transient: bool = False
    """The same source may well sell a little later."""
    retry_after: float | None = None
    response: dict[str, Any] = field(default_factory=dict)


def open_purchase(
    attempt: FulfillmentAttempt, item: OrderItem, unit_no: int, source: PartnerSource
) -> PartnerTransaction | None:
    """Store the intent under its reference, as sent; None if the unit is not ours to buy now.

    From here on the unit counts as possibly bought, whatever happens to this process.
    """
    now = timezone.now()
    with transaction.atomic():
        order = locked(item.order_id)
        ours = FulfillmentAttempt.objects.filter(
            pk=attempt.pk, status=AttemptStatus.IN_PROGRESS, claimed_at=attempt.claimed_at
        )
        if not ours.exists() or _taken(item, unit_no):
            return None
        before = PartnerTransaction.objects.filter(item=item, unit_no=unit_no).count()
        ours.update(claimed_at=now)  # the lease is renewed at every unit bought
        attempt.claimed_at = now
        return PartnerTransaction.objects.create(
            item=item,
            unit_no=unit_no,
            source=source,
            partner=source.partner,  # type: ignore[misc] # an API source has one (CHECK)
            attempt=attempt,
            reference=f"{order.order_number}I{item.pk}U{unit_no}T{before + 1}",
            sent_at=now,
            created_at=now,
        )


def _taken(item: OrderItem, unit_no: int) -> bool:
    """Filled, paid back, or under way at a partner."""
    return (
        _refunded(item.pk, unit_no)
        or Voucher.objects.filter(order_item=item, unit_no=unit_no, status__in=DELIVERED).exists()
        or PartnerTransaction.objects.filter(
            item=item, unit_no=unit_no, status__in=UNDER_WAY
        ).exists()
    )


def buy(purchase: PartnerTransaction) -> Result:
    """Ask the partner to sell, and write down what came of it."""
    item, source = purchase.item, purchase.source
    offer = Offer(
        offer_id=source.external_offer_id,
        send_value=source.send_value,
        extra={"field_map": source.field_map, "divisor": source.send_divisor},
    )
    answer: Answer
    try:
        partner = _partner(source.partner.slug if source.partner else "")
        answer = partner.purchase(
            reference=purchase.reference, offer=offer, inputs=item.fulfillment_input
        )
    except (ProviderError, Anomaly) as exc:
        answer = exc
    return record(purchase.pk, answer, asked="purchase")


def _partner(slug: str) -> VoucherPartner:
    return get_partner(slug, answer_seconds=settings.PARTNER_ANSWER_SECONDS)


def follow(purchase: PartnerTransaction) -> Result:
    """Look a purchase up by our reference; send it again only if the partner never knew it."""
    answer: Answer
    try:
        answer = _partner(purchase.partner.slug).lookup(reference=purchase.reference)
    except (ProviderError, Anomaly) as exc:
        answer = exc
    if answer is None and _send_again(purchase):
        return buy(purchase)
    return record(purchase.pk, answer, asked="lookup")


def _send_again(purchase: PartnerTransaction) -> bool:
    """Claim the right to send the same reference again: unknown there after the window (D18)."""
    now = timezone.now()
    if purchase.sent_at > now - settings.PARTNER_UNKNOWN_WINDOW or _filled(purchase):
        return False
    return bool(
        PartnerTransaction.objects.filter(
            pk=purchase.pk, status=PurchaseStatus.UNKNOWN, sent_at=purchase.sent_at
        ).update(status=PurchaseStatus.SENT, sent_at=now, next_check_at=None)
    )


def _filled(purchase: PartnerTransaction) -> bool:
    """Whether the unit needs no code any more: it has one, or was paid back (D39, D42)."""
    return (
        _refunded(purchase.item_id, purchase.unit_no)
        or Voucher.objects.filter(
            order_item=purchase.item_id, unit_no=purchase.unit_no, status__in=DELIVERED
        ).exists()
    )


def _refunded(item_id: int, unit_no: int) -> bool:
    return OrderItem.objects.filter(pk=item_id, refunded_units__contains=[unit_no]).exists()


def record(purchase_id: int, answer: Answer, *, asked: str) -> Result:
    """Write the partner's answer down; an answer that came second changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        purchase = PartnerTransaction.objects.select_related("item__variant", "partner").get(
            pk=purchase_id
        )
        order = locked(purchase.item.order_id)
        purchase.refresh_from_db(fields=["status", "checks", "next_check_at"])
        if purchase.status not in UNDER_WAY:
            return Result(PurchaseStatus(purchase.status), purchase.error)
        result = _written(purchase, answer, asked=asked, now=now)
        if result.status not in UNDER_WAY:
            _wake_attempt(purchase, now=now)
        if asked == "purchase":
            _note_health(purchase, answer, now=now)
        if isinstance(answer, (Misconfigured, Anomaly)) or result.word == "code_taken":
            kind = (
                AlertKind.PARTNER_MISCONFIGURED
                if isinstance(answer, Misconfigured)
                else AlertKind.PARTNER_ANOMALY
            )
            raise_alert(order, kind, f"{purchase.partner}: {result.error}", now=now)
        if isinstance(answer, IssuedCode) and answer.remark:
            message = f"{purchase.partner}: {answer.remark}"
            raise_alert(order, AlertKind.PARTNER_ANOMALY, message, now=now)
    log.info(
        "fulfilment.partner.answered",
        outcome=result.status,
        partner=purchase.partner.slug,
        reference=purchase.reference,
        asked=asked,
        error=result.error,
    )
    return result


def _note_health(purchase: PartnerTransaction, answer: Answer, *, now: datetime) -> None:
    """What the circuit breaker learns; wrong credentials of ours say nothing of the partner."""
    if isinstance(answer, (Unavailable, OutcomeUnknown)):
        note_silence(purchase.partner, answer.message, now=now)
    elif not isinstance(answer, Misconfigured):
        note_answer(purchase.partner, now=now)


def close_by_hand(
    purchase: PartnerTransaction,
    issued: IssuedCode | None,
    *,
    reason: str,
    operator: Actor,
    now: datetime,
) -> None:
    """End an open purchase as the partner's people told (D39); part of the caller's transaction,
    which holds the order's lock.

    Raises:
        CodeTaken: we hold the code already.
    """
    purchase.closed_by_id, purchase.close_reason = operator.user_id, reason[:500]
    if issued is None:
        _save(purchase, Result(PurchaseStatus.FAILED, reason, CLOSED), now=now)
    elif _sold(purchase, issued, now=now).status != PurchaseStatus.SUCCEEDED:
        raise CodeTaken("We hold this code already.")
    _wake_attempt(purchase, now=now)
    note = (
        f"Purchase {purchase.reference} was closed by {operator.label}, fa:{correlation.current()}"
    )
    resolve_alerts(purchase.item.order, [AlertKind.PARTNER_ANOMALY], note=note, now=now)


def _wake_attempt(purchase: PartnerTransaction, *, now: datetime) -> None:
    """The attempt that waits for this answer is due at once."""
    FulfillmentAttempt.objects.filter(
        item=purchase.item_id, status=AttemptStatus.IN_PROGRESS, claimed_at=None
    ).update(next_try_at=now)


def _written(purchase: PartnerTransaction, answer: Answer, *, asked: str, now: datetime) -> Result:
    match answer:
        case IssuedCode():
            return _sold(purchase, answer, now=now)
        case AtWork(raw_status):
            result = Result(PurchaseStatus.PENDING, response={"status": raw_status})
        case Declined() | Misconfigured() if asked == "purchase" or isinstance(answer, Declined):
            result = Result(PurchaseStatus.FAILED, answer.message, answer.raw_code)
        case Unavailable() if asked == "purchase":
            result = Result(
                PurchaseStatus.FAILED,
                answer.message,
                answer.raw_code,
                transient=True,
                retry_after=answer.retry_after,
            )
        case Anomaly():
            return _held(purchase, answer.message, now=now)
        case None:
            result = Result(PurchaseStatus.UNKNOWN, "not known to the partner yet")
        case Unavailable() | OutcomeUnknown():
            result = Result(PurchaseStatus.UNKNOWN, answer.message, answer.raw_code)
        case ProviderError():
            result = Result(PurchaseStatus.UNKNOWN, answer.message, answer.raw_code)
    if purchase.status == PurchaseStatus.PENDING and isinstance(
        answer, Unavailable | Misconfigured
    ):
        # Asking failed; what we knew still holds.
        result = Result(PurchaseStatus.PENDING, answer.message)
    _save(purchase, result, now=now)
    return result


def _sold(purchase: PartnerTransaction, issued: IssuedCode, *, now: datetime) -> Result:
    """Keep what was bought: for its unit, or as surplus if somebody filled it meanwhile (D39)."""
    item = purchase.item
    code = NewCode(
        secret=Secret(issued.code, issued.pin, issued.redemption_url),
        serial_number=issued.serial_number,
        expires_at=issued.expires_at,
        partner_id=purchase.partner_id,
        metadata={"reference": purchase.reference},
    )
    try:
        if _filled(purchase):
            personal = bool(PERSONAL & set(item.fulfillment_input))
            voucher = store_surplus(item.variant, code, former_item=item, personal=personal)
            message = (
                f"{purchase.partner} delivered {purchase.reference} after the unit was filled "
                "or refunded."
            )
            raise_alert(item.order, AlertKind.SURPLUS_CODE, message, now=now)
        else:
            voucher = store_issued(item, purchase.unit_no, code, now=now)
    except CodeTaken:
        return _held(purchase, "delivered a code that we hold already", now=now, word="code_taken")
    purchase.voucher = voucher
    purchase.partner_transaction_id = issued.partner_transaction_id
    result = Result(PurchaseStatus.SUCCEEDED, response={"status": "DONE", **_cost(issued)})
    _save(purchase, result, now=now)
    return result


def _cost(issued: IssuedCode) -> dict[str, str]:
    if issued.cost is None:
        return {}
    return {"cost": str(issued.cost), "costCurrency": issued.cost_currency}


def _held(purchase: PartnerTransaction, why: str, *, now: datetime, word: str = "") -> Result:
    """Done without a code we can use: stays UNKNOWN without a plan, for a person (D39)."""
    result = Result(PurchaseStatus.UNKNOWN, why, word)
    _save(purchase, result, now=now)
    PartnerTransaction.objects.filter(pk=purchase.pk).update(next_check_at=None)
    return result


def _save(purchase: PartnerTransaction, result: Result, *, now: datetime) -> None:
    old = PurchaseStatus(purchase.status)
    if result.status != old:
        check_arrow(PURCHASE_ARROWS, old, result.status)
    under_way = result.status in UNDER_WAY
    purchase.status = result.status
    purchase.error = result.error[:500]
    purchase.response = {
        "offerId": purchase.source.external_offer_id,
        **({"status": result.word} if result.word else {}),
        **({"transient": True} if result.transient else {}),
        **result.response,
    }
    purchase.checks += 1
    purchase.next_check_at = now + _wait(purchase.checks) if under_way else None
    purchase.ended_at = None if under_way else now
    purchase.save()


def _wait(checks: int) -> timedelta:
    waits = settings.LOOKUP_WAITS
    return timedelta(seconds=waits[min(checks, len(waits)) - 1])
