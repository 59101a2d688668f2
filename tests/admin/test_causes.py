"""The banner of the order's page: for everything that can happen to an order, what it says and
which button it recommends (seed Fulfillment Recovery: codes by hand, retry, resend)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from catalog.models import Partner, PartnerSource
from fulfillment.breaker import note_silence
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import offered, paid_order, pool_of, stuck_order
from notifications.models import AdminAlert, EmailMessage
from notifications.tests.smtp import no_server
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


class World(NamedTuple):
    zendit: Any
    settings: Any


@pytest.fixture
def world(sign_in, zendit, settings):
    sign_in("owner")
    return World(zendit, settings)


def put(order: Order, **fields: Any) -> Order:
    Order.objects.filter(pk=order.pk).update(**fields)
    order.refresh_from_db()
    return order


def met(world: World, step: str, *, stuck: bool = True, **fields: Any) -> Order:
    """An order whose partner did this to it; by default it is looked at as stuck."""
    world.zendit.meets("A", step)
    order = paid_order((offered("A", **fields), 1))
    process(order_id=order.pk)
    return put(order, status="NEEDS_ATTENTION") if stuck else order


def delivered() -> Order:
    order = paid_order((pool_of("DONE-0001-0001"), 1))
    process(order_id=order.pk)
    order.refresh_from_db()
    return order


def codes_came_since(world: World) -> Order:
    order = paid_order((pool_of(), 2))
    process(order_id=order.pk)
    for _ in range(2):
        VoucherFactory(variant=order.items.get().variant)
    return order


def too_few_codes_came(world: World) -> Order:
    order = paid_order((pool_of(), 2))
    process(order_id=order.pk)
    VoucherFactory(variant=order.items.get().variant)
    return order


def partner_is_paused(world: World) -> Order:
    world.settings.BREAKER_FAILURES = 1
    order = met(world, "no_stock")
    note_silence(Partner.objects.get(), "no answer", now=timezone.now())
    return order


def too_dear(world: World) -> Order:
    order = met(world, "no_stock", max_cost=Decimal(10))
    PartnerSource.objects.update(cost=Decimal(11))
    return order


def one_of_two_is_sold_nowhere(world: World) -> Order:
    world.zendit.meets("A", "no_stock")
    order = paid_order((offered("A"), 1), (pool_of(product__name="Steam"), 1))
    process(order_id=order.pk)
    return order


def at_work(world: World) -> Order:
    order = stuck_order()
    FulfillmentAttempt.objects.create(
        order=order, item=order.items.get(), type="AUTO", correlation_id="x",
        created_at=timezone.now(), claimed_at=timezone.now(), next_try_at=timezone.now(),
    )  # fmt: skip
    return order


def tried_again_later(world: World) -> Order:
    order = met(world, "no_stock")
    FulfillmentAttempt.objects.filter(status="IN_PROGRESS").delete()
    FulfillmentAttempt.objects.create(
        order=order, item=order.items.get(), type="AUTO", correlation_id="x",
        created_at=timezone.now(), next_try_at=timezone.now() + timedelta(minutes=4),
    )  # fmt: skip
    return order


def unmailed(world: World) -> Order:
    order = paid_order((pool_of("SAVED-0001-0001"), 1))
    with no_server(world.settings):
        process(order_id=order.pk)
    order.refresh_from_db()
    return order


def came_back(world: World) -> Order:
    order = delivered()
    EmailMessage.objects.filter(order=order).update(bounced_at=timezone.now())
    return order


def alerted(kind: str) -> Callable[[World], Order]:
    def made(world: World) -> Order:
        order = delivered()
        AdminAlert.objects.create(
            order=order, kind=kind, message="Look at it.", created_at=timezone.now()
        )
        return order

    return made


def unpaid(status: str) -> Callable[[World], Order]:
    return lambda world: OrderItemFactory(order=OrderFactory(status=status)).order


#: What happened -> tone, words of the banner, the button that is recommended.
CAUSES: dict[str, tuple[Callable[[World], Order], str, list[str], str]] = {
    "sold by nobody": (
        lambda world: stuck_order(),
        "bad",
        ["1 of 1 code is missing", "No partner sells it", "served by itself once they are in the"],
        "codes",
    ),
    "partner has no stock": (
        lambda world: met(world, "no_stock"),
        "bad",
        ["No available fulfillment source", "The partner said: NO_STOCK The offer is sold out",
         "Retry with the partner if its trouble is over"],
        "retry",
    ),
    "rate limit": (lambda world: met(world, "busy"), "bad", ["429", "tried again by itself"],
                   "retry"),
    "credentials refused": (lambda world: met(world, "key_refused"), "bad", ["401"], "retry"),
    "partner is paused": (
        partner_is_paused, "bad",
        ["did not answer lately", "retry if you know that it is back", "answers again"], "codes",
    ),
    "every source is too dear": (
        too_dear, "bad", ["more than the price ceiling", "a source that you choose"], "codes",
    ),
    "codes were imported since": (
        codes_came_since, "bad", ["2 of 2 codes are missing", "our pool has the codes now"],
        "retry",
    ),
    "too few codes were imported": (
        too_few_codes_came, "bad", ["our pool has too few codes"], "codes",
    ),
    "one of two is sold nowhere": (
        one_of_two_is_sold_nowhere, "bad", ["2 of 2 codes are missing", "Steam", "no partner"],
        "codes",
    ),
    "somebody is at work": (
        at_work, "info", ["The automatic delivery is working on it just now", "Wait a moment"], "",
    ),
    "a next try is planned": (
        tried_again_later, "bad", ["It is tried again by itself at "], "retry",
    ),
    "no answer": (
        lambda world: met(world, "lost"), "warn",
        ["may still deliver", "A retry would risk to buy twice"], "codes",
    ),
    "accepted, at work": (
        lambda world: met(world, "accepted"), "warn", ["may still deliver"], "codes",
    ),
    "accepted a moment ago": (
        lambda world: met(world, "accepted", stuck=False), "info",
        ["its answer is not known yet"], "",
    ),
    "mail server is down": (
        unmailed, "warn",
        ["All codes are saved", "Resend the e-mail", "By itself it is sent again at "], "resend",
    ),
    "mail came back": (came_back, "warn", ["came back", "another address"], "resend"),
    "delivered": (lambda world: delivered(), "good", ["Delivered to "], ""),
    "risky": (
        lambda world: put(stuck_order(), held_for_risk=True), "warn",
        ["flagged as risky", "release or refund"], "",
    ),
    "refunded": (
        lambda world: put(stuck_order(), closed_by_refund=True), "quiet",
        ["Nothing is owed any more"], "",
    ),
    "paid late": (alerted("late_payment"), "warn", ["Look at it.", "close the alert"], "refund"),
    "paid twice": (alerted("duplicate_payment"), "warn", ["Refund the payment that"], "refund"),
    "wrong sum": (alerted("amount_mismatch"), "warn", ["Ask the gateway"], "refund"),
    "not paid": (unpaid("INITIATED"), "info", ["Waiting for the customer"], ""),
    "payment failed": (unpaid("FAILED"), "quiet", ["The payment failed"], ""),
    "cancelled": (unpaid("CANCELLED"), "quiet", ["Cancelled before payment"], ""),
}  # fmt: skip


@pytest.mark.parametrize("what", CAUSES)
def test_what_happened_and_what_helps(what, client, world):
    happened, tone, words, action = CAUSES[what]
    order = happened(world)
    context = client.get(f"/admin/orders/order/{order.pk}/change/").context
    cause, buttons = context["cause"], context["buttons"]
    told = f"{cause.title} {cause.why} {cause.advice}"
    assert [each for each in words if each not in told] == [], told
    assert (cause.tone, cause.action) == (tone, action)
    if action == "refund":  # there is no money to give back in these
        return
    assert [name for name, each in buttons.items() if each.recommended] == [action][: bool(action)]


@pytest.mark.parametrize(
    ("what", "button", "why"),
    [
        ("sold by nobody", "retry", "No partner sells it, and our pool is empty."),
        ("somebody is at work", "codes", "The automatic delivery is working on it just now."),
        ("no answer", "retry", "A purchase may still be delivered, nothing is bought twice."),
        ("mail server is down", "codes", "Every code is saved; resend the e-mail."),
        ("mail server is down", "retry", "Its codes are saved, only the e-mail is missing."),
        ("delivered", "retry", "Every code is delivered."),
        ("sold by nobody", "resend", "No code is saved yet."),
        ("risky", "codes", "The order is held as risky."),
        ("refunded", "codes", "What was not delivered is refunded."),
        ("refunded", "retry", "What was not delivered is refunded."),
        ("not paid", "resend", "The order has no successful payment."),
        ("not paid", "refund", "No money came for this order."),
    ],
)  # fmt: skip
def test_a_button_that_does_not_help_says_why(what, button, why, client, world):
    order = CAUSES[what][0](world)
    answer = client.get(f"/admin/orders/order/{order.pk}/change/")
    assert answer.context["buttons"][button].why_not == why
    assert why in answer.content.decode()
