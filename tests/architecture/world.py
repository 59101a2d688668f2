"""One of everything, owned by `customer`; what the addresses in the table are filled with."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from accounts.tests.factories import UserFactory, bearer
from books.tests.factories import GapFactory, ReconciliationFactory
from catalog.tests.factories import PartnerFactory, SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction, RecoveryRun
from loyalty.tests.factories import ClientFactory, programme_bearer, transfer_of
from notifications.models import AdminAlert
from orders.models import DiscountCode, Order
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.models import Payment, Refund
from vouchers.models import Batch, Voucher
from vouchers.tests.factories import VoucherFactory
from webhooks.tests.factories import DeliveryFactory

STAFF = ("support", "operator", "finance", "owner")
ROLES = ("anonymous", "customer", "other", "programme", *STAFF)


def delivered_item(customer: Any) -> Any:
    """Of an order that succeeded; its voucher is made by whoever needs one."""
    order = OrderFactory(customer=customer, paid=True)
    item = OrderItemFactory(order=order, fulfillment_status="SUCCEEDED", fulfilled_at=PAID_AT)
    Order.objects.filter(pk=order.pk).update(
        status="SUCCEEDED", dispatched_email="a@b.example", email_sent_at=PAID_AT
    )
    return item


def batch() -> int:
    row = Batch.objects.create(variant=VariantFactory(), supplier="Acme", status="READY")
    return int(row.pk)


@dataclass
class World:
    """Made as far as an address asks for it."""

    people: dict[str, Any] = field(default_factory=dict)

    def person(self, role: str) -> Any:
        if role not in self.people:
            traits = {role: True} if role in STAFF else {}
            self.people[role] = UserFactory(**traits)
        return self.people[role]

    def header(self, role: str) -> dict[str, str]:
        if role == "programme":
            return programme_bearer(self.client)
        return {} if role == "anonymous" else bearer(self.person(role))

    def __getitem__(self, name: str) -> Any:
        """For `"orders/{unpaid}".format_map(world)`."""
        return getattr(self, name)

    @cached_property
    def client(self) -> Any:
        """A programme's system."""
        return ClientFactory()

    @cached_property
    def program(self) -> str:
        return str(self.client.program.pk)

    @cached_property
    def fulfillment(self) -> str:
        return str(transfer_of(self.client).pk)

    @cached_property
    def unpaid(self) -> int:
        order = OrderFactory(customer=self.person("customer"))
        OrderItemFactory(order=order)
        return int(order.pk)

    @cached_property
    def item(self) -> Any:
        """Sold and delivered, with its attempt."""
        item = delivered_item(self.person("customer"))
        order = item.order
        FulfillmentAttempt.objects.create(
            order=order, item=item, type="AUTO", status="SUCCESS", created_at=PAID_AT,
            ended_at=PAID_AT,
        )  # fmt: skip
        return item

    @cached_property
    def order(self) -> int:
        return int(self.item.order_id)

    @cached_property
    def voucher(self) -> int:
        made: Voucher = VoucherFactory(order_item=self.item)
        return int(made.pk)

    @cached_property
    def payment(self) -> str:
        return Payment.objects.create(
            order_id=self.unpaid, method="bkash", reference=f"BDV-{self.unpaid}-1", amount=500,
            status="FAILED", created_at=PAID_AT,
        ).reference  # fmt: skip

    @cached_property
    def received(self) -> int:
        """A payment whose money came, and that is being paid back by hand."""
        return int(self.refund.payment_id)

    @cached_property
    def refunding(self) -> int:
        return int(self.refund.pk)

    @cached_property
    def refund(self) -> Refund:
        order = OrderFactory(customer=self.person("customer"), paid=True)
        payment = Payment.objects.create(
            order=order, method="paystation", reference=f"BDV-{order.order_number}-1", amount=500,
            status="SUCCEEDED", paid_at=PAID_AT, received_amount=500, received_currency="BDT",
            created_at=PAID_AT,
        )  # fmt: skip
        return Refund.objects.create(
            payment=payment, reference=f"{payment.reference}-R1", amount=500, reason="why",
            by_hand=True, created_at=PAID_AT,
        )  # fmt: skip

    @cached_property
    def discount(self) -> int:
        kind = {"discount_type": "percentage", "discount_value": 20}
        code, _ = DiscountCode.objects.get_or_create(code="SAVE20", defaults=kind)
        return int(code.pk)

    @cached_property
    def variant(self) -> int:
        return int(VariantFactory(zendit=True).pk)

    @cached_property
    def purchase(self) -> int:
        """Open at a partner."""
        source = SourceFactory(variant=self.item.variant)
        row = PartnerTransaction.objects.create(
            item=self.item, unit_no=1, source=source, partner=source.partner, status="UNKNOWN",
            attempt=self.item.attempts.get(), reference=f"{self.order}I1U1T1", sent_at=PAID_AT,
            created_at=PAID_AT,
        )  # fmt: skip
        return int(row.pk)

    @cached_property
    def run(self) -> int:
        made = RecoveryRun.objects.create(
            action="partner_retry", created_by=self.person("operator"), created_at=PAID_AT
        )
        return int(made.pk)

    @cached_property
    def delivery(self) -> int:
        """Told to nobody in five tries."""
        return int(DeliveryFactory(dead=True).pk)

    @cached_property
    def partner(self) -> int:
        return int(PartnerFactory().pk)

    @cached_property
    def alert(self) -> int:
        row = AdminAlert.objects.create(
            order_id=self.order, kind="late_payment", message="late", correlation_id="x",
            created_at=PAID_AT,
        )  # fmt: skip
        return int(row.pk)

    @cached_property
    def batch(self) -> int:
        return batch()

    @cached_property
    def product(self) -> int:
        return int(VariantFactory(zendit=True).product_id)

    def compared(self) -> Any:
        """A run as `books.services.reconcile` leaves it."""
        return ReconciliationFactory(created_by=self.person("finance"))

    def missed(self) -> Any:
        return GapFactory(reconciliation_id=self.comparison)

    @cached_property
    def comparison(self) -> int:
        return int(self.compared().pk)

    @cached_property
    def gap(self) -> int:
        return int(self.missed().pk)
