"""Send a business mail of an order again, if its state allows it (seed ResendEmail; D22)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from core.actors import Actor
from core.errors import BadGateway, BadRequest, DomainError, Forbidden, RateLimited
from core.logging import get_logger
from notifications.eligibility import Case, definition_of, is_overtaken, refusal
from notifications.facts import MoneyFacts, PaymentFact
from notifications.kept import facts_for, payment_for
from notifications.models import EmailMessage
from notifications.selectors import email_policy, mails_of
from notifications.services.rows import create, plan
from notifications.states import ALTERNATIVE, EmailStatus, Template
from notifications.tasks import deliver_email
from orders.models import Order
from orders.services import locked, tell

log = get_logger(__name__)

DEFAULT_REASON: Final = "Resend requested by staff; no reason given"
HOUR: Final = timedelta(hours=1)
NOT_DISPATCHED: Final = "the request to send could not be handed over"


@dataclass(frozen=True, slots=True)
class EmailRequest:
    """What the caller asked for; everything else is derived from the order."""

    template: str
    to: str = ""
    payment_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resent:
    """What came of a request that was not refused."""

    message: EmailMessage | None
    note: str

    @property
    def accepted(self) -> bool:
        """Whether a mail was accepted for sending (202); A4 and A5 send none (200)."""
        return self.message is not None


def resend_email(
    order_id: int,
    request: EmailRequest,
    *,
    money: MoneyFacts,
    actor: Actor,
    may_override: bool,
    now: datetime,
) -> Resent:
    """Send one business mail of an order.

    The request is recorded first, in a transaction of its own: a refused one stays recorded.

    Raises:
        BadRequest: template not supported (A2), order not eligible (A3), payment not its own.
        Forbidden: another recipient without the right to name one.
        RateLimited: this order's mails were sent again too often within the last hour.
        BadGateway: the request to send could not be handed over; the row is FAILED (A6).
    """
    _record(order_id, request, actor=actor, now=now)
    try:
        with transaction.atomic():
            resent = _decide(order_id, request, money, actor, may_override=may_override, now=now)
    except DomainError as refused:
        _tell(order_id, "REFUSED", request, refused.message, actor=actor, now=now)
        raise
    if resent.message is not None:
        _hand_over(resent.message, request, actor=actor, now=now)
    return resent


def _record(order_id: int, request: EmailRequest, *, actor: Actor, now: datetime) -> None:
    _tell(order_id, "REQUESTED", request, request.reason or DEFAULT_REASON, actor=actor, now=now)
    log.info("mail.requested", order_id=order_id, template=request.template[:60])


@transaction.atomic
def _tell(
    order_id: int, new: str, request: EmailRequest, reason: str, *, actor: Actor, now: datetime
) -> None:
    detail: dict[str, Any] = {"template": request.template}
    detail |= {"to": request.to} if request.to else {}
    detail |= {"payment_id": request.payment_id} if request.payment_id else {}
    order = locked(order_id)
    tell(order, "mail", new=new, actor=actor, reason=reason, detail=detail, now=now)


def _decide(
    order_id: int,
    request: EmailRequest,
    money: MoneyFacts,
    actor: Actor,
    *,
    may_override: bool,
    now: datetime,
) -> Resent:
    """Steps 4 to 9 of the seed, under the order's lock."""
    order = locked(order_id)
    template = _supported(request.template)
    recipient = request.to or order.recipient_email
    if recipient.lower() != order.recipient_email.lower() and not may_override:
        raise Forbidden("You may send only to the order's own address.")
    named = _named_payment(request.payment_id, money)
    if template in ALTERNATIVE and not email_policy().non_recurring_communications:
        return Resent(None, "This store does not send this kind of e-mail; nothing was sent.")
    case = Case(order, money, list(mails_of(order).order_by("pk")), now)
    why = refusal(template, case)
    if why:
        raise BadRequest.at("template", why, code="not_eligible")
    if is_overtaken(template, case):
        _move_prebilling_forward(order, actor=actor, now=now)
        return Resent(None, "The offer needs no notice any more; prebilling was moved forward.")
    _check_pace(case)
    return Resent(_row(case, template, recipient, named, request), "E-mail accepted for sending")


def _check_pace(case: Case) -> None:
    """Copies of the last hour are counted under the order's lock: a customer's box is no toy."""
    copies = sorted(
        mail.created_at
        for mail in case.mails
        if mail.resend_of_id is not None and mail.created_at > case.now - HOUR
    )
    most = settings.MAIL_RESENDS_PER_HOUR
    if len(copies) >= most:
        free = copies[-most] + HOUR
        seconds = max(1, int((free - case.now).total_seconds()) + 1)
        message = f"Mails of this order were sent again {len(copies)} times within an hour."
        raise RateLimited(f"{message} Please wait.", retry_after=seconds)


def _supported(name: str) -> Template:
    try:
        return Template(name)
    except ValueError:
        offered = ", ".join(Template.values)
        message = f"This template can't be sent here. Supported: {offered}."
        raise BadRequest.at("template", message, code="unsupported") from None


def _named_payment(key: str, money: MoneyFacts) -> PaymentFact | None:
    if not key:
        return None
    payment = money.payment(key)
    if payment is None:
        raise BadRequest.at("paymentId", "This is no payment of the order.", code="not_found")
    return payment


def _move_prebilling_forward(order: Order, *, actor: Actor, now: datetime) -> None:
    """A5: no mail, and the workflow stands where a mail would have brought it."""
    order.prebilling_skipped_at = order.prebilling_skipped_at or now
    order.save(update_fields=["prebilling_skipped_at", "updated_at"])
    reason = "prebilling of the resume offer is not needed any more"
    tell(order, "mail", new="SKIPPED", actor=actor, reason=reason, now=now)


def _row(
    case: Case,
    template: Template,
    recipient: str,
    named: PaymentFact | None,
    request: EmailRequest,
) -> EmailMessage:
    """A new entry; but one that was never accepted is the same mail again (D13)."""
    order = case.order
    definition = definition_of(template, order)
    facts = facts_for(template, case, named)
    payment = named or payment_for(template, case)
    payment_ref = request.payment_id or (payment.reference if payment else "")
    earlier = [mail for mail in case.mails if mail.template == template]
    last = earlier[-1] if earlier else None
    if last is not None and last.status == EmailStatus.FAILED and last.recipient == recipient:
        last.definition, last.facts, last.payment_ref = definition, facts, payment_ref
        last.save(update_fields=["definition", "facts", "payment_ref"])
        return plan(last, recipient=recipient, automatic=True, now=case.now)
    return create(
        order,
        template,
        recipient=recipient,
        key="" if earlier else f"{order.pk}:{template}:asked",
        automatic=True,
        now=case.now,
        definition=definition,
        facts=facts,
        payment_ref=payment_ref,
        resend_of=last,
    )


def _hand_over(
    message: EmailMessage, request: EmailRequest, *, actor: Actor, now: datetime
) -> None:
    """Ask the worker; a broker that refuses is not left to the sweep here (A6)."""
    try:
        deliver_email.delay(message_id=message.pk)
    except Exception as exc:
        log.exception("mail.not_dispatched", mail=message.pk)
        failed = EmailMessage.objects.filter(pk=message.pk, status=EmailStatus.PENDING)
        if not failed.update(status=EmailStatus.FAILED, next_try_at=None, error=NOT_DISPATCHED):
            return  # the worker has it, whatever the broker answered
        _tell(message.order_id, "FAILED", request, NOT_DISPATCHED, actor=actor, now=now)
        raise BadGateway("The e-mail could not be handed over for sending; try again.") from exc
