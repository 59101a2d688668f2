"""Create, pay, fulfil, mail: the shop's services against plain code, in this process."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import careful, floor
from benchmarks.meter import Cost, Series, commits, measured, said
from benchmarks.seeding import USUAL
from core.actors import SYSTEM
from core.money import CURRENCY
from fulfillment.issuing import Round, issue
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import MailWish, finish, process
from orders.models import Order
from orders.services import Buyer, Cart, Line
from payments.closing import close
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.services import placed
from payments.settlement import settle

WARM_UP: Final = 5


class Chain:
    """One pass on one database: carts, and what becomes of them."""

    def __init__(self, customers: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.customers = customers
        self.orders: list[int] = []
        self.payments: list[int] = []
        self.strangers: list[int] = []
        self.rounds: list[Round] = []

    def choice(self) -> tuple[list[tuple[int, int]], Buyer]:
        first, second = self.random.sample(USUAL, 2)
        customer = self.random.randint(2, self.customers)
        buyer = Buyer(customer, f"customer{customer}@example.com", "en")
        return [(first, 2), (second, 1)], buyer

    def cart(self) -> tuple[Cart, Buyer]:
        lines, buyer = self.choice()
        return Cart([Line(*line) for line in lines], "paystation"), buyer

    def create(self, _number: int) -> None:
        cart, buyer = self.cart()
        order, payment = placed(cart, buyer, init_payment=True, now=timezone.now())
        self.orders.append(order.pk)
        self.payments.append(payment.pk if payment else 0)

    def create_carefully(self, _number: int) -> None:
        cart, buyer = self.cart()
        self.strangers.append(careful.place(cart, buyer, now=timezone.now()).pk)

    def create_barely(self, _number: int) -> None:
        lines, buyer = self.choice()
        order = floor.place(
            lines, customer_id=buyer.customer_id or 0, email=buyer.email, now=timezone.now()
        )
        self.strangers.append(order)

    def pay(self, number: int) -> None:
        payment = Payment.objects.only("amount").get(pk=self.payments[number])
        verdict = Verdict(
            Outcome.PAID, amount=payment.amount, currency=CURRENCY,
            gateway_transaction_id=f"BENCH{payment.pk}",
        )  # fmt: skip
        settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())

    def fulfil(self, number: int) -> None:
        self.rounds.append(issue(self.orders[number]))

    def fulfil_barely(self, number: int) -> None:
        floor.fulfil(self.orders[number], now=timezone.now())

    def mail(self, number: int) -> None:
        finish(self.rounds[number], MailWish())

    def tidy(self) -> None:
        """Deliver what the floor's code left half way, close what nobody paid."""
        left = [pk for pk in self.orders if Order.objects.get(pk=pk).status == "PENDING"]
        FulfillmentAttempt.objects.filter(order__in=left, status="IN_PROGRESS").update(
            claimed_at=None
        )
        for pk in left:
            process(order_id=pk)
        for pk in self.strangers:
            close(pk, actor=SYSTEM, reason="bench", now=timezone.now())


def prepared(chain: Chain, count: int) -> None:
    """Orders that are paid and wait for their codes."""
    for number in range(count):
        chain.create(number)
    for number in range(len(chain.payments) - count, len(chain.payments)):
        chain.pay(number)


def one_pass(results: dict[str, Series], chain: Chain, count: int) -> None:
    """Each job `count` times; ours and theirs in turn, so that both see the same machine."""

    def add(name: str, operation: Callable[[int], object], numbers: Sequence[int]) -> None:
        results.setdefault(name, Series()).passes.append(measured(operation, numbers))

    numbers = range(count)
    add("create/floor", chain.create_barely, numbers)
    add("create/careful", chain.create_carefully, numbers)
    add("create/ours", chain.create, numbers)
    add("pay/ours", chain.pay, range(len(chain.orders) - count, len(chain.orders)))
    add("fulfil/ours", chain.fulfil, range(len(chain.orders) - count, len(chain.orders)))
    add("mail/ours", chain.mail, range(len(chain.rounds) - count, len(chain.rounds)))
    prepared(chain, count)
    add("fulfil/floor", chain.fulfil_barely, range(len(chain.orders) - count, len(chain.orders)))
    chain.tidy()


def warmed(customers: int, seed: int) -> Chain:
    """A chain whose code paths have all run once."""
    chain = Chain(customers, seed)
    one_pass({}, chain, WARM_UP)
    return Chain(customers, seed + 1)


def statements(customers: int) -> dict[str, dict[str, Any]]:
    """How many statements and commits each job takes, once."""
    chain = Chain(customers, 7)
    counted: dict[str, dict[str, Any]] = {}
    for name, job in (
        ("create/careful", chain.create_carefully),
        ("create/ours", chain.create),
        ("pay/ours", chain.pay),
        ("fulfil/ours", chain.fulfil),
        ("mail/ours", chain.mail),
    ):
        with said() as lines:
            job(0)
        counted[name] = {"statements": len(lines), "commits": commits(lines)}
    counted["fulfil/ours"]["per item"] = _growth((1, 1), (1, 1, 1))
    counted["fulfil/ours"]["per unit"] = _growth((1, 1), (9, 9))
    chain.tidy()
    return counted


def _growth(few: Sequence[int], many: Sequence[int]) -> int:
    """How many statements more it takes to fulfil the second order."""
    return _fulfilling(many) - _fulfilling(few)


def _fulfilling(quantities: Sequence[int]) -> int:
    chain = Chain(2, 11)
    variants = random.Random(len(quantities)).sample(USUAL, len(quantities))
    cart = Cart([Line(v, q) for v, q in zip(variants, quantities, strict=True)], "paystation")
    buyer = Buyer(2, "customer2@example.com", "en")
    order, payment = placed(cart, buyer, init_payment=True, now=timezone.now())
    chain.orders, chain.payments = [order.pk], [payment.pk if payment else 0]
    chain.pay(0)
    with said() as lines:
        chain.fulfil(0)
    chain.mail(0)
    return len(lines)


def begin() -> Cost:
    """An empty transaction, for scale."""

    def nothing(_number: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return measured(nothing, range(200))
