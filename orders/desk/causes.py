"""What happened to an order, in plain words, and what to do about it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from orders.desk.cards import ItemCard
from orders.models import Order
from orders.selectors import DHAKA
from orders.states import OrderStatus

if TYPE_CHECKING:
    from fulfillment.models import FulfillmentAttempt
    from notifications.models import AdminAlert, EmailMessage


@dataclass(frozen=True, slots=True)
class Cause:
    tone: str
    title: str
    why: str = ""
    advice: str = ""
    action: str = ""
    """The button that helps: `codes`, `retry`, `resend`, `refund` or none."""


def cause_of(
    order: Order,
    cards: Sequence[ItemCard],
    attempts: Sequence["FulfillmentAttempt"],
    mails: Sequence["EmailMessage"],
    open_alerts: Sequence["AdminAlert"] = (),
) -> Cause:
    """`attempts` and `mails` come newest first."""
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
        return _money(open_alerts) or _calm(order, cards, mails)
    if not any(card.owed for card in cards):
        return _unmailed(mails)
    return _owing(cards, attempts)


def _owing(cards: Sequence[ItemCard], attempts: Sequence["FulfillmentAttempt"]) -> Cause:
    worked_by = next((card.worked_by for card in cards if card.owed and card.worked_by), "")
    if worked_by:
        return Cause(
            "info",
            _missing(cards),
            f"{worked_by[:1].upper()}{worked_by[1:]} is working on it just now.",
            "Wait a moment and load the page again.",
        )
    if any(card.under_way for card in cards):
        return _at_partner(cards)
    return _undelivered(cards, attempts)


def _missing(cards: Sequence[ItemCard]) -> str:
    owed, units = sum(card.owed for card in cards), sum(card.item.quantity for card in cards)
    verb = "is" if owed == 1 else "are"
    return (
        f"{owed} of {units} code{'s' if units > 1 else ''} {verb} missing. The customer has paid."
    )


def _unmailed(mails: Sequence["EmailMessage"]) -> Cause:
    voucher_mails = [mail for mail in mails if mail.template == "vouchers"]
    error = next((mail.error for mail in voucher_mails if mail.error), "")
    last = next(iter(voucher_mails), None)
    advice = "Resend the e-mail. The codes stay safe however often it fails."
    if last is not None and last.status == "PENDING" and last.automatic and last.next_try_at:
        advice += f" By itself it is sent again at {_clock(last.next_try_at)}."
    return Cause(
        "warn",
        "All codes are saved, but the customer has no e-mail.",
        error or "The mail server did not accept the message.",
        advice,
        "resend",
    )


def _at_partner(cards: Sequence[ItemCard]) -> Cause:
    at_partner = sum((card.under_way for card in cards), Counter())
    units = sum(card.item.quantity for card in cards)
    return Cause(
        "warn",
        f"{sum(at_partner.values())} of {units} codes: the partner may still deliver.",
        "The purchase was sent and its outcome is not known yet. It is looked up by itself "
        "under our own reference until it is known.",
        "Wait for the answer, or enter codes by hand. A retry would risk to buy twice.",
        "codes",
    )


def _undelivered(cards: Sequence[ItemCard], attempts: Sequence["FulfillmentAttempt"]) -> Cause:
    """Nobody is asked any more: a retry where it may help, else codes by hand."""
    owing = [card for card in cards if card.owed]
    why = _last_word(owing, attempts) or "The partner gave no code."
    again = min((a.next_try_at for a in attempts if _waits(a) and a.next_try_at), default=None)
    if again is not None:
        why += f" It is tried again by itself at {_clock(again)}."
    hopeless = [card for card in owing if card.no_chance]
    if not hopeless:
        from_pool = all(card.pool >= card.owed for card in owing)
        advice = (
            "Retry: our pool has the codes now."
            if from_pool
            else "Retry with the partner if its trouble is over; else enter codes you have by hand."
        )
        return Cause("bad", _missing(cards), why, advice, "retry")
    return Cause("bad", _missing(cards), why, *_by_hand(owing, hopeless))


def _by_hand(owing: Sequence[ItemCard], hopeless: Sequence[ItemCard]) -> tuple[str, str]:
    """Advice and button where a retry can't obtain everything."""
    reason = hopeless[0].no_chance
    whose = f"{hopeless[0].label}: " if len(owing) > 1 else ""
    told = f"{whose}{reason[:1] if whose else reason[:1].upper()}{reason[1:]}. "
    if all(card.sellers for card in hopeless):
        told += "Enter codes you have, or retry if you know that it is back. Else wait: the order "
        return f"{told}is served by itself once the partner answers again.", "codes"
    if any(each.partner_id for card in hopeless for each in card.sources):
        return f"{told}Enter codes you have, or retry with a source that you choose.", "codes"
    told += "Enter codes you have, or import them: the order is served by itself once they are "
    return f"{told}in the pool.", "codes"


def _last_word(owing: Sequence[ItemCard], attempts: Sequence["FulfillmentAttempt"]) -> str:
    """Why the newest attempt that ended gave nothing, with what the partner said of it."""
    items = {card.item.pk for card in owing}
    for attempt in attempts:
        if attempt.item_id not in items or not attempt.error_message:
            continue
        told = attempt.error_message.rstrip(".") + "."
        response = attempt.partner_response
        word, reason = str(response.get("status", "")), str(response.get("reason", ""))
        said = reason if word in reason else " ".join(filter(None, (word, reason)))
        if "offerId" in response and said and said not in attempt.error_message:
            told += f" The partner said: {said.rstrip('.')}."
        return told
    return ""


def _waits(attempt: "FulfillmentAttempt") -> bool:
    return attempt.status == "IN_PROGRESS" and attempt.claimed_at is None


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(DHAKA):%H:%M}"


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


def _calm(order: Order, cards: Sequence[ItemCard], mails: Sequence["EmailMessage"]) -> Cause:
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
    if status == OrderStatus.PENDING and any(card.under_way for card in cards):
        return Cause(
            "info",
            "Paid. A partner was asked, and its answer is not known yet.",
            "It is looked up by itself under our own reference. If it takes too long, the order "
            "turns up under “Needs attention”.",
        )
    words = {
        OrderStatus.SUCCEEDED: ("good", f"Delivered to {order.dispatched_email}."),
        OrderStatus.PENDING: ("info", "Paid and being delivered. Nothing to do."),
        OrderStatus.FAILED: ("quiet", "The payment failed. Nothing is owed."),
        OrderStatus.CANCELLED: ("quiet", "Cancelled before payment. Nothing is owed."),
    }
    return Cause(*words.get(status, ("info", "Waiting for the customer's payment. Nothing to do.")))
