"""An order's whole story in one line of time: money, partner, code, mail, alert, people.

Rows of the apps above come in from the page; nothing is read here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core.templatetags.shop import tone_of
from orders.models import OrderEvent
from orders.states import OrderStatus

if TYPE_CHECKING:
    from fulfillment.models import FulfillmentAttempt, PartnerTransaction
    from notifications.models import AdminAlert, EmailMessage
    from payments.models import GatewayExchange
    from vouchers.models import CodeReveal

KINDS: Final = {
    "status": "Order", "payment": "Money", "refund": "Money", "mail": "Mail", "note": "Note",
    "code": "Code", "purchase": "Partner",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    what: str
    """Order, Money, Partner, Code, Mail, Alert, Attempt or Note."""
    title: str
    text: str = ""
    who: str = ""
    correlation_id: str = ""
    tone: str = "quiet"


def operators_named(events: Iterable[OrderEvent]) -> set[int]:
    """Whose names the lines need: an event keeps its author as `operator:<id>`."""
    labels = (event.actor.partition(":") for event in events)
    return {int(pk) for _, _, pk in labels if pk.isdigit()}


def told_by(label: str, names: Mapping[int, str]) -> str:
    kind, _, pk = label.partition(":")
    name = names.get(int(pk)) if pk.isdigit() else None
    return f"{name} ({kind})" if name else "the shop itself" if kind == "system" else label


def event_lines(events: Iterable[OrderEvent], names: Mapping[int, str]) -> list[Line]:
    return [
        Line(
            event.at, KINDS.get(event.kind, event.kind.capitalize()), _title(event),
            event.reason, told_by(event.actor, names), event.correlation_id, tone_of(event.new),
        )
        for event in events
    ]  # fmt: skip


def _title(event: OrderEvent) -> str:
    if event.kind == "status":
        return str(OrderStatus(event.new).label) if event.new in OrderStatus else event.new
    if event.kind == "note":
        return "Note"
    detail = ", ".join(f"{name} {value}" for name, value in event.detail.items() if value)
    arrow = f"{event.old} → {event.new}" if event.old else event.new
    return " · ".join(part for part in (arrow, detail) if part) or event.kind.capitalize()


def attempt_lines(attempts: Iterable["FulfillmentAttempt"]) -> list[Line]:
    lines = []
    for each in attempts:
        who = str(each.admin_user) if each.admin_user else "the shop itself"
        words = f"{each.get_type_display()}: {each.get_status_display()}"
        text = " · ".join(part for part in (each.error_message, each.notes) if part)
        at = each.ended_at or each.created_at
        tone = tone_of(each.status)
        lines.append(Line(at, "Attempt", words, text, who, f"fa:{each.correlation_id}", tone))
    return lines


def purchase_lines(purchases: Iterable["PartnerTransaction"]) -> list[Line]:
    lines = []
    for each in purchases:
        title = f"{each.partner}, {each.reference}"
        lines.append(Line(each.sent_at, "Partner", f"Asked to sell: {title}", tone="info"))
        if each.ended_at:
            tone = tone_of(each.status, "PartnerTransaction")
            text = each.close_reason or each.error
            ended = f"{each.get_status_display()}: {title}"
            lines.append(Line(each.ended_at, "Partner", ended, text, tone=tone))
    return lines


def mail_lines(mails: Iterable["EmailMessage"]) -> list[Line]:
    lines = []
    for each in mails:
        title = f"To {each.recipient}: {each.get_status_display()}"
        lines.append(
            Line(each.sent_at or each.created_at, "Mail", title, each.error,
                 correlation_id=each.message_id, tone=tone_of(each.status))
        )  # fmt: skip
        for event in each.events.all():
            words = f"{event.get_kind_display()}, told by {event.provider}"
            bad = event.kind in ("bounced", "rejected", "complained")
            lines.append(Line(event.at, "Mail", words, event.reason, tone="bad" if bad else "good"))
    return lines


def alert_lines(alerts: Iterable["AdminAlert"]) -> list[Line]:
    lines = []
    for each in alerts:
        kind = each.get_kind_display()
        lines.append(
            Line(each.created_at, "Alert", f"{kind}: raised", each.message,
                 correlation_id=each.correlation_id, tone="warn")
        )  # fmt: skip
        if each.resolved_at:
            who = str(each.resolved_by) if each.resolved_by else "the shop itself"
            closed = f"{kind}: closed"
            lines.append(
                Line(each.resolved_at, "Alert", closed, each.resolution_notes, who, tone="good")
            )
    return lines


def exchange_lines(exchanges: Iterable["GatewayExchange"]) -> list[Line]:
    return [
        Line(
            each.last_at, "Money",
            f"{each.payment.method} asked to {each.asked.replace('_', ' ')}: {each.answer}"
            + (f" ({each.times} times)" if each.times > 1 else ""),
            each.reason, correlation_id=each.correlation_id,
        )
        for each in exchanges
    ]  # fmt: skip


def reveal_lines(reveals: Iterable["CodeReveal"]) -> list[Line]:
    return [
        Line(each.at, "Code", f"Code {each.voucher.mask} read in full", each.reason,
             str(each.user), each.correlation_id, "warn")
        for each in reveals
    ]  # fmt: skip


def newest_first(*lines: Iterable[Line]) -> list[Line]:
    return sorted((line for each in lines for line in each), key=lambda line: line.at, reverse=True)
