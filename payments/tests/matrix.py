"""Gateway x misbehaviour: what comes of each, told once, with the real simulator on the wire.

A gateway's test subclasses `GatewayMatrix` and says how its simulator is brought to each
misbehaviour. What must come of it is written here, in payments and orders: nobody who paid is
told "failed", nothing unpaid is delivered. A cell that a provider can't have names the line of
the reference that says so. `pytest payments/tests -k Matrix` prints the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from fulfillment.models import FulfillmentAttempt
from fulfillment.partners.tests.simulator import ANSWER_SECONDS, Simulator
from notifications.models import AdminAlert
from orders.models import Order
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.gateways.tests.contract import GARBAGE
from payments.models import GatewayCallback, Payment
from payments.selectors import due_payments
from payments.services import initiate_payment
from payments.tasks import close_order
from payments.verification import verify

MISBEHAVIOURS: Final[Mapping[str, str]] = {
    "declined": "the payer is refused",
    "cancelled": "the payer gives up",
    "pending": "undecided for a while, then paid",
    "authorised_then_confirmed": "authorised, later confirmed",
    "authorised_then_refused": "authorised, later refused",
    "verify_timeout": "our question gets no answer",
    "verify_500": "our question gets a 500",
    "wrong_amount": "another sum was paid",
    "wrong_currency": "another currency was paid",
    "wrong_merchant": "the answer is another merchant's",
    "wrong_reference": "the answer is about another payment",
    "never_calls_back": "paid, and no notice comes",
    "calls_back_5_times": "the same notice five times",
    "late": "paid after the order was closed",
    "forged_callback": "a notice that nothing stands behind",
    "expired_token": "our token is over",
    "html": "a page in place of JSON",
    "cut_before": "the connection is cut before the money moves",
    "cut_after": "the connection is cut after the money moved",
}


@dataclass(frozen=True, slots=True)
class Never:
    """Why a provider cannot have a cell: page and line of the reference."""

    page: str
    line: str


class GatewayMatrix:
    """Subclass with the provider's words; each cell is one test."""

    slug: ClassVar[str]
    #: The simulator's operation that answers our question.
    asks: ClassVar[str] = "status"
    #: The operation in which money moves by our own call; empty: on the provider's page.
    moves: ClassVar[str] = ""
    #: Cell -> wish to the simulator (`operation`, `fault`, options) that brings it about.
    faults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    #: Cell -> why there is none.
    never: ClassVar[Mapping[str, Never]] = {}
    #: Cell -> what comes of it where it differs: (payment, order).
    ends: ClassVar[Mapping[str, tuple[str, str]]] = {}
    #: The order's total.
    amount: ClassVar[str] = "500.00"

    simulator: Simulator
    settings: Any

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "misbehaviour" in metafunc.fixturenames:
            metafunc.parametrize("misbehaviour", MISBEHAVIOURS)

    # What a subclass has to say.

    def connect(self, simulator: Simulator, settings: Any) -> None:
        """Point the adapter's settings to the simulator."""
        raise NotImplementedError

    def press(self, payment: Payment, action: str = "pay") -> None:
        """What the payer does on the page: pay, fail or cancel."""
        raise NotImplementedError

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        """What the provider sends of a paid payment: `query`, `body`, `content_type`, `path`."""
        raise NotImplementedError

    def forged(self) -> list[dict[str, Any]]:
        """The same for a payment that does not exist."""
        raise NotImplementedError

    def expire_token(self) -> None:
        raise NotImplementedError

    def authorise(self, payment: Payment) -> None:
        raise NotImplementedError

    def confirm(self, payment: Payment) -> None:
        raise NotImplementedError

    def refuse(self, payment: Payment) -> None:
        raise NotImplementedError

    # The cells.

    @pytest.mark.django_db
    def test_matrix(
        self, simulator: Simulator, settings: Any, misbehaviour: str, record_property: Any
    ) -> None:
        never = self.never.get(misbehaviour)
        record_property("matrix", [misbehaviour, self.slug, f"none: {never.page}" if never else ""])
        if never is not None:
            assert never.line
            assert misbehaviour not in self.faults
            return
        settings.PAYMENT_METHODS = [self.slug]
        settings.CUSTOMER_WAIT_SECONDS = ANSWER_SECONDS
        self.simulator, self.settings = simulator, settings
        simulator.reset(self.slug)
        cache.clear()  # tokens of the simulator as it was
        self.connect(simulator, settings)
        cell: Callable[[], None] = getattr(self, f"cell_{misbehaviour}")
        cell()

    def cell_declined(self) -> None:
        payment = self.opened()
        self.press(payment, "fail")
        self.notify(payment)
        self.closed_unpaid(payment)

    def cell_cancelled(self) -> None:
        payment = self.opened()
        self.press(payment, "cancel")
        self.notify(payment)
        self.closed_unpaid(payment)

    def cell_pending(self) -> None:
        payment = self.opened()
        self.notify(payment)
        self.is_open(payment)
        self.press(payment)
        self.swept(payment)
        self.is_paid(payment)

    def cell_authorised_then_confirmed(self) -> None:
        payment = self.opened()
        self.authorise(payment)
        self.swept(payment)
        assert self.state(payment) == ("AUTHORIZED", "CARRIER_AUTHORIZED")
        self.confirm(payment)
        self.notify(payment)
        self.swept(payment)
        self.is_paid(payment)

    def cell_authorised_then_refused(self) -> None:
        payment = self.opened()
        self.authorise(payment)
        self.swept(payment)
        assert self.state(payment) == ("AUTHORIZED", "CARRIER_AUTHORIZED")
        self.refuse(payment)
        self.notify(payment)
        self.swept(payment)
        assert self.state(payment) == ("FAILED", "FAILED")
        self.nothing_delivered(payment)

    def cell_verify_timeout(self) -> None:
        self.unclear({"operation": self.asks, "fault": "hang", "seconds": 2 * ANSWER_SECONDS})

    def cell_verify_500(self) -> None:
        self.unclear({"operation": self.asks, "fault": "error_500"})

    def cell_html(self) -> None:
        self.unclear({"operation": self.asks, "fault": "html"})

    def cell_wrong_amount(self) -> None:
        self.mismatched("wrong_amount")

    def cell_wrong_currency(self) -> None:
        self.mismatched("wrong_currency")

    def cell_wrong_merchant(self) -> None:
        self.not_ours("wrong_merchant")

    def cell_wrong_reference(self) -> None:
        self.not_ours("wrong_reference")

    def cell_never_calls_back(self) -> None:
        payment = self.opened()
        self.press(payment)
        self.swept(payment)
        self.is_paid(payment)

    def cell_calls_back_5_times(self) -> None:
        payment = self.opened()
        self.press(payment)
        for _ in range(5):
            self.notify(payment)
        self.is_paid(payment)
        assert set(GatewayCallback.objects.values_list("times", flat=True)) == {5}
        assert GatewayCallback.objects.count() == len(self.notices(payment))

    def cell_late(self) -> None:
        payment = self.opened()
        self.closed_unpaid(payment)
        self.press(payment)
        self.notify(payment)
        wanted = self.ends.get("late", ("SUCCEEDED", "PENDING"))
        assert self.state(payment) == wanted
        if wanted[0] == "SUCCEEDED":
            self.is_paid(payment)
            assert self.alerts(payment) == ["late_payment"]

    def cell_forged_callback(self) -> None:
        payment = self.opened()
        self.notify(payment)
        self.is_open(payment)
        for notice in self.forged():
            self.sent(notice)
        for body in GARBAGE[:4]:
            self.sent({"body": body, "content_type": "application/json"})
        self.is_open(payment)
        assert AdminAlert.objects.count() == 0

    def cell_expired_token(self) -> None:
        payment = self.opened()
        self.press(payment)
        self.expire_token()
        self.notify(payment)
        self.is_paid(payment)

    def cell_cut_before(self) -> None:
        """Where money moves by our call: that one is cut. Else the question before paying is."""
        payment = self.opened()
        if self.moves:
            self.press(payment)
            self.fault({"operation": self.moves, "fault": "cut_before"})
            self.notify(payment)
            self.is_open(payment)
            self.heal()
            self.swept(payment)
            assert self.state(payment) == self.ends.get("cut_before", ("PENDING", "INITIATED"))
            return
        self.fault({"operation": self.asks, "fault": "cut_before"})
        self.notify(payment)
        self.is_open(payment)
        self.heal()
        self.closed_unpaid(payment)

    def cell_cut_after(self) -> None:
        self.unclear({"operation": self.moves or self.asks, "fault": "cut_after"})

    # What happens.

    def opened(self) -> Payment:
        """An order of one item, and its session, opened by our own service."""
        order = OrderFactory(total_amount=self.amount, payment_method=self.slug)
        OrderItemFactory(order=order, variant=VariantFactory(price=self.amount))
        order.pay_until = timezone.now() + timedelta(minutes=30)
        order.save()
        result = initiate_payment(
            order.customer_id,
            order.order_number,
            method=self.slug,
            amount=None,
            currency=None,
            description="",
            now=timezone.now(),
        )
        assert result.payment is not None, result.message
        assert result.payment.redirect_url.startswith("http")
        return result.payment

    def notify(self, payment: Payment) -> list[int]:
        return [self.sent(notice) for notice in self.notices(payment)]

    def sent(self, notice: Mapping[str, Any]) -> int:
        path = notice.get("path") or f"/api/v1/payments/{self.slug}/callback"
        body = notice.get("body", b"")
        query = urlencode(notice.get("query", {}))
        answer = Client(raise_request_exception=True).generic(
            notice.get("method") or ("POST" if body else "GET"),
            path + (f"?{query}" if query else ""),
            data=body,
            content_type=notice.get("content_type", ""),
        )
        assert answer.status_code in {200, 302, 503}, answer.content
        return answer.status_code

    def fault(self, wish: Mapping[str, Any]) -> None:
        self.simulator.call(f"{self.slug}/faults", **wish)

    def heal(self) -> None:
        self.simulator.heal(self.slug)

    def swept(self, payment: Payment) -> None:
        """The sweep's turn has come: whatever is due by the plan in the rows is asked for."""
        later = timezone.now() + timedelta(minutes=5)
        assert payment.pk in set(due_payments(now=later).values_list("pk", flat=True))
        verify(payment.pk, answer_seconds=ANSWER_SECONDS)

    def unclear(self, wish: Mapping[str, Any]) -> None:
        """An answer that tells nothing decides nothing; the next one does."""
        payment = self.opened()
        self.press(payment)
        self.fault(wish)
        answers = self.notify(payment)
        assert 200 not in answers, "a machine is asked to send its notice again"
        self.is_open(payment)
        self.heal()
        self.swept(payment)
        self.is_paid(payment)

    def mismatched(self, name: str) -> None:
        payment = self.opened()
        self.press(payment)
        self.fault(self.faults[name])
        self.notify(payment)
        assert self.state(payment) == self.ends.get(name, ("AMOUNT_MISMATCH", "INITIATED"))
        assert self.alerts(payment) == ["amount_mismatch"]
        self.nothing_delivered(payment)

    def not_ours(self, name: str) -> None:
        """Not about this payment: nothing changes, and the right answer still counts."""
        payment = self.opened()
        self.press(payment)
        self.fault(self.faults[name])
        self.notify(payment)
        self.is_open(payment)
        self.heal()
        self.swept(payment)
        self.is_paid(payment)

    # What came of it.

    def state(self, payment: Payment) -> tuple[str, str]:
        row = Payment.objects.select_related("order").get(pk=payment.pk)
        return row.status, row.order.status

    def alerts(self, payment: Payment) -> list[str]:
        return list(
            AdminAlert.objects.filter(order=payment.order_id).values_list("kind", flat=True)
        )

    def nothing_delivered(self, payment: Payment) -> None:
        assert not FulfillmentAttempt.objects.filter(order=payment.order_id).exists()

    def is_open(self, payment: Payment) -> None:
        assert self.state(payment)[0] in {"INITIATED", "PENDING", "AUTHORIZED"}
        self.nothing_delivered(payment)

    def is_paid(self, payment: Payment) -> None:
        assert self.state(payment) == ("SUCCEEDED", "PENDING")
        row = Payment.objects.get(pk=payment.pk)
        assert row.effective
        assert row.gateway_transaction_id
        assert FulfillmentAttempt.objects.filter(order=payment.order_id).count() == 1

    def closed_unpaid(self, payment: Payment) -> None:
        """Its time is over: a last question, then the order is closed and nothing is owed."""
        Order.objects.filter(pk=payment.order_id).update(pay_until=timezone.now())
        close_order(order_id=payment.order_id)
        status, order = self.state(payment)
        assert (status, order) in {("FAILED", "FAILED"), ("CANCELLED", "CANCELLED")}
        self.nothing_delivered(payment)


def table(cells: list[tuple[str, str, str]]) -> list[str]:
    """The matrix as lines of text: (misbehaviour, gateway, what is in the cell)."""
    gateways = sorted({gateway for _, gateway, _ in cells})
    found = {(name, gateway): text for name, gateway, text in cells}
    width = max(map(len, MISBEHAVIOURS))
    widths = [
        max([len(gateway), *(len(found.get((name, gateway), "-")) for name in MISBEHAVIOURS)])
        for gateway in gateways
    ]
    columns = list(zip(gateways, widths, strict=True))
    lines = ["  ".join(["".ljust(width), *(gateway.ljust(wide) for gateway, wide in columns)])]
    for name in MISBEHAVIOURS:
        row = [found.get((name, gateway), "-").ljust(wide) for gateway, wide in columns]
        lines.append("  ".join([name.ljust(width), *row]).rstrip())
    return lines
