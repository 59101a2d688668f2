"""A thousand allocations of one variant's codes, half of which are given up on the way.

Nobody holds a code that somebody else holds, and nobody is told that there is none while one is
free. The twin takes the lock away and must sell codes twice.
"""

import random
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Variant
from core.errors import Conflict
from fulfillment.tests.factories import pool_of
from orders.models import OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from tests.races.crowd import at_once
from tests.telling import FULL, Teller
from vouchers.models import Voucher
from vouchers.services import reserve

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
ALLOCATIONS = 1000 if FULL else 100
SEED = 20260427


def allocate(item: OrderItem, *, give_up: bool) -> str:
    now = timezone.now()
    try:
        with transaction.atomic():
            reserve([item], until=now + timedelta(minutes=30), now=now)
            time.sleep(0.002)  # holds it for a while, as a checkout does
            transaction.set_rollback(give_up)
    except Conflict:
        return "short"
    return "gave up" if give_up else "held"


@pytest.mark.parametrize("clients", [2, 8, 50])
def test_contended_allocations(clients: int, tell: Teller) -> None:
    """As many codes as there are buyers who mean it: each of them must get one."""
    dice = random.Random(SEED + clients)
    gives_up = [place % 2 == 0 for place in range(ALLOCATIONS)]
    dice.shuffle(gives_up)
    serious = gives_up.count(False)
    variant: Variant = pool_of(*(f"C{clients}-{n:05d}" for n in range(serious)))
    order = OrderFactory()
    items = [OrderItemFactory(order=order, variant=variant) for _ in range(ALLOCATIONS)]

    def client(number: int) -> list[tuple[bool, str]]:
        return [
            (gives_up[place], allocate(items[place], give_up=gives_up[place]))
            for place in range(number, ALLOCATIONS, clients)
        ]

    answers = [one for each in at_once(clients, client) for one in each]
    false = answers.count((False, "short"))
    assert false == 0, "told that there is none while those who had it gave it up"
    held = list(Voucher.objects.filter(status="reserved").values_list("order_item", flat=True))
    assert len(held) == len(set(held)) == serious, "an item has two codes, or none"
    assert answers.count((False, "held")) == serious
    tell.figure(
        f"{ALLOCATIONS} allocations by {clients} clients, {ALLOCATIONS - serious} given up: "
        "0 codes held twice, 0 false shortages"
    )


@pytest.mark.parametrize("clients", [2, 8, 50])
def test_the_last_codes_go_to_as_many_as_there_are(clients: int, tell: Teller) -> None:
    """Fewer codes than buyers: all of them are sold, and only the rest hear no."""
    codes = ALLOCATIONS // 10
    variant = pool_of(*(f"L{clients}-{n:05d}" for n in range(codes)))
    order = OrderFactory()
    items = [OrderItemFactory(order=order, variant=variant) for _ in range(codes * 2)]

    def client(number: int) -> list[str]:
        return [allocate(each, give_up=False) for each in items[number::clients]]

    answers = [one for each in at_once(clients, client) for one in each]
    assert (answers.count("held"), answers.count("short")) == (codes, codes)
    assert not Voucher.objects.filter(status="available").exists()
    tell.figure(f"{2 * codes} buyers of {codes} codes, {clients} at once: {codes} served")


@pytest.mark.parametrize("clients", [2, 8, 50])
def test_twin_without_the_lock_holds_codes_twice(clients: int) -> None:
    variant = pool_of(*(f"T{clients}-{n:05d}" for n in range(clients)))
    looked = threading.Barrier(clients)

    def naive(_number: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM vouchers WHERE variant_id = %s AND status = 'available' "
                "ORDER BY id LIMIT 1",
                [variant.pk],
            )
            (found,) = cursor.fetchone()
        looked.wait(30)
        return int(found)

    assert len(set(at_once(clients, naive))) < clients
