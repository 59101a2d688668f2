"""The programmes' API: Ascenda's contract for fulfilment orders (seed Ascenda)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from catalog.models import Variant
from core.api.fields import number
from core.api.idempotency import idempotent_once_done
from core.api.parsers import BoundedJSONParser
from core.api.schema import in_path, paging
from core.limits import client_address
from core.money import CURRENCY
from loyalty import examples
from loyalty.door import TAG, VERSION, ContractView, ProgrammeView, answers, caller
from loyalty.engine import Membership
from loyalty.filters import LIMIT, SORTS, meta, narrowed_cards, narrowed_orders, page
from loyalty.models import LoyaltyProgram
from loyalty.refusals import TENANT_NOT_FOUND, ContractRefusal, not_found
from loyalty.selectors import (
    find_order_of_client,
    find_program,
    gift_cards,
    in_stock,
    orders_of_client,
    participating,
)
from loyalty.serializers import (
    CARD_LIST,
    MEMBERSHIP_ANSWER,
    ORDER_ANSWER,
    ORDER_LIST,
    PROGRAM_ANSWER,
    PROGRAM_LIST,
    CreateGiftCardOrderSerializer,
    CreateOrderSerializer,
    CreatePointsTransferSerializer,
    TokenAnswerSerializer,
    TokenRequestSerializer,
    ValidateMembershipSerializer,
    membership_of,
    order_data,
    program_data,
    token_data,
)
from loyalty.services import (
    Wish,
    WrongCredentials,
    create_fulfillment_order,
    issue_token,
    validate_membership,
)
from loyalty.states import ItemState, ItemType, Scope

MOMENT = "A time with its zone."
KEPT = "With an `Idempotency-Key` only what was done is kept: a refused request may come again."


def body_of(request: Request, shape: type[Serializer[Any]]) -> Any:
    read = shape(data=request.data)
    read.is_valid(raise_exception=True)
    return read


class TokenView(ContractView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (BoundedJSONParser, FormParser)

    @extend_schema(
        operation_id="createProgrammeToken",
        tags=[TAG],
        summary="Get a token for a programme's system",
        description="OAuth 2.0 client credentials, as JSON or as a form. The token goes into "
        "`Authorization: Bearer <token>`; it ends with the secret it was got with. Tries are "
        "limited per client and address.",
        request={"application/json": TokenRequestSerializer},
        responses=answers(TokenAnswerSerializer, 400, 401, 429),
        examples=[examples.TOKEN_REQUEST, examples.TOKEN, examples.NO_TOKEN],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, TokenRequestSerializer).validated_data
        try:
            grant = issue_token(
                body["client_id"],
                body["client_secret"],
                body.get("scope"),
                address=client_address(request),
            )
        except WrongCredentials:
            raise AuthenticationFailed("Wrong client id or secret.") from None
        return Response(token_data(grant))

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Basic realm="programme"'


class _Placing(ProgrammeView):
    """A POST that places an order of what the body says."""

    shape: ClassVar[type[Any]]
    scopes: ClassVar[Mapping[str, str]] = {"POST": Scope.ORDERS_WRITE}

    def placed(self, request: Request) -> Response:
        wish: Wish = body_of(request, self.shape).wish(request)
        client = caller(request)
        made = create_fulfillment_order(client, wish, now=timezone.now())
        found = find_order_of_client(client.pk, str(made.pk))
        return Response({"data": order_data(found or made)}, status=201)


class OrdersView(_Placing):
    shape = CreateOrderSerializer
    scopes: ClassVar[Mapping[str, str]] = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="listFulfillmentOrders",
        tags=[TAG],
        summary="List my fulfilment orders",
        description="The client's own orders, newest first; find one whose answer was lost by "
        "its `reference`. Needs `orders:read`. Reads only.",
        parameters=[
            VERSION,
            *paging(LIMIT),
            OpenApiParameter("reference", str, description="Your own id, letter by letter."),
            OpenApiParameter("user_id", str, description="UUID of a user."),
            OpenApiParameter("type", str, enum=ItemType.values, description="Of the item."),
            OpenApiParameter("status", str, enum=ItemState.values, description="Of the item."),
            OpenApiParameter("created_from", str, description=f"Placed then or later. {MOMENT}"),
            OpenApiParameter("created_to", str, description=f"Placed before. {MOMENT}"),
        ],
        responses=answers(ORDER_LIST, 400, 429, 500),
        examples=[examples.LIST, examples.WRONG_PAGE],
    )
    def get(self, request: Request) -> Response:
        rows = narrowed_orders(orders_of_client(caller(request).pk), request.query_params)
        found = page(rows, request.query_params)
        return Response({"data": [order_data(row) for row in found.rows], "meta": meta(found)})

    @extend_schema(
        operation_id="createFulfillmentOrder",
        tags=[TAG],
        summary="Place a fulfilment order",
        description="A gift card or a points transfer that the member has paid in points. "
        "`status` tells only that the request was taken; the outcome is "
        f"`order_items[].status`. Needs `orders:write`. {KEPT}",
        parameters=[VERSION],
        request=CreateOrderSerializer,
        responses=answers(ORDER_ANSWER, 400, 404, 409, 422, 429, 500, status=201),
        examples=[
            examples.GENERIC,
            examples.GENERIC_TRANSFER,
            examples.CREATED,
            examples.TRANSFER_CREATED,
            *examples.OF_ORDERS,
        ],
    )
    @idempotent_once_done
    def post(self, request: Request) -> Response:
        return self.placed(request)


class GiftCardOrdersView(_Placing):
    shape = CreateGiftCardOrderSerializer

    @extend_schema(
        operation_id="createGiftCardFulfillmentOrder",
        tags=[TAG],
        summary="Place an order for a gift card",
        description="The recipient gets the code by mail; no code is in any answer. "
        f"Needs `orders:write`. {KEPT}",
        parameters=[VERSION],
        request=CreateGiftCardOrderSerializer,
        responses=answers(ORDER_ANSWER, 400, 404, 409, 422, 429, 500, status=201),
        examples=[examples.CARDS, examples.CREATED, *examples.OF_CARDS],
    )
    @idempotent_once_done
    def post(self, request: Request) -> Response:
        return self.placed(request)


class PointsTransferOrdersView(_Placing):
    shape = CreatePointsTransferSerializer

    @extend_schema(
        operation_id="createPointsTransferFulfillmentOrder",
        tags=[TAG],
        summary="Credit points to a member",
        description="Credited by the programme's partner, mostly at once, sometimes in days: "
        f"watch `order_items[].status`. Needs `orders:write`. {KEPT}",
        parameters=[VERSION],
        request=CreatePointsTransferSerializer,
        responses=answers(ORDER_ANSWER, 400, 404, 409, 422, 429, 500, status=201),
        examples=[examples.POINTS, examples.TRANSFER_CREATED, *examples.OF_TRANSFERS],
    )
    @idempotent_once_done
    def post(self, request: Request) -> Response:
        return self.placed(request)


class OrderView(ProgrammeView):
    scopes: ClassVar[Mapping[str, str]] = {"GET": Scope.ORDERS_READ}

    @extend_schema(
        operation_id="getFulfillmentOrder",
        tags=[TAG],
        summary="Read one fulfilment order",
        description="One of the client's own orders, by the id of its answer. Needs "
        "`orders:read`. Reads only.",
        parameters=[VERSION, in_path("key", "Our id of the order, a UUID.")],
        responses=answers(ORDER_ANSWER, 404, 400, 429, 500),
        examples=[examples.ONE, examples.NO_ORDER],
    )
    def get(self, request: Request, key: str) -> Response:
        found = find_order_of_client(caller(request).pk, key)
        if found is None:
            raise not_found("Order not found.")
        return Response({"data": order_data(found)})


class GiftCardsView(ProgrammeView):
    scopes: ClassVar[Mapping[str, str]] = {"GET": Scope.CATALOGUE_READ}

    @extend_schema(
        operation_id="listGiftCards",
        tags=[TAG],
        summary="List the gift cards on offer",
        description="What the programme's members may order, by name. Needs `catalogue:read`. "
        "Reads only.",
        parameters=[
            VERSION,
            *paging(LIMIT),
            OpenApiParameter("sort", str, enum=list(SORTS), description="Default: by name."),
            OpenApiParameter("user_id", str, description="UUID of the user who looks."),
            OpenApiParameter("currency", str, description="`BDT`; any other has no cards."),
            OpenApiParameter("name", str, description="Words of the card's or product's name."),
            OpenApiParameter("categories", str, description="Slugs with commas between."),
        ],
        responses=answers(CARD_LIST, 400, 404, 429, 500),
        examples=[examples.CARD_LIST, examples.WRONG_PAGE, examples.NO_TENANT],
    )
    def get(self, request: Request) -> Response:
        program = caller(request).program
        if not program.is_active:
            raise ContractRefusal(TENANT_NOT_FOUND, "The programme is not active.")
        found = page(
            narrowed_cards(gift_cards(program), request.query_params)
            .select_related("product__brand")
            .prefetch_related("product__categories"),
            request.query_params,
        )
        stock = in_stock(found.rows, now=timezone.now())
        data = [card_data(row, in_stock=stock[row.pk]) for row in found.rows]
        return Response({"data": data, "meta": meta(found)})


def card_data(variant: Variant, *, in_stock: bool) -> dict[str, Any]:
    product = variant.product
    fields = product.fulfillment_config.get("fields", [])
    return {
        "id": variant.pk,
        "name": variant.name,
        "product": product.name,
        "brand": product.brand.name,
        "description": product.short_description,
        "currency": CURRENCY,
        "value": number(variant.price),
        "categories": [category.slug for category in product.categories.all()],
        "in_stock": in_stock,
        "inputs": [
            {
                "name": str(each["name"]),
                "label": str(each.get("label") or each["name"]),
                "required": bool(each.get("required")),
            }
            for each in fields
        ],
    }


class ProgramsView(ProgrammeView):
    scopes: ClassVar[Mapping[str, str]] = {"GET": Scope.CATALOGUE_READ}

    @extend_schema(
        operation_id="listLoyaltyPrograms",
        tags=[TAG],
        summary="List the programmes that take points",
        description="Programmes to whose members points can be credited. Needs "
        "`catalogue:read`. Reads only.",
        parameters=[VERSION, *paging(LIMIT)],
        responses=answers(PROGRAM_LIST, 400, 429, 500),
        examples=[examples.PROGRAMS, examples.WRONG_PAGE],
    )
    def get(self, request: Request) -> Response:
        found = page(participating(), request.query_params)
        return Response({"data": [program_data(row) for row in found.rows], "meta": meta(found)})


class ProgramView(ProgrammeView):
    scopes: ClassVar[Mapping[str, str]] = {"GET": Scope.CATALOGUE_READ}

    @extend_schema(
        operation_id="getLoyaltyProgram",
        tags=[TAG],
        summary="Read one programme",
        description="One of the programmes that take points, by its id. Needs "
        "`catalogue:read`. Reads only.",
        parameters=[VERSION, in_path("key", "Our id of the programme, a UUID.")],
        responses=answers(PROGRAM_ANSWER, 400, 404, 429, 500),
        examples=[examples.ONE_PROGRAM, examples.NO_PROGRAM],
    )
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002
        return Response({"data": program_data(_program(key))})


class ValidateMembershipView(ProgrammeView):
    scopes: ClassVar[Mapping[str, str]] = {"POST": Scope.MEMBERS_CHECK}

    @extend_schema(
        operation_id="validateMembership",
        tags=[TAG],
        summary="Ask whether a programme takes points for a member",
        description="By id and name, before the member orders; nothing is credited. Needs "
        "`members:check`.",
        parameters=[VERSION, in_path("key", "Our id of the programme, a UUID.")],
        request=ValidateMembershipSerializer,
        responses=answers(MEMBERSHIP_ANSWER, 400, 404, 422, 429, 500),
        examples=[examples.MEMBERSHIP, examples.VALID, *examples.OF_MEMBERS],
    )
    @idempotent_once_done
    def post(self, request: Request, key: str) -> Response:
        data = body_of(request, ValidateMembershipSerializer).validated_data
        program = _program(key)
        member: Membership | None = membership_of(data.get("membership"))
        member_id = validate_membership(program, member)
        valid = {"valid": True, "loyalty_program_id": str(program.pk), "membership_id": member_id}
        return Response({"data": valid})


def _program(key: str) -> LoyaltyProgram:
    found = find_program(key)
    if found is None:
        raise not_found("Loyalty program not found.")
    return found
