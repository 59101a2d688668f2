"""Placing a fulfilment order (seed Ascenda, *Create fulfillment order*)."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core import correlation
from core.actors import Actor
from core.db import after_commit
from core.errors import BadRequest, Conflict
from core.logging import get_logger
from loyalty.engine import Membership, judge, plain_id
from loyalty.models import (
    MEMBER_ID_LENGTH,
    FulfillmentOrder,
    LoyaltyClient,
    LoyaltyProgram,
    PointsAccount,
    PointsTransfer,
)
from loyalty.refusals import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_REQUIRED,
    INVALID_TYPE,
    MEMBER_INVALID,
    MEMBERSHIP_MISSING,
    RECIPIENT_REQUIRED,
    REFERENCE_EXISTS,
    REFERENCE_TAKEN,
    TYPE_NOT_ENABLED,
    USER_NOT_UUID,
    ContractRefusal,
    invalid,
    not_found,
)
from loyalty.selectors import accounts_of, find_program, gift_cards, uuid_of
from loyalty.states import ItemType
from loyalty.tasks import credit_points
from orders.models import Order
from orders.services import Buyer, Cart, Line, tell
from orders.states import POINTS_METHOD
from payments.services import accept_prepaid

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the gift card."""

    email: str = field(repr=False)
    name: str = field(default="", repr=False)
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Wish:
    """One order item and all that goes with it, as the client sent it."""

    reference: str
    item_type: str
    user_id: object
    points_account_id: str | None = None
    submitted_at: datetime | None = None
    gift_card_id: int | None = None
    quantity: int = 1
    fulfillment_input: Mapping[str, Any] = field(default_factory=dict)
    recipient: Recipient | None = None
    program_id: str | None = None
    amount: int | None = None
    membership: Membership | None = None
    request_key: str = ""
    request_digest: bytes = b""


def create_fulfillment_order(
    client: LoyaltyClient, wish: Wish, *, now: datetime
) -> FulfillmentOrder:
    """Place the order, once for ever under its reference.

    Twenty equal calls at once make one order: they wait for each other at the reference. A call
    that comes again with the `Idempotency-Key` of the first finds the order of the first, also
    when that one died before it could answer.

    Raises:
        ContractRefusal: by the contract's code; nothing is kept.
    """
    with transaction.atomic():
        _wait_for_reference(client, wish.reference)
        known = FulfillmentOrder.objects.filter(client=client, reference=wish.reference).first()
        if known is not None:
            if wish.request_key and (known.request_key, bytes(known.request_digest)) == (
                wish.request_key,
                wish.request_digest,
            ):
                return known
            raise ContractRefusal(REFERENCE_EXISTS, REFERENCE_TAKEN)
        made = _placed(client, wish, now=now)
    log.info("loyalty.order_placed", client=client.client_id, item=made.item_type)
    return made


def _wait_for_reference(client: LoyaltyClient, reference: str) -> None:
    """The unique constraint is the last guard; this keeps equal calls from taking stock in vain."""
    digest = hashlib.sha256(f"loyalty:{client.pk}:{reference}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _placed(client: LoyaltyClient, wish: Wish, *, now: datetime) -> FulfillmentOrder:
    if wish.item_type not in ItemType.values:
        raise invalid(INVALID_TYPE)
    if not client.program.is_active or wish.item_type not in client.program.item_types:
        raise invalid(TYPE_NOT_ENABLED)
    user_id = uuid_of(wish.user_id)
    if user_id is None:
        raise invalid(USER_NOT_UUID)
    row = FulfillmentOrder(
        client=client,
        reference=wish.reference,
        request_key=wish.request_key,
        request_digest=wish.request_digest,
        item_type=wish.item_type,
        user_id=user_id,
        submitted_at=wish.submitted_at,
        created_at=now,
    )
    if wish.item_type == ItemType.GIFT_CARD:
        return _gift_card(client, wish, row, now=now)
    return _points_transfer(client, wish, row, now=now)


def _account(client: LoyaltyClient, wish: Wish, user_id: uuid.UUID) -> PointsAccount | None:
    """The account that paid; a user we know none of pays from one we need not know."""
    accounts = accounts_of(client.program, user_id)
    if wish.points_account_id is not None:
        wanted = uuid_of(wish.points_account_id)
        found = next((each for each in accounts if each.pk == wanted), None)
        if found is None:
            raise invalid(ACCOUNT_NOT_FOUND.format(wish.points_account_id))
        return found
    if len(accounts) > 1:
        raise invalid(ACCOUNT_REQUIRED)
    return accounts[0] if accounts else None


def _gift_card(
    client: LoyaltyClient, wish: Wish, row: FulfillmentOrder, *, now: datetime
) -> FulfillmentOrder:
    recipient = wish.recipient
    if recipient is None:
        raise invalid(RECIPIENT_REQUIRED)
    row.points_account = _account(client, wish, row.user_id)
    offered = gift_cards(client.program)
    if wish.gift_card_id is None or not offered.filter(pk=wish.gift_card_id).exists():
        raise not_found("Gift card not found.")
    row.order = _paid_in_points(client, wish, recipient, wish.gift_card_id, now=now)
    row.recipient_name = recipient.name
    row.save(force_insert=True)
    return row


def _paid_in_points(
    client: LoyaltyClient, wish: Wish, recipient: Recipient, gift_card_id: int, *, now: datetime
) -> Order:
    """An order of the shop without an account (D47), fulfilled as any other."""
    line = Line(gift_card_id, wish.quantity, dict(wish.fulfillment_input))
    cart = Cart([line], POINTS_METHOD, recipient.email)
    buyer = Buyer(None, recipient.email, recipient.language)
    try:
        order = accept_prepaid(
            cart, buyer, reason=f"paid in points at {client.program.name}", now=now
        )
    except (BadRequest, Conflict) as exc:
        words = "; ".join(f"{each.field}: {each.message}" for each in exc.details)
        raise invalid(words or exc.message) from exc
    actor = Actor("client", None, f"client:{client.pk}")
    words = f"Fulfilment order {wish.reference} of {client.name} ({client.program.name})."
    tell(order, "note", actor=actor, reason=words, now=now)
    return order


def _points_transfer(
    client: LoyaltyClient, wish: Wish, row: FulfillmentOrder, *, now: datetime
) -> FulfillmentOrder:
    if wish.membership is None or not plain_id(wish.membership.member_id):
        raise invalid(MEMBERSHIP_MISSING)
    row.points_account = _account(client, wish, row.user_id)
    program = find_program(wish.program_id)
    if program is None:
        raise not_found("Loyalty program not found.")
    amount = _amount(program, wish.amount)
    if len(plain_id(wish.membership.member_id)) > MEMBER_ID_LENGTH:
        raise ContractRefusal(MEMBER_INVALID, "Member identifier is invalid.")
    objection = judge(program, wish.membership)
    if objection is not None:
        raise ContractRefusal(MEMBER_INVALID, objection.message)
    row.save(force_insert=True)
    transfer = PointsTransfer.objects.create(
        fulfillment=row,
        program=program,
        partner=program.partner,
        program_code=program.partner_program_code,
        reference=f"BDVP{row.pk.hex}",
        member_id=plain_id(wish.membership.member_id),
        first_name=wish.membership.first_name,
        last_name=wish.membership.last_name,
        amount=amount,
        next_check_at=now,
        correlation_id=correlation.current(),
        created_at=now,
    )
    after_commit(credit_points.delay, transfer_id=transfer.pk)
    return row


def _amount(program: LoyaltyProgram, amount: int | None) -> int:
    least, most = program.least_amount, program.most_amount or settings.LOYALTY_MOST_POINTS
    if amount is None or not least <= amount <= most:
        raise invalid(f"amount must be a whole number from {least} to {most}")
    return amount
