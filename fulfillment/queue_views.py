"""The operators' queue, and what stands beside it: open purchases and partners' health."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Partner
from core.actors import Actor
from core.api.envelope import ok
from core.api.fields import NoBody, instant, number
from core.api.idempotency import idempotent
from core.api.lists import MAX_LIMIT, once_each, whole
from core.api.schema import answers, in_path, paging
from core.errors import BadRequest, NotFound
from fulfillment import examples
from fulfillment.balances import check_balance, watched_partners
from fulfillment.breaker import reset
from fulfillment.models import PartnerHealth, PartnerTransaction
from fulfillment.queue import TABS, Wish, orders_wished, page_of_queue
from fulfillment.recovery import close_purchase
from fulfillment.selectors import purchases_of
from fulfillment.serializers import ClosePurchaseSerializer
from fulfillment.views import KEY, OperatorView
from orders.states import OrderStatus

DEFAULT_LIMIT: Final = 20
BREAKER_STATES: Final = ("closed", "open", "half_open")
PARTNER: Final = in_path("key", "The partner's `id`.")
LONGEST_SEARCH: Final = 200
#: Tabs are worked off from the oldest; the whole list is browsed from the newest.
OLDEST_FIRST: Final = frozenset(TABS) - {"all"}


class QueueItemSchema(serializers.Serializer[Any]):
    order_item_id = serializers.IntegerField()
    product = serializers.CharField()
    variant = serializers.CharField()
    quantity = serializers.IntegerField()
    fulfillment_status = serializers.CharField(allow_null=True)


class QueueAlertSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField()
    message = serializers.CharField()


class QueueCustomerSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    msisdn = serializers.CharField(allow_null=True)


class QueueOrderSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_number = serializers.CharField()
    status = serializers.CharField()
    payment_method = serializers.CharField()
    total_amount = serializers.FloatField()
    currency = serializers.CharField()
    recipient_email = serializers.CharField()
    customer = QueueCustomerSchema(allow_null=True)
    held_for_risk = serializers.BooleanField()
    items = QueueItemSchema(many=True)
    alerts = QueueAlertSchema(many=True)
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)


class QueuePageSchema(serializers.Serializer[Any]):
    items = QueueOrderSchema(many=True)
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Stops at 10000.")
    total_exact = serializers.BooleanField()
    total_pages = serializers.IntegerField()
    next_after = serializers.IntegerField(
        allow_null=True, help_text="Send it as `after` for the next page; null on the last one."
    )


def _parameter(name: str, description: str, kind: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, description=description, **more)


#: Further on one goes by `after`.
LAST_PAGE: Final = 500
QUEUE_PARAMETERS: Final = [
    _parameter("tab", "Which queue; `all` by default.", enum=sorted(TABS)),
    _parameter(
        "search",
        "Order number or one of our references, e-mail, mobile number, correlation id, a "
        "partner's transaction id, or the exact code.",
    ),
    _parameter("status", "One order status.", enum=sorted(OrderStatus)),
    _parameter("payment_method", "`bkash`, `paystation`, ..."),
    _parameter("partner", "Slug of a partner that was asked and has not delivered."),
    _parameter("cause", "Word of a failed attempt's `partner_response.status`: `NO_STOCK`."),
    _parameter("from", "Placed at or after this time (ISO 8601)."),
    _parameter("to", "Placed before this time (ISO 8601)."),
    *paging(DEFAULT_LIMIT, most=LAST_PAGE),
    _parameter("after", "`next_after` of the page before.", int),
]


@extend_schema(tags=["Recovery"])
class QueueView(OperatorView):
    required_permission = "orders.view_order"

    @extend_schema(
        operation_id="adminListOrders",
        summary="List orders, by what they need",
        description="The operators' queue. A tab lists its oldest orders first, `all` the newest. "
        "The search is exact: nothing is guessed, a code is found by its fingerprint.",
        parameters=QUEUE_PARAMETERS,
        responses=answers("AdminOrderList", QueuePageSchema(), 400),
        examples=examples.QUEUE,
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        once_each(params)
        wish = wish_of(params)
        limit = whole(params, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        number_of_page = whole(params, "page", default=1, least=1, most=LAST_PAGE)
        after = (
            whole(params, "after", default=0, least=1, most=2**62) if "after" in params else None
        )
        found = page_of_queue(
            orders_wished(wish),
            limit=limit,
            after=after,
            page=number_of_page,
            oldest_first=wish.tab in OLDEST_FIRST,
        )
        return ok(
            {
                "items": [queue_row(order) for order in found.rows],
                "page": number_of_page,
                "limit": limit,
                "total": found.total,
                "total_exact": found.total_exact,
                "total_pages": -(-found.total // limit),
                "next_after": found.next_after,
            }
        )


def wish_of(params: Mapping[str, str]) -> Wish:
    """The filters of a request.

    Raises:
        BadRequest: a value that can't be meant; `details` names the parameter.
    """
    return Wish(
        tab=_one_of(params, "tab", TABS) or "all",
        search=_bounded(params, "search"),
        status=_one_of(params, "status", list(OrderStatus)),
        payment_method=_bounded(params, "payment_method"),
        partner=_bounded(params, "partner"),
        cause=_bounded(params, "cause"),
        placed_from=_instant(params, "from"),
        placed_to=_instant(params, "to"),
    )


def _one_of(params: Mapping[str, str], name: str, allowed: Any) -> str:
    text = params.get(name, "")
    if name in params and text not in allowed:
        raise BadRequest.at(name, f"{name} must be one of {', '.join(sorted(allowed))}.")
    return text


def _bounded(params: Mapping[str, str], name: str) -> str:
    text = params.get(name, "").strip()
    if len(text) > LONGEST_SEARCH or "\x00" in text:
        raise BadRequest.at(name, f"{name} must be plain text of at most {LONGEST_SEARCH} signs.")
    return text


def _instant(params: Mapping[str, str], name: str) -> datetime | None:
    text = params.get(name)
    if text is None:
        return None
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRequest.at(name, f"{name} must be a time such as 2026-04-27T14:22:00Z.")
    return found


def queue_row(order: Any) -> dict[str, Any]:
    """One line of the queue; `open_alerts` was put on it with the page."""
    customer = order.customer
    return {
        "id": order.pk,
        "order_number": order.order_number,
        "status": order.status,
        "payment_method": order.payment_method,
        "total_amount": number(order.total_amount),
        "currency": order.currency,
        "recipient_email": order.recipient_email,
        "customer": customer
        and {"id": customer.pk, "name": customer.name, "msisdn": customer.msisdn},
        "held_for_risk": order.held_for_risk,
        "items": [
            {
                "order_item_id": item.pk,
                "product": item.product_name,
                "variant": item.variant_name,
                "quantity": item.quantity,
                "fulfillment_status": item.fulfillment_status,
            }
            for item in order.items.all()
        ],
        "alerts": [
            {"id": alert.pk, "type": alert.kind, "message": alert.message}
            for alert in order.open_alerts
        ],
        "created_at": instant(order.created_at),
        "paid_at": instant(order.paid_at),
    }


class PurchaseRowSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_item_id = serializers.IntegerField()
    unit_no = serializers.IntegerField()
    partner = serializers.CharField()
    offer = serializers.CharField()
    reference = serializers.CharField(help_text="What the partner knows it by.")
    partner_transaction_id = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    error = serializers.CharField(allow_null=True)
    sent_at = serializers.DateTimeField()
    checks = serializers.IntegerField(help_text="How often it was looked up.")
    next_check_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    close_reason = serializers.CharField(allow_null=True)


def purchase_data(purchase: PartnerTransaction) -> dict[str, Any]:
    return {
        "id": purchase.pk,
        "order_item_id": purchase.item_id,
        "unit_no": purchase.unit_no,
        "partner": purchase.partner.slug,
        "offer": purchase.source.external_offer_id,
        "reference": purchase.reference,
        "partner_transaction_id": purchase.partner_transaction_id or None,
        "status": purchase.status,
        "error": purchase.error or None,
        "sent_at": instant(purchase.sent_at),
        "checks": purchase.checks,
        "next_check_at": instant(purchase.next_check_at),
        "ended_at": instant(purchase.ended_at),
        "close_reason": purchase.close_reason or None,
    }


class PurchasesSchema(serializers.Serializer[Any]):
    items = PurchaseRowSchema(many=True)


@extend_schema(tags=["Recovery"])
class PurchasesView(OperatorView):
    required_permission = "fulfillment.view_partnertransaction"

    @extend_schema(
        operation_id="adminListPurchases",
        summary="List what was bought from partners for an order",
        description="One row for each unit and try, newest first; codes are not shown here.",
        parameters=[KEY],
        responses=answers("Purchases", PurchasesSchema()),
        examples=examples.PURCHASES,
    )
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002
        rows = purchases_of(self.order(key))
        return ok({"items": [purchase_data(each) for each in rows]})


@extend_schema(tags=["Recovery"])
class ClosePurchaseView(OperatorView):
    required_permission = "fulfillment.recover_order"

    @extend_schema(
        operation_id="adminClosePurchase",
        summary="Close an open purchase as the partner's people told",
        description="For a purchase that stays `UNKNOWN` or `PENDING`. `bought` needs the "
        "code, which is stored for its unit or as surplus; `not_bought` lets the unit be bought "
        "anew. Who, why and when are kept; the order goes on by itself.",
        parameters=[KEY, in_path("purchase", "The purchase's `id`.")],
        request=ClosePurchaseSerializer,
        responses=answers("ClosePurchase", PurchaseRowSchema()),
        examples=examples.CLOSE_PURCHASE,
    )
    @idempotent
    def post(self, request: Request, key: str, purchase: str) -> Response:
        form = ClosePurchaseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        closed = close_purchase(
            self.order(key).pk,
            int(purchase),
            bought=form.bought(),
            reason=form.validated_data["reason"],
            operator=Actor.of(self.operator),
            code=form.given(),
        )
        return ok(purchase_data(closed), f"Purchase {closed.reference} is closed.")


class PartnerSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=BREAKER_STATES)
    failures = serializers.IntegerField(help_text="Purchases in a row without a usable answer.")
    open_until = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    balance = serializers.FloatField(allow_null=True)
    balance_currency = serializers.CharField(allow_null=True)
    balance_at = serializers.DateTimeField(allow_null=True)


class PartnersSchema(serializers.Serializer[Any]):
    items = PartnerSchema(many=True)


def partner_data(partner: Partner, *, now: datetime) -> dict[str, Any]:
    """Circuit breaker and balance of one partner."""
    health: PartnerHealth = getattr(partner, "health", None) or PartnerHealth(partner=partner)
    return {
        "id": partner.pk,
        "slug": partner.slug,
        "name": partner.name,
        "state": health.state(now=now),
        "failures": health.failures,
        "open_until": instant(health.open_until),
        "last_error": health.last_error or None,
        "balance": number(health.balance),
        "balance_currency": health.balance_currency or None,
        "balance_at": instant(health.balance_at),
    }


@extend_schema(tags=["Partners"])
class PartnersView(OperatorView):
    required_permission = "catalog.view_partner"

    @extend_schema(
        operation_id="adminListPartners",
        summary="See how partners answer",
        description="For staff who may view partners. Circuit breaker and last known "
        "balance of each partner with an adapter.",
        responses=answers("Partners", PartnersSchema()),
        examples=examples.PARTNERS,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        now = timezone.now()
        return ok({"items": [partner_data(each, now=now) for each in watched_partners()]})


class _PartnerView(OperatorView):
    def partner(self, key: str) -> Partner:
        found = next((each for each in watched_partners() if each.pk == int(key)), None)
        if found is None:
            raise NotFound("There is no such partner.")
        return found


@extend_schema(tags=["Partners"])
class ResetPartnerView(_PartnerView):
    required_permission = "fulfillment.reset_breaker"

    @extend_schema(
        operation_id="adminResetPartner",
        summary="Let purchases through to a paused partner",
        description="Closes the circuit breaker; orders that wait for the partner are served, "
        "oldest first.",
        parameters=[PARTNER],
        request=None,
        responses=answers("ResetPartner", PartnerSchema()),
        examples=examples.RESET_PARTNER,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        now = timezone.now()
        reset(self.partner(key), operator=Actor.of(self.operator), now=now)
        return ok(partner_data(self.partner(key), now=now), "Purchases are let through again.")


@extend_schema(tags=["Partners"])
class CheckPartnerView(_PartnerView):
    required_permission = "fulfillment.reset_breaker"

    @extend_schema(
        operation_id="adminCheckPartner",
        summary="Check the connection to a partner",
        description="Asks for our balance: address and credentials are proven, nothing is bought.",
        parameters=[PARTNER],
        request=None,
        responses=answers("CheckPartner", PartnerSchema()),
        examples=examples.CHECK_PARTNER,
    )
    @idempotent
    def post(self, request: Request, key: str) -> Response:
        NoBody(data=request.data).is_valid(raise_exception=True)
        partner = self.partner(key)
        reached = check_balance(partner) is not None
        words = f"{partner} answers." if reached else f"{partner} could not be asked."
        return ok(partner_data(self.partner(key), now=timezone.now()), words, success=reached)
