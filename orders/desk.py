"""What the order page tells an operator: what happened, why, and which button helps.

Rows of the apps above come in from the page (a door may read them); nothing is read here. The
buttons' reasons say beforehand what the services would answer; the services stay the judge.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from accounts.models import User
from catalog.models import PartnerSource
from core.templatetags.shop import tone_of
from orders.forms import ResendForm, RetryForm
from orders.models import Order, OrderItem
from orders.states import UNPAID, ItemStatus, OrderStatus

if TYPE_CHECKING:
    from fulfillment.models import FulfillmentAttempt, PartnerHealth
    from fulfillment.selectors import Standing
    from notifications.models import AdminAlert, EmailMessage
    from payments.models import Payment
    from vouchers.selectors import UnitCode

RECOVER: Final = "fulfillment.recover_order"
RESEND: Final = "fulfillment.resend_codes"
RELEASE: Final = "orders.release_order"
CANCEL: Final = "orders.cancel_order"
HANDLE: Final = "notifications.change_adminalert"
REFUND: Final = "payments.refund_payment"
REPLACE: Final = "vouchers.replace_voucher"
REVEAL: Final = "vouchers.reveal_code"
VERIFY: Final = "payments.view_payment"
AUDIT: Final = "fulfillment.view_fulfillmentattempt"
OVERRIDE: Final = "fulfillment.override_recipient"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit of an item: filled, at work at a partner, or owed."""

    number: int
    state: str
    tone: str
    code: "UnitCode | None" = None
    purchase: str = ""
    """Our reference at the partner who may still deliver it."""


@dataclass(slots=True)
class ItemCard:
    item: OrderItem
    units: list[UnitRow]
    owed: int
    under_way: Counter[str]
    """State at the partner -> units."""
    worked_by: str = ""
    """Who holds a claim on the item just now."""
    sources: Sequence[PartnerSource] = field(default_factory=list)
    missing_units: Sequence[int] = ()
    """Units that a code is owed for."""

    @property
    def label(self) -> str:
        return f"{self.item.product_name} {self.item.variant_name}"

    @property
    def delivered(self) -> int:
        return self.item.quantity - self.owed - len(self.item.refunded_units)

    @property
    def state(self) -> tuple[str, str]:
        """Where the item stands, in words and a tone."""
        if self.item.fulfillment_status is not None:
            words = ItemStatus(self.item.fulfillment_status).label
            return words, tone_of(self.item.fulfillment_status)
        return ("Codes saved", "info") if not self.owed else ("Not delivered yet", "quiet")

    @property
    def no_retry(self) -> str:
        """Why the partner can't be asked again for this item; empty if it can."""
        if self.item.fulfilled:
            return "delivered already"
        if self.worked_by:
            return f"{self.worked_by} is working on it just now"
        if self.under_way:
            return "a purchase may still be delivered, nothing is bought twice"
        if not self.owed:
            return "its codes are saved, only the e-mail is missing"
        return ""


def cards_of(
    standings: Iterable["Standing"],
    codes: Iterable["UnitCode"],
    attempts: Iterable["FulfillmentAttempt"],
    sources: Mapping[int, Sequence[PartnerSource]],
    *,
    now: datetime,
) -> list[ItemCard]:
    held = {(code.item_id, code.unit_no): code for code in codes}
    claims = {
        each.item_id: str(each.admin_user or "the automatic delivery")
        for each in attempts
        if each.status == "IN_PROGRESS"
        and each.claimed_at is not None
        and each.claimed_at >= now - settings.ATTEMPT_LEASE
    }
    return [
        ItemCard(
            item=each.item,
            units=[_unit(each, unit, held) for unit in range(1, each.item.quantity + 1)],
            owed=len(each.owed),
            under_way=Counter(purchase.status for purchase in each.under_way.values()),
            worked_by=claims.get(each.item.pk, ""),
            sources=sources.get(each.item.variant_id, ()),
            missing_units=each.owed,
        )
        for each in standings
    ]


def _unit(standing: "Standing", unit: int, held: Mapping[tuple[int, int], "UnitCode"]) -> UnitRow:
    code = held.get((standing.item.pk, unit))
    if unit in standing.vouchers:
        return UnitRow(unit, "Saved" if not standing.item.fulfilled else "Delivered", "good", code)
    if unit in standing.refunded:
        state = "Refunded, code revoked" if code is not None and code.revoked else "Refunded"
        return UnitRow(unit, state, "quiet", code)
    purchase = standing.under_way.get(unit)
    if purchase is not None:
        tone = tone_of(purchase.status, "PartnerTransaction")
        return UnitRow(unit, purchase.get_status_display(), tone, code, purchase.reference)
    if code is not None:
        return UnitRow(unit, "Reserved", "info", code)
    lost = standing.item.fulfillment_status == ItemStatus.PARTNER_FAILED
    return UnitRow(unit, "No code", "bad" if lost else "quiet")


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened, in plain words, and what to do about it."""

    tone: str
    title: str
    why: str = ""
    advice: str = ""
    action: str = ""
    """The button that helps: `codes`, `retry`, `resend` or none."""


def cause_of(
    order: Order,
    cards: Sequence[ItemCard],
    attempts: Sequence["FulfillmentAttempt"],
    mails: Sequence["EmailMessage"],
    open_alerts: Sequence["AdminAlert"] = (),
) -> Cause:
    if order.closed_by_refund:
        return Cause("quiet", "Refunded. Nothing is owed any more.")
    if order.held_for_risk:
        return Cause(
            "warn",
            "Paid, but flagged as risky.",
            "The gateway marked this payment as risky, so nothing is delivered.",
            "Check the payer with the gateway, then release or refund the order.",
        )
    if order.status != OrderStatus.NEEDS_ATTENTION:
        return _money(open_alerts) or _calm(order, mails)
    owed = sum(card.owed for card in cards)
    units = sum(card.item.quantity for card in cards)
    if not owed:
        error = next((mail.error for mail in mails if mail.error), "")
        return Cause(
            "warn",
            "All codes are saved, but the customer has no e-mail.",
            error or "The mail server did not accept the message.",
            "Resend the e-mail. The codes stay safe however often it fails.",
            "resend",
        )
    open_at_partner = sum((card.under_way for card in cards), Counter())
    if open_at_partner:
        return Cause(
            "warn",
            f"{sum(open_at_partner.values())} of {units} codes: the partner may still deliver.",
            "The purchase was sent and its outcome is not known yet. It is looked up by itself "
            "under our own reference until it is known.",
            "Wait for the answer, or enter codes by hand. A retry would risk to buy twice.",
            "codes",
        )
    newest = {each.item_id: each.error_message for each in reversed(attempts)}
    why = next(
        (newest[card.item.pk] for card in cards if card.owed and newest.get(card.item.pk)), ""
    )
    return Cause(
        "bad",
        f"{owed} of {units} codes are missing. The customer has paid.",
        why or "The partner gave no code.",
        "Retry with the partner if its trouble is over; else enter codes you have by hand.",
        "retry" if any(not card.no_retry for card in cards) else "codes",
    )


#: Alerts about money, and what to do about them; the order itself may be delivered.
MONEY_ADVICE: Final = {
    "duplicate_payment": "Refund the payment that pays nothing; the other one stays.",
    "amount_mismatch": "Ask the gateway. Refund it, or wait for the gateway to correct itself.",
    "late_payment": "Look whether everything is delivered, then close the alert; else refund.",
    "payment_foreign": "Compare the payment with the gateway's panel; nothing was changed.",
    "payment_unconfirmed": "Look the id up in the carrier's report, then record what it says.",
    "refund_by_hand": "Pay the money back in the gateway's panel, then mark the refund as paid.",
    "refund_failed": "Open the payment to see why; refund again or by hand.",
    "refund_unclear": "Look in the gateway's panel whether it was paid, then write it down.",
}


def _money(alerts: Sequence["AdminAlert"]) -> Cause | None:
    """Money that needs a person, whatever became of the goods."""
    alert = next((each for each in alerts if each.kind in MONEY_ADVICE), None)
    if alert is None:
        return None
    title = f"{alert.get_kind_display()}."
    return Cause("warn", title, alert.message, MONEY_ADVICE[alert.kind], "refund")


def _calm(order: Order, mails: Sequence["EmailMessage"]) -> Cause:
    """Nothing for a person to do, but for a mail that came back."""
    status = OrderStatus(order.status)
    bounced = next((mail for mail in mails if mail.bounced_at), None)
    if status == OrderStatus.SUCCEEDED and bounced and bounced == mails[0]:
        return Cause(
            "warn",
            f"Delivered, but the mail to {bounced.recipient} came back.",
            "The mail server took the message, and the customer's refused it afterwards.",
            "Ask the customer for another address, then resend the e-mail there.",
            "resend",
        )
    words = {
        OrderStatus.SUCCEEDED: ("good", f"Delivered to {order.dispatched_email}."),
        OrderStatus.PENDING: ("info", "Paid and being delivered. Nothing to do."),
        OrderStatus.FAILED: ("quiet", "The payment failed. Nothing is owed."),
        OrderStatus.CANCELLED: ("quiet", "Cancelled before payment. Nothing is owed."),
    }
    return Cause(*words.get(status, ("info", "Waiting for the customer's payment. Nothing to do.")))


@dataclass(frozen=True, slots=True)
class Button:
    """Whether an action makes sense now, and if not, why; recommended or not."""

    why_not: str = ""
    recommended: bool = False

    @property
    def enabled(self) -> bool:
        return not self.why_not


def buttons_of(
    order: Order,
    cards: Sequence[ItemCard],
    cause: Cause,
    payments: Sequence["Payment"],
    *,
    reader: User,
) -> dict[str, Button]:
    reasons = {
        "codes": _right(reader, RECOVER) or _paid(order) or _no_codes(cards),
        "retry": _right(reader, RECOVER) or _paid(order) or _no_retry(cards),
        "release": _right(reader, RELEASE) or _no_release(order),
        "resend": _right(reader, RESEND) or _paid(order) or _no_resend(cards),
        "verify": _right(reader, VERIFY) or _no_verify(payments),
        "refund": _right(reader, REFUND) or _no_refund(payments),
        "cancel": _right(reader, CANCEL) or _no_cancel(order),
    }
    return {name: Button(why, cause.action == name and not why) for name, why in reasons.items()}


def _right(reader: User, right: str) -> str:
    return "" if reader.has_perm(right) else "Your account does not have the right to do this."


def _paid(order: Order) -> str:
    if order.paid_at is None:
        return "The order has no successful payment."
    return "The order is held as risky." if order.held_for_risk else ""


def _no_release(order: Order) -> str:
    if not order.held_for_risk:
        return "The order is not held."
    return "The order is refunded." if order.closed_by_refund else ""


def _no_verify(payments: Sequence["Payment"]) -> str:
    if any(payment.status != "SUCCEEDED" for payment in payments):
        return ""
    return "Every payment is confirmed." if payments else "Nobody has tried to pay."


def _no_refund(payments: Sequence["Payment"]) -> str:
    came = any(payment.received_amount for payment in payments)
    return "" if came else "No money came for this order."


def _no_cancel(order: Order) -> str:
    if order.status in UNPAID:
        return ""
    return "A paid order is refunded, not cancelled." if order.paid_at else "It is closed already."


def _no_codes(cards: Sequence[ItemCard]) -> str:
    if any(card.owed and not card.item.fulfilled for card in cards):
        return ""
    if all(card.item.fulfilled for card in cards):
        return "Every code is delivered."
    return "Every code is saved; resend the e-mail."


def _no_retry(cards: Sequence[ItemCard]) -> str:
    if any(not card.no_retry for card in cards):
        return ""
    if all(card.item.fulfilled for card in cards):
        return "Every code is delivered."
    reasons = dict.fromkeys(card.no_retry for card in cards if not card.item.fulfilled)
    return "; ".join(reasons).capitalize() + "."


def _no_resend(cards: Sequence[ItemCard]) -> str:
    return "" if any(card.delivered for card in cards) else "No code is saved yet."


def retry_form(
    items: list[tuple[Any, Any]], sources: Iterable[tuple[int, Any]], **kwargs: Any
) -> RetryForm:
    return RetryForm(items=items, sources=[(pk, str(words)) for pk, words in sources], **kwargs)


def source_choices(
    cards: Iterable[ItemCard],
    health: Mapping[int, "PartnerHealth"],
    stock: Mapping[int, int],
    *,
    now: datetime,
) -> list[tuple[int, str]]:
    """Each source an item may be bought from, with what speaks for or against it now."""
    choices = {}
    for card in cards:
        for source in card.sources:
            facts = [str(source)]
            if source.cost is not None:
                facts.append(f"cost {source.cost:,.2f}")
            if source.partner_id is None:
                facts.append(f"{stock.get(card.item.variant_id, 0)} in the pool")
            else:
                facts.append(_health_words(health.get(source.partner_id), now=now))
            if source.stock_cap is not None:
                facts.append(f"at most {source.stock_cap} a day")
            choices[source.pk] = " · ".join(facts)
    return list(choices.items())


def _health_words(health: "PartnerHealth | None", *, now: datetime) -> str:
    if health is None:
        return "not asked lately"
    words = {"closed": "answers", "open": "paused", "half_open": "next one is a probe"}
    told = words[health.state(now=now)]
    if health.balance is not None:
        told += f", balance {health.balance:,.2f} {health.balance_currency}"
    return told


def resend_form(order: Order, reader: User, **kwargs: Any) -> ResendForm:
    may_override = reader.has_perm(OVERRIDE)
    return ResendForm(own_address=order.recipient_email, may_override=may_override, **kwargs)
