"""I18: what the database lets through is what each `states.py` draws, arrow by arrow."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from catalog.tests.factories import SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.states import ATTEMPT_ARROWS, PURCHASE_ARROWS
from loyalty.states import TRANSFER_ARROWS
from loyalty.tests.factories import ClientFactory, transfer_of
from notifications.states import ARROWS as EMAIL_ARROWS
from notifications.tests.factories import EmailMessageFactory
from orders.states import (
    ARROWS as ORDER_ARROWS,
    ITEM_ARROWS,
    PAID,
    SUBSCRIPTION_ARROWS,
    UNPAID,
    OrderStatus,
)
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import Payment
from payments.states import ARROWS as PAYMENT_ARROWS
from tests.order_mails import subscription_of
from vouchers.models import Batch
from vouchers.states import ARROWS as VOUCHER_ARROWS, BATCH_ARROWS
from vouchers.tests.factories import VoucherFactory
from webhooks.states import ARROWS as WEBHOOK_ARROWS
from webhooks.tests.factories import DeliveryFactory

NOW = PAID_AT + timedelta(minutes=5)


class Orders:
    arrows, first, column = ORDER_ARROWS, "INITIATED", "status"

    def row(self, state):
        return OrderFactory(**self.columns(state))

    def columns(self, state):
        return {"status": state, "paid_at": PAID_AT if state in PAID else None}


class Items:
    arrows, first, column = ITEM_ARROWS, None, "fulfillment_status"

    def row(self, state):
        return OrderItemFactory(**self.columns(state))

    def columns(self, state):
        time = NOW if state == "SUCCEEDED" else None
        return {"fulfillment_status": state, "fulfilled_at": time}


class Vouchers:
    arrows, first, column = VOUCHER_ARROWS, "available", "status"

    def row(self, state):
        self.item = OrderItemFactory()
        return VoucherFactory(
            **{"order_item": None, "variant": self.item.variant, **self.columns(state)}
        )

    def columns(self, state):
        linked = state in ("reserved", "sold", "used")
        return {
            "status": state,
            "order_item": self.item if linked else None,
            "unit_no": 1 if linked else None,
            "reserved_until": NOW if state == "reserved" else None,
            "sold_at": NOW if state in ("sold", "used") else None,
        }


class Attempts:
    arrows, first, column = ATTEMPT_ARROWS, "IN_PROGRESS", "status"

    def row(self, state):
        item = OrderItemFactory()
        return FulfillmentAttempt.objects.create(
            order=item.order, item=item, type="AUTO", created_at=NOW, **self.columns(state)
        )

    def columns(self, state):
        return {"status": state, "ended_at": None if state == "IN_PROGRESS" else NOW}


class Purchases:
    arrows, first, column = PURCHASE_ARROWS, "SENT", "status"

    def row(self, state):
        attempt = Attempts().row("IN_PROGRESS")
        self.voucher = VoucherFactory(order_item=attempt.item)
        source = SourceFactory(variant=attempt.item.variant)
        return PartnerTransaction.objects.create(
            item=attempt.item, unit_no=1, source=source, partner=source.partner, attempt=attempt,
            reference=f"REF{attempt.pk}", sent_at=NOW, created_at=NOW, **self.columns(state),
        )  # fmt: skip

    def columns(self, state):
        return {"status": state, "voucher": self.voucher if state == "SUCCEEDED" else None}


class Emails:
    arrows, first, column = EMAIL_ARROWS, "PENDING", "status"

    def row(self, state):
        return EmailMessageFactory(**self.columns(state))

    def columns(self, state):
        return {"status": state, "sent_at": NOW if state == "SENT" else None}


class Subscriptions:
    arrows, first, column = SUBSCRIPTION_ARROWS, "ACTIVE", "status"

    def row(self, state):
        return subscription_of(status=state)

    def columns(self, state):
        return {"status": state}


class Transfers:
    arrows, first, column = TRANSFER_ARROWS, "QUEUED", "status"

    def row(self, state):
        return transfer_of(ClientFactory(), **self.columns(state)).transfer

    def columns(self, state):
        ended = state in ("SUCCEEDED", "FAILED", "CANCELLED")
        sent = state not in ("QUEUED", "CANCELLED")
        return {
            "status": state,
            "ended_at": NOW if ended else None,
            "sent_at": NOW if sent else None,
        }


class Payments:
    arrows, first, column = PAYMENT_ARROWS, "INITIATED", "status"

    def row(self, state):
        order = OrderFactory(paid=True)
        return Payment.objects.create(
            order=order, method="bkash", reference=f"BDV-{order.pk}", amount=500, created_at=NOW,
            **self.columns(state),
        )  # fmt: skip

    def columns(self, state):
        return {"status": state, "paid_at": NOW if state == "SUCCEEDED" else None}


class Batches:
    arrows, first, column = BATCH_ARROWS, "READING", "status"

    def row(self, state):
        return Batch.objects.create(variant=VariantFactory(), supplier="Acme", status=state)

    def columns(self, state):
        return {"status": state}


class Deliveries:
    arrows, first, column = WEBHOOK_ARROWS, "PENDING", "status"

    def row(self, state):
        return DeliveryFactory(**self.columns(state))

    def columns(self, state):
        return {
            "status": state,
            "next_try_at": NOW if state == "PENDING" else None,
            "claimed_at": None if state == "PENDING" else NOW,
            "delivered_at": NOW if state == "DELIVERED" else None,
        }


MACHINES = [
    Deliveries,
    Batches,
    Orders,
    Items,
    Vouchers,
    Attempts,
    Purchases,
    Emails,
    Payments,
    Subscriptions,
    Transfers,
]


def let_through(machine, old, new):
    row = machine.row(old)
    try:
        with transaction.atomic():
            assert type(row).objects.filter(pk=row.pk).update(**machine.columns(new)) == 1
    except IntegrityError as refusal:
        name = refusal.__cause__.diag.constraint_name
        assert name in {
            f"{row._meta.db_table}_{machine.column}_arrow",
            "fulfillment_attempts_final",
        }
        return False
    return True


@pytest.mark.django_db
@pytest.mark.parametrize("kind", MACHINES)
def test_the_database_lets_through_what_the_table_draws(kind):
    machine, found = kind(), set()
    states = list(machine.arrows)
    sid = transaction.savepoint()
    for old in states:
        found |= {(old, new) for new in states if new != old and let_through(machine, old, new)}
    transaction.savepoint_rollback(sid)  # rows made for one arrow keep no promise to their order
    drawn = {(old, new) for old, news in machine.arrows.items() for new in news if new != old}
    assert found == drawn


@pytest.mark.parametrize("kind", MACHINES)
def test_every_state_can_be_reached(kind):
    reached, new = {kind.first}, {kind.first}
    while new:
        new = {after for state in new for after in kind.arrows[state]} - reached
        reached |= new
    assert reached == set(kind.arrows)


def test_no_arrow_leads_out_of_paid():
    for state in PAID:
        assert ORDER_ARROWS[state] <= PAID
    assert ORDER_ARROWS[OrderStatus.SUCCEEDED] == frozenset()
    assert not PAID & UNPAID
