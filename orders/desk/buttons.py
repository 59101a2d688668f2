"""The buttons of the order's page: which make sense now, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from accounts.models import User
from orders.desk.cards import ItemCard
from orders.desk.causes import Cause
from orders.models import Order
from orders.states import UNPAID

if TYPE_CHECKING:
    from payments.models import Payment

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
        "codes": _right(reader, RECOVER) or _deliverable(order) or _no_codes(cards),
        "retry": _right(reader, RECOVER) or _deliverable(order) or _no_retry(cards),
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


def _deliverable(order: Order) -> str:
    refunded = "What was not delivered is refunded." if order.closed_by_refund else ""
    return _paid(order) or refunded


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
    owing = [card for card in cards if card.owed and not card.item.fulfilled]
    if not owing:
        if all(card.item.fulfilled for card in cards):
            return "Every code is delivered."
        return "Every code is saved; resend the e-mail."
    if all(card.worked_by for card in owing):
        who = owing[0].worked_by
        return f"{who[:1].upper()}{who[1:]} is working on it just now."
    return ""


def _no_retry(cards: Sequence[ItemCard]) -> str:
    if any(not card.no_retry for card in cards):
        return ""
    if all(card.item.fulfilled for card in cards):
        return "Every code is delivered."
    reasons = "; ".join(dict.fromkeys(card.no_retry for card in cards if not card.item.fulfilled))
    return f"{reasons[:1].upper()}{reasons[1:]}."


def _no_resend(cards: Sequence[ItemCard]) -> str:
    return "" if any(card.delivered for card in cards) else "No code is saved yet."
