"""The operators' queue by API: what waits, why, and since when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.envelope import ok
from core.api.fields import instant, number
from core.api.lists import MAX_LIMIT, once_each, whole
from core.api.schema import answers, paging
from core.errors import BadRequest
from fulfillment import examples
from fulfillment.queue import TABS, Wish, orders_wished, page_of_queue
from fulfillment.views import OperatorView
from orders.states import OrderStatus

DEFAULT_LIMIT: Final = 20
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
