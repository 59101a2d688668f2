"""Random lives of orders, told to the shop and to a model in plain Python.

The model knows of each order what a customer would: whether it is paid or given up, and which codes
have come. After each step what the shop's rows say is compared with it; at the end everything is
made well again, and every paid order must have all of its codes, every other one none.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.conf import settings as shop_settings
from django.core import mail
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts.tests.factories import UserFactory
from bdvoucher.invariants import check_all
from core.actors import Actor
from core.errors import Conflict
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.selectors import orders_stock_came_for
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import codes_of, offered, pool_of
from fulfillment.tests.partner import ScriptedZendit
from fulfillment.waiting import start_again
from notifications.models import EmailMessage
from notifications.tests.smtp import no_server
from orders.models import Order, OrderItem
from payments.closing import close
from payments.gateways.base import Outcome
from payments.models import Payment
from tests.proofs.selling import placed, told, tried
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

PAID: Final = {"PENDING", "NEEDS_ATTENTION", "SUCCEEDED"}
#: `interrupted`: while the partner sells, the customer's money for that unit is paid back.
STEPS: Final = (
    "done", "no_stock", "busy", "lost", "never_arrived", "accepted", "interrupted",
)  # fmt: skip
ROUNDS: Final = 12


Unit = tuple[int, int]
"""(item, unit)"""


@dataclass
class Known:
    """An order as the model has it."""

    pk: int
    units: int
    paid: bool = False
    given_up: bool = False
    codes: list[str] = field(default_factory=list)
    """Those that have come; none of them ever goes away."""
    presses: int = 0
    """Mails that an operator may have caused."""
    dropped: set[Unit] = field(default_factory=set)
    """Paid back, or about to be: never to be delivered."""
    refund: int | None = None
    """The one that is under way, and its units."""
    of_refund: set[Unit] = field(default_factory=set)


class Life(RuleBasedStateMachine):
    """`partner` and `settings` are the test's own fixtures, set before the machine runs."""

    partner: ScriptedZendit
    settings: Any

    @initialize(codes=st.integers(0, 4))
    def open_the_shop(self, codes: int) -> None:
        self.orders: list[Known] = []
        self.loaded: list[int] = []
        self.mail_works = True
        self.customer, self.desk = UserFactory(), Desk(UserFactory(operator=True))
        self.till = Desk(UserFactory(finance=True)).client
        self.partner.meanwhile = self._pays_back_what_is_bought
        self.offer = f"offer-{self.customer.pk}"
        self.bought, self.pooled = offered(self.offer), pool_of()
        self.load(codes)

    # Customers

    @rule(pooled=st.integers(0, 2), bought=st.integers(0, 2))
    def place(self, pooled: int, bought: int) -> None:
        lines = [(self.pooled, pooled), (self.bought, bought)]
        wanted = [(variant, units) for variant, units in lines if units]
        free = Voucher.objects.filter(variant=self.pooled, status="available").count()
        if not wanted:
            return
        try:
            order = placed(*wanted, customer_id=self.customer.pk)
        except Conflict:
            assert free < pooled, "refused although there were codes"
            return
        assert free >= pooled, "sold what was not there"
        self.orders.append(Known(order.pk, pooled + bought))

    @rule(which=st.integers(0, 9), times=st.integers(1, 2))
    def pay(self, which: int, times: int) -> None:
        """The gateway says so, once or twice; late money is money, too."""
        if known := self._pick(which):
            payment = self._payment(known)
            for _ in range(times):
                told(payment, Outcome.PAID, gateway_transaction_id=f"TRX-{payment.pk}")
            known.paid = True

    @rule(which=st.integers(0, 9), outcome=st.sampled_from([Outcome.FAILED, Outcome.CANCELLED]))
    def fail_to_pay(self, which: int, outcome: Outcome) -> None:
        if (known := self._pick(which)) and not known.paid and not known.given_up:
            told(self._payment(known), outcome)
            known.given_up = True

    @rule(which=st.integers(0, 9))
    def pay_a_wrong_sum(self, which: int) -> None:
        if (known := self._pick(which)) and not known.paid:
            payment = self._payment(known)
            told(payment, Outcome.PAID, amount=payment.amount - 1)

    @rule(which=st.integers(0, 9))
    def give_up(self, which: int) -> None:
        if known := self._pick(which):
            done = close(
                known.pk, actor=Actor("customer"), reason="changed my mind", now=timezone.now()
            )
            assert done == (not known.paid and not known.given_up)
            known.given_up |= done

    # The world

    @rule(codes=st.integers(1, 3))
    def load(self, codes: int) -> None:
        for _ in range(codes):
            code = f"POOL-{self.pooled.pk}-{len(self.loaded)}"
            self.loaded.append(VoucherFactory(variant=self.pooled, code=code).pk)

    @rule(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4))
    def partner_will(self, steps: list[str]) -> None:
        self.partner.meets(self.offer, *steps)

    @rule(delivers=st.booleans())
    def partner_decides(self, delivers: bool) -> None:
        for reference, said in list(self.partner.known.items()):
            if said["status"] == "ACCEPTED":
                (self.partner.deliver if delivers else self.partner.refuse)(reference)

    @rule()
    def mail_breaks_or_works(self) -> None:
        self.mail_works = not self.mail_works

    # The worker and the desk

    @rule()
    def work(self) -> None:
        self._all_is_due()
        now = timezone.now()
        for order_id in orders_stock_came_for(now=now):
            with transaction.atomic():
                start_again(order_id, now=now)
        with self._mail():
            for known in self.orders:
                process(order_id=known.pk)

    @rule(which=st.integers(0, 9), action=st.sampled_from(["retry", "hand", "resend"]))
    def repair(self, which: int, action: str) -> None:
        if known := self._pick(which):
            with self._mail():
                self._pressed(known, action)
            known.presses += 1

    def _pressed(self, known: Known, action: str) -> None:
        order = Order.objects.get(pk=known.pk)
        item = order.items.exclude(fulfillment_status="SUCCEEDED").first() or order.items.first()
        held = item.vouchers.filter(status="sold").count()
        count = item.quantity - held
        name = f"HAND-{item.pk}-{known.presses}"
        path, body = {
            "retry": ("partner-retry", {"orderItemId": item.pk}),
            "hand": (
                "manual-code",
                {"orderItemId": item.pk, "codes": [{"code": f"{name}-{n}"} for n in range(count)]},
            ),
            "resend": ("resend-email", {}),
        }[action]
        where = f"{self.desk.mount}/{known.pk}/fulfillment/{path}"
        answer = self.desk.client.post(where, {**body, "notes": "machine"}, format="json")
        allowed = (200, 400, 409) if known.paid else (400,)
        assert answer.status_code in allowed, answer.content

    # Paying back

    @rule(which=st.integers(0, 9), place=st.integers(0, 5), whole=st.booleans())
    def pay_back(self, which: int, place: int, whole: bool) -> None:
        """A unit, or all that is left; nothing of it may be delivered, or be so already."""
        if (known := self._pick(which)) and known.paid:
            units = self._units(known)
            self._paid_back(known, None if whole else units[place % len(units)])

    @rule(which=st.integers(0, 9), paid=st.booleans())
    def settle_a_refund(self, which: int, paid: bool) -> None:
        """It went back by a person's hand; or it did not, and the units are owed again."""
        if (known := self._pick(which)) and known.refund is not None:
            self._settled(known, paid=paid)

    def _paid_back(self, known: Known, unit: Unit | None) -> None:
        payment = Payment.objects.get(order=known.pk, effective=True)
        left = set(self._units(known)) - known.dropped
        wanted = left if unit is None else {unit}
        body: dict[str, Any] = {"reason": "machine"}
        if unit is not None:
            body["items"] = [{"orderItemId": unit[0], "units": [unit[1]]}]
        answer = self.till.post(f"/api/v1/admin/payments/{payment.pk}/refund", body, format="json")
        expected = 200
        if known.refund is not None or not left or wanted & self._delivered(known):
            expected = 409
        elif not wanted <= left:
            expected = 400
        if expected == 409 and left and not wanted <= left:
            assert answer.status_code in (400, 409), answer.content
            return
        assert answer.status_code == expected, (answer.content, known)
        if expected == 200:
            known.refund, known.of_refund = answer.json()["data"]["id"], wanted
            known.dropped |= wanted

    def _settled(self, known: Known, *, paid: bool) -> None:
        payment = Payment.objects.get(order=known.pk, effective=True)
        answer = self.till.post(
            f"/api/v1/admin/payments/{payment.pk}/refunds/{known.refund}/settle",
            {"outcome": "paid" if paid else "not_paid", "reference": "CHEQUE-1"}, format="json",
        )  # fmt: skip
        assert answer.status_code == 200, answer.content
        if not paid:
            known.dropped -= known.of_refund
        known.refund = None

    def _pays_back_what_is_bought(self, reference: str) -> None:
        """Another request, at the same instant, on a connection of its own."""
        _, item, unit = re.split("[IU]", reference.rpartition("T")[0])
        owner = OrderItem.objects.get(pk=item).order_id
        known = next(each for each in self.orders if each.pk == owner)
        with ThreadPoolExecutor(1) as other:
            other.submit(self._paid_back, known, (int(item), int(unit))).result(30)
            other.submit(connections.close_all).result(30)

    @staticmethod
    def _units(known: Known) -> list[Unit]:
        items = OrderItem.objects.filter(order=known.pk).order_by("pk")
        return [(each.pk, unit) for each in items for unit in range(1, each.quantity + 1)]

    @staticmethod
    def _delivered(known: Known) -> set[Unit]:
        rows = Voucher.objects.filter(order_item__order=known.pk, status="sold")
        return set(rows.values_list("order_item", "unit_no"))

    # What must be true after each step

    @invariant()
    def shop_and_model_agree(self) -> None:
        for known in self.orders:
            order = Order.objects.get(pk=known.pk)
            assert (order.status in PAID) == known.paid, order.status
            if known.given_up and not known.paid:
                assert order.status in ("FAILED", "CANCELLED"), order.status
            codes = codes_of(order)
            assert len(codes) == len(set(codes)) <= known.units
            assert set(known.codes) <= set(codes), "a code that had come went away"
            assert known.paid or not codes, "a code for nothing"
            assert not known.dropped & self._delivered(known), "delivered, and paid back"
            known.codes = codes
            if order.status == "SUCCEEDED":
                assert len(codes) == known.units
                assert self._mailed(known, codes), "delivered without a mail"

    @invariant()
    def stock_adds_up(self) -> None:
        """Every code that was loaded is free, or of exactly one unit."""
        rows = list(Voucher.objects.filter(pk__in=self.loaded))
        assert len(rows) == len(self.loaded)
        assert all((row.status == "available") == (row.order_item_id is None) for row in rows)

    @invariant()
    def nothing_is_broken(self) -> None:
        found = [str(each) for _, broken in check_all(now=timezone.now()) for each in broken]
        assert found == []

    @invariant()
    def no_unit_is_bought_twice(self) -> None:
        units = [ref.rpartition("T")[0] for ref, said in self.partner.known.items()
                 if said["status"] in ("DONE", "ACCEPTED")]  # fmt: skip
        assert len(units) == len(set(units)), units

    def teardown(self) -> None:
        """All is well again: whatever was paid for is delivered, without another look inside."""
        if not hasattr(self, "orders"):
            return
        self.mail_works = True
        self.partner.meets(self.offer, "done")
        for known in self.orders:
            if known.refund is not None:
                self._settled(known, paid=bool(known.pk % 2))
        self.partner_decides(delivers=True)
        self.load(2 * len(self.orders) + 2)
        for _ in range(ROUNDS):
            self.work()
            if not self._owing():
                break
            for known in self._owing():
                self.desk.client.post(f"{self.desk.mount}/{known.pk}/fulfillment/resend-email", {})
                self._pressed(known, "retry")
        assert [Order.objects.get(pk=known.pk).status for known in self._owing()] == []
        for known in self.orders:
            kept = known.units - len(known.dropped) if known.paid else 0
            assert len(codes_of(Order.objects.get(pk=known.pk))) == kept
        self.shop_and_model_agree()
        self.nothing_is_broken()
        self.no_unit_is_bought_twice()

    # How it is done

    def _pick(self, which: int) -> Known | None:
        return self.orders[which % len(self.orders)] if self.orders else None

    def _payment(self, known: Known) -> Payment:
        last = Payment.objects.filter(order=known.pk).last()
        return last or tried(Order.objects.get(pk=known.pk))

    def _owing(self) -> list[Known]:
        """Paid, and neither delivered nor paid back as far as it was not."""
        ended = Q(status="SUCCEEDED") | Q(closed_by_refund=True)
        done = set(Order.objects.filter(ended).values_list("pk", flat=True))
        return [known for known in self.orders if known.paid and known.pk not in done]

    @contextmanager
    def _mail(self) -> Iterator[None]:
        if self.mail_works:
            yield
            return
        backend = self.settings.EMAIL_BACKEND
        with no_server(self.settings):
            yield
        self.settings.EMAIL_BACKEND = backend

    def _mailed(self, known: Known, codes: list[str]) -> bool:
        number = Order.objects.values_list("order_number", flat=True).get(pk=known.pk)
        texts = [str(each.body) for each in mail.outbox if number in each.subject]
        return any(all(code in text for code in codes) for text in texts)

    def _all_is_due(self) -> None:
        now = timezone.now()
        purchases = PartnerTransaction.objects.filter(status__in=["PENDING", "UNKNOWN"])
        purchases.exclude(next_check_at=None).update(next_check_at=now)
        purchases.filter(status="UNKNOWN").update(
            sent_at=now - shop_settings.PARTNER_UNKNOWN_WINDOW - timedelta(seconds=1)
        )
        tries = FulfillmentAttempt.objects.filter(status="IN_PROGRESS", claimed_at=None)
        tries.exclude(next_try_at=None).update(next_try_at=now)
        EmailMessage.objects.filter(status="PENDING").update(next_try_at=now)
