"""What others may ask of payments: check out, pay, poll, cancel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.models import PartnerSource
from catalog.selectors import is_preloaded, sources_by_variant
from core.actors import Actor
from core.db import durable
from core.errors import BadRequest, Conflict, Detail, NotFound
from core.logging import get_logger
from core.money import CURRENCY
from core.providers import Misconfigured, OutcomeUnknown, ProviderError
from fulfillment.services import request_fulfilment
from notifications.alerts import raise_alert
from notifications.states import AlertKind
from orders.discounts import take_again
from orders.models import Order, OrderItem
from orders.selectors import find_order, ordered_today, orders_of
from orders.services import Buyer, Cart, advance, locked, place_order
from orders.states import POINTS_METHOD, OrderStatus
from payments.closing import close
from payments.exchanges import kept
from payments.gateways.base import Session, SessionRequest
from payments.gateways.registry import get_gateway
from payments.limits import check_amount
from payments.models import Payment
from payments.returning import check_return_url
from payments.selectors import open_payments, payment_of
from payments.states import CARRIER_METHOD, OPEN, PaymentStatus
from payments.telling import announce_payment
from payments.verification import verify
from vouchers.services import reserve

log = get_logger(__name__)

KEY_KEPT: Final = timedelta(hours=24)  # D24
SESSION_CREATED: Final = "Payment session created"
NO_PAGE: Final = "The payment page can't be opened just now, please try again."
NO_PAGE_YET: Final = "Order created; the payment page can't be opened just now, please try again."


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    order: Order
    payment: Payment | None
    """The session the customer is sent to; None if none was asked for or none could be opened."""
    message: str


def checkout(
    cart: Cart,
    buyer: Buyer,
    *,
    init_payment: bool,
    return_url: str = "",
    now: datetime,
    address: str = "",
) -> CheckoutResult:
    """Place an order, hold its stock, and open a payment session.

    Order, reservation and payment row are one transaction; the gateway is asked after it,
    and whatever it says, the order stands (D33).

    Args:
        address: the customer's, for gateways that ask for it.

    Raises:
        BadRequest, Conflict: see `place_order`, `reserve`; nothing is kept.
    """
    check_method(cart.payment_method, field="payment_method")
    check_return_url(return_url)
    if buyer.request_key is not None:
        old = now - KEY_KEPT
        Order.objects.filter(request_key=buyer.request_key, created_at__lt=old).update(
            request_key=None
        )
        known = Order.objects.filter(request_key=buyer.request_key).first()
        if known is not None:
            return CheckoutResult(known, _latest(known), "Order created")
    order, payment = placed(cart, buyer, init_payment=init_payment, return_url=return_url, now=now)
    if payment is None or payment.status == PaymentStatus.SUCCEEDED:
        return CheckoutResult(order, payment, "Order created")
    opened = _opened(payment, address)
    return CheckoutResult(order, opened, SESSION_CREATED if opened else NO_PAGE_YET)


@transaction.atomic
def placed(
    cart: Cart, buyer: Buyer, *, init_payment: bool, return_url: str = "", now: datetime
) -> tuple[Order, Payment | None]:
    """Order, reservation and payment row, all or nothing; no gateway is asked yet."""
    order, items = place_order(cart, buyer, now=now)
    check_amount(cart.payment_method, order.total_amount, field="payment_method")
    hold_stock(order, items, now=now)
    if order.total_amount == 0:
        reason = "paid in full by discount"
        return order, _pay_by_ourselves(order, "discount", reason=reason, now=now)
    if not init_payment:
        return order, None
    return order, start_payment(
        order, cart.payment_method, return_url=return_url, now=now, number=1
    )


def check_method(method: str, *, field: str) -> None:
    if method not in settings.PAYMENT_METHODS:
        offered = ", ".join(settings.PAYMENT_METHODS)
        raise BadRequest.at(field, f"Choose one of: {offered}.", code="invalid_choice")


def hold_stock(order: Order, items: Sequence[OrderItem], *, now: datetime) -> None:
    """Pool codes are held row by row; a partner's daily cap is counted (D14)."""
    sources = sources_by_variant(item.variant_id for item in items)
    from_pool = [item for item in items if is_preloaded(sources.get(item.variant_id, ()))]
    capped = {
        source.variant_id: source
        for each in sources.values()
        if not is_preloaded(each) and (source := each[0]).stock_cap is not None
    }
    if capped:
        _check_caps(items, capped, now=now)
    if from_pool:
        reserve(from_pool, until=order.pay_until, now=now)


def _check_caps(
    items: Sequence[OrderItem], capped: Mapping[int, PartnerSource], *, now: datetime
) -> None:
    """The cap's row lock lets one order count at a time; this order's own units are counted in."""
    ids = sorted(source.pk for source in capped.values())
    list(PartnerSource.objects.filter(pk__in=ids).select_for_update().order_by("pk"))
    today = ordered_today(capped, now=now)
    short = []
    for item in items:
        source = capped.get(item.variant_id)
        if source is None or source.stock_cap is None:
            continue
        over = today.get(item.variant_id, 0) - source.stock_cap
        if over > 0:
            message = f"Only {max(0, item.quantity - over)} of {item.quantity} left today."
            short.append(Detail(f"items.{item.position}.quantity", "out_of_stock", message))
    if short:
        raise Conflict("Not enough stock.", details=short)


def start_payment(
    order: Order,
    method: str,
    *,
    now: datetime,
    description: str = "",
    return_url: str = "",
    number: int | None = None,
) -> Payment:
    """Write down one try to pay, under our reference; part of the caller's transaction."""
    if number is None:
        number = Payment.objects.filter(order=order).count() + 1
    return Payment.objects.create(
        order=order,
        method=method,
        reference=f"BDV-{order.order_number}-{number}",
        amount=order.total_amount,
        description=description or f"Order #{order.order_number}",
        return_url=return_url,
        next_check_at=now + settings.PAYMENT_LEASE,
        created_at=now,
    )


def accept_prepaid(cart: Cart, buyer: Buyer, *, reason: str, now: datetime) -> Order:
    """Place an order that its buyer has paid elsewhere, in points; part of the caller's
    transaction (D47).

    A SUCCEEDED payment of method `points` is written with it, so every guard of a paid order
    holds, and it is fulfilled as any other.

    Raises:
        BadRequest, Conflict: see `place_order`, `reserve`; nothing is kept.
    """
    order, items = place_order(cart, buyer, now=now)
    hold_stock(order, items, now=now)
    _pay_by_ourselves(order, POINTS_METHOD, reason=reason, now=now)
    return order


def _pay_by_ourselves(order: Order, method: str, *, reason: str, now: datetime) -> Payment:
    """A SUCCEEDED payment that no gateway was asked for, then fulfilment as always (D31, D47)."""
    payment = Payment.objects.create(
        order=order,
        method=method,
        status=PaymentStatus.SUCCEEDED,
        reference=f"BDV-{order.order_number}-1",
        amount=order.total_amount,
        effective=True,
        paid_at=now,
        created_at=now,
    )
    announce_payment(order, payment, now=now)
    advance(order, OrderStatus.PENDING, actor=Actor(kind="system"), reason=reason, now=now)
    request_fulfilment(order, now=now)
    return payment


def _opened(payment: Payment, address: str) -> Payment | None:
    """Open the session; a gateway that is down leaves a good order without one (D33)."""
    try:
        session = open_session(payment, address)
    except ProviderError as exc:
        _not_opened(payment, exc)
        return None
    Payment.objects.filter(pk=payment.pk, status=PaymentStatus.INITIATED).update(
        status=PaymentStatus.PENDING,
        redirect_url=session.redirect_url,
        gateway_reference=session.gateway_reference,
        next_check_at=timezone.now() + settings.PAYMENT_LEASE,
    )
    payment.refresh_from_db()
    return payment


@durable
def open_session(payment: Payment, address: str = "") -> Session:
    """Ask the gateway for a page to pay on, within a customer's patience (D50)."""
    order = payment.order
    customer = order.customer
    gateway = get_gateway(payment.method, answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
    request = SessionRequest(
        reference=payment.reference,
        amount=payment.amount,
        description=payment.description,
        callback_url=f"{settings.PUBLIC_BASE_URL}/api/v1/payments/{payment.method}/callback",
        customer_name=customer.name if customer else "",
        customer_email=order.recipient_email,
        customer_msisdn=(customer.msisdn or "") if customer else "",
        notice_url=f"{settings.PUBLIC_BASE_URL}/api/v1/payments/{payment.method}/ipn",
        customer_address=address,
    )
    return kept("open", lambda: gateway.open_session(request), payment)


def _not_opened(payment: Payment, exc: ProviderError) -> None:
    """A session that could not be opened never moves the order (D43).

    Where the request may have arrived (OutcomeUnknown), the row stays INITIATED and the sweep
    asks the gateway: somebody may yet pay on a page we never learned of.
    """
    log.warning("payment.session_failed", payment=payment.reference, error=exc.message)
    if isinstance(exc, Misconfigured):
        raise_alert(None, AlertKind.PARTNER_MISCONFIGURED, str(exc), now=timezone.now())
    if not isinstance(exc, OutcomeUnknown):
        Payment.objects.filter(pk=payment.pk, status=PaymentStatus.INITIATED).update(
            status=PaymentStatus.FAILED, reason=exc.message[:300], next_check_at=None
        )


def initiate_payment(
    customer_id: int,
    order_key: str,
    *,
    method: str | None,
    amount: Decimal | None,
    currency: str | None,
    description: str,
    return_url: str = "",
    now: datetime,
    address: str = "",
) -> CheckoutResult:
    """Another try to pay (D32, D43).

    Raises:
        NotFound: no such order of this customer.
        BadRequest: amount, currency or method is not the order's.
        Conflict: the order can't be paid any more, or its stock is gone.
    """
    found = find_order(orders_of(customer_id), order_key)
    if found is None:
        raise NotFound("There is no such order.")
    with transaction.atomic():
        order = locked(found.pk)
        if amount is not None and amount != order.total_amount:
            raise BadRequest.at("amount", f"The order's total is {order.total_amount} BDT.")
        if currency is not None and currency != CURRENCY:
            raise BadRequest.at("currency", f"The order is in {CURRENCY}.")
        check_method(method or order.payment_method, field="method")
        check_return_url(return_url)
        if order.status == OrderStatus.FAILED:
            _reopen(order, actor=Actor("customer", customer_id, f"customer:{customer_id}"), now=now)
        elif order.status != OrderStatus.INITIATED:
            raise Conflict(f"Order {order.order_number} can't be paid: it is {order.status}.")
        sent = Q(status__in=OPEN, method=CARRIER_METHOD, capture_sent_at__isnull=False)
        if Payment.objects.filter(sent, order=order).exists():
            raise Conflict("Your operator is still confirming a payment of this order.")
        check_amount(method or order.payment_method, order.total_amount, field="method")
        payment = start_payment(
            order,
            method or order.payment_method,
            description=description,
            return_url=return_url,
            now=now,
        )
    opened = _opened(payment, address)
    return CheckoutResult(order, opened, SESSION_CREATED if opened else NO_PAGE)


def _reopen(order: Order, *, actor: Actor, now: datetime) -> None:
    """A FAILED order takes stock and discount again, at the price it was placed at (D43)."""
    order.pay_until = max(order.pay_until, now + settings.PAYMENT_DEADLINE)
    order.save(update_fields=["pay_until", "updated_at"])
    advance(order, OrderStatus.INITIATED, actor=actor, reason="another try to pay", now=now)
    take_again(order, strictly=True)
    hold_stock(order, list(order.items.all()), now=now)


def payment_status(customer_id: int, reference: str, *, now: datetime) -> Payment:
    """A customer's poll; asks the gateway when that is due.

    Raises:
        NotFound: no such payment of this customer.
    """
    payment = payment_of(customer_id, reference)
    if payment is None:
        raise NotFound("There is no such payment.")
    due = payment.next_check_at is not None and payment.next_check_at <= now
    if payment.status in OPEN and due:
        verify(payment.pk, answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
        payment.refresh_from_db()
    return payment


def cancel_by_staff(order_id: int, *, operator: Actor, reason: str, now: datetime) -> None:
    """An operator gives an unpaid order up; each gateway is asked a last time before.

    Raises:
        BadRequest: no reason.
        Conflict: it is paid, or closed already, or a payment is just being decided.
    """
    if not reason.strip():
        raise BadRequest.at("notes", "Say why the order is cancelled.", code="required")
    for payment in open_payments(order_id):
        if not verify(payment.pk, actor=operator).answered:
            raise Conflict("A payment of this order is still being checked; try again shortly.")
    if not close(order_id, actor=operator, reason=reason.strip(), now=now):
        raise Conflict("The order can't be cancelled any more.")


def cancel_by_customer(customer_id: int, order_key: str, *, now: datetime) -> Order:
    """The customer gives an unpaid order up; each gateway is asked a last time before.

    Raises:
        NotFound: no such order of this customer.
        Conflict: it is paid, or closed already, or a payment is just being decided.
    """
    order = find_order(orders_of(customer_id), order_key)
    if order is None:
        raise NotFound("There is no such order.")
    for payment in open_payments(order.pk):
        if not verify(payment.pk, answer_seconds=settings.CUSTOMER_WAIT_SECONDS).answered:
            raise Conflict("A payment of this order is still being checked; try again shortly.")
    actor = Actor("customer", customer_id, f"customer:{customer_id}")
    if not close(order.pk, actor=actor, reason="cancelled by the customer", now=now):
        raise Conflict(f"Order {order.order_number} can't be cancelled any more.")
    order.refresh_from_db()
    return order


def _latest(order: Order) -> Payment | None:
    return Payment.objects.filter(order=order).exclude(redirect_url="").last()


def session_data(payment: Payment | None) -> dict[str, str | None] | None:
    """A payment session as clients see it."""
    if payment is None:
        return None
    return {
        "transactionId": payment.reference,
        "status": payment.status,
        "method": payment.method,
        "paymentGatewayUrl": payment.redirect_url or None,
    }
