"""Business mails: what a receipt, a notice or a reminder says, from the order and kept facts.

The shape is one (`templates/email/notice/`), the words of each are in `words/*.toml` under the
logical template's name. `rendered_mail` renders any mail, the voucher mail included.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.dateformat import format as format_date

from notifications.models import EmailMessage
from notifications.rendering import (
    Rendered,
    contents,
    digits,
    filled,
    house_facts,
    language_of,
    masked,
    render,
    spoken_words,
)
from notifications.states import VOUCHERS, Template
from orders.links import end_link, pay_link
from orders.models import OrderItem
from orders.states import PAYABLE

#: Customers read the time of their own country.
DHAKA: Final = ZoneInfo("Asia/Dhaka")
#: Mails that ask for money: with the link, as long as the order can be paid.
ASKING: Final = frozenset(
    {
        Template.PREBILLING,
        Template.NON_RECURRING_PREBILLING,
        Template.NON_RECURRING_PAYMENT_ATTEMPT,
        Template.OFFLINE_PAYMENT_PENDING,
    }
)
#: A customer reads lines in this order; each is shown where there is something to say.
LINES: Final = ("billing_at", "pay_until", "attempt", "paid_at", "refund", "method", "reference")


def rendered_mail(message: EmailMessage, *, mask_codes: bool = False) -> Rendered:
    """Any mail of an order as its customer gets it; for staff with its codes masked."""
    if message.template != VOUCHERS:
        return notice(message)
    codes, waiting = contents(message)
    return render(message, [masked(code) for code in codes] if mask_codes else codes, waiting)


def notice(message: EmailMessage) -> Rendered:
    """One business mail: title, what happened, the order, what to do."""
    language = language_of(message)
    items = list(OrderItem.objects.filter(order=message.order_id).order_by("position"))
    with translation.override(language):
        told = _told(message, items, language)
        spoken = spoken_words(language, {**house_facts(message), **told})
        words = spoken[message.template]
        methods = spoken["methods"]
        if told.get("method"):
            told["method"] = methods.get(told["method"], told["method"])
        labels = spoken["lines"]
        house = spoken["house"]
        context: dict[str, object] = {
            **house_facts(message),
            "language": language,
            "house": house,
            "words": words,
            "subject": words["subject"],
            "preheader": words["preheader"],
            "title": words["title"],
            "intro": _variant(words, "intro", message.definition),
            "note": _note(words, message),
            "tone": words.get("tone", "info"),
            "lines": [(labels[name], told[name]) for name in LINES if told.get(name)],
            "items": [_line(item, house, language) for item in items],
            "totals": _totals(message, labels, house, language),
            "link": _link(message),
            "button": words.get("button", ""),
            "end_link": _end_link(message),
            "closing": words.get("closing", ""),
        }
    return filled("notice", words["subject"], context, language)


def _told(message: EmailMessage, items: list[OrderItem], language: str) -> dict[str, str]:
    """The facts of this mail in words; what is not known is left out."""
    order, facts = message.order, message.facts
    template = message.template
    found: dict[str, str] = {
        "product": _products(items),
        "method": str(facts.get("method", "")),
        "reference": str(facts.get("reference", "")),
        "total": _money(order.total_amount, language),
        "refund": _money(Decimal(str(facts["refund"])), language) if "refund" in facts else "",
        "pay_until": "",
        "billing_at": "",
        "paid_at": "",
        "attempt": "",
    }
    asks = template in ASKING and order.status in PAYABLE
    if order.billing_at is not None:
        found["billing_at"] = _day(order.billing_at, language)
    if asks and order.billing_at is None:
        found["pay_until"] = _moment(order.pay_until, language)
    elif asks:
        found["pay_until"] = _day(order.pay_until, language)
    if template == Template.ORDERCONFIRMATION and order.paid_at is not None:
        found["paid_at"] = _moment(order.paid_at, language)
    if "attempt" in facts:
        found["attempt"] = digits(f"{facts['attempt']} / {facts['attempts']}", language)
    return found


def _products(items: list[OrderItem]) -> str:
    first = f"{items[0].product_name} {items[0].variant_name}" if items else ""
    return first if len(items) <= 1 else f"{first} (+{len(items) - 1})"


def _variant(words: Mapping[str, str], name: str, definition: str) -> str:
    """The most special wording there is for this concrete template."""
    for part in reversed(definition.split(".")):
        if f"{name}_{part}" in words:
            return words[f"{name}_{part}"]
    return words[name]


def _note(words: Mapping[str, str], message: EmailMessage) -> str:
    """The line in the box: why, or what to know; some mails have one for each kept `case`."""
    case = message.facts.get("case", "")
    return words.get(f"note_{case}", words.get("note", "")) if case else words.get("note", "")


def _line(item: OrderItem, house: Mapping[str, str], language: str) -> dict[str, Any]:
    count = digits(item.quantity, language)
    return {
        "product": item.product_name,
        "variant": item.variant_name,
        "count": house["times"].format(count=count, price=_money(item.unit_price, language)),
        "amount": _money(item.unit_price * item.quantity, language),
    }


def _totals(
    message: EmailMessage, labels: Mapping[str, str], house: Mapping[str, str], language: str
) -> list[tuple[str, str]]:
    order = message.order
    rows = []
    if order.discount_amount:
        rows.append((labels["subtotal"], _money(order.subtotal_amount, language)))
        rows.append((labels["discount"], f"−{_money(order.discount_amount, language)}"))  # noqa: RUF001
    rows.append((house["total"], _money(order.total_amount, language)))
    return rows


def _link(message: EmailMessage) -> str:
    """Where to pay; nowhere while a carrier is confirming, or when it is too late."""
    order = message.order
    asks = message.template in ASKING and message.facts.get("case") != "authorized"
    return pay_link(order) if asks and order.status in PAYABLE else ""


def _end_link(message: EmailMessage) -> str:
    """Where a subscription can be ended, in each mail that asks to pay for another period."""
    subscription_id = message.order.subscription_id
    asks = subscription_id is not None and message.template in ASKING
    return end_link(subscription_id) if subscription_id is not None and asks else ""


def _money(amount: Decimal, language: str) -> str:
    figure = digits(f"{amount:,.2f}", language)
    return f"৳{figure}" if language == "bn" else f"BDT {figure}"


def _day(moment: datetime, language: str) -> str:
    return digits(format_date(moment.astimezone(DHAKA), "j F Y"), language)


def _moment(moment: datetime, language: str) -> str:
    return digits(format_date(moment.astimezone(DHAKA), "j F Y, H:i"), language)
