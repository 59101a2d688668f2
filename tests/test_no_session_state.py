"""Nothing of ours outlives a transaction, so PgBouncer may hand each one to another backend."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.authentication import CLIENT, tokens_for
from accounts.tests.factories import UserFactory
from core.actors import SYSTEM
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import codes_of, pool_of
from orders.models import Order
from orders.services import Buyer, Cart, Line
from payments.gateways.base import Outcome, Verdict
from payments.models import Payment
from payments.services import placed
from payments.settlement import settle
from tests.pgbouncer import binary, pooled

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 12


def bought(customer, variant, number=0):
    """Placed, paid, delivered and looked at: every kind of statement the shop has."""
    buyer = Buyer(customer.pk, customer.email, "en")
    cart = Cart([Line(variant.pk, 2)], "paystation")
    order, payment = placed(cart, buyer, init_payment=True, now=timezone.now())
    verdict = Verdict(Outcome.PAID, amount=payment.amount, gateway_transaction_id=f"T{payment.pk}")
    settle(payment_id=payment.pk, verdict=verdict, actor=SYSTEM, now=timezone.now())
    process(order_id=order.pk)
    token = tokens_for(customer, door=CLIENT)[0]
    told = Client().get(f"/api/v1/orders/{order.pk}", headers={"Authorization": f"Bearer {token}"})
    assert told.json()["data"]["status"] == "SUCCEEDED"
    assert len(codes_of(order)) == 2
    return order


def nothing_kept(execute, sql, params, many, context):
    """Before each statement that begins no transaction of ours, the backend is as new."""
    if not connection.in_atomic_block:
        connection.connection.execute("DISCARD ALL")
    return execute(sql, params, many, context)


def test_a_sale_needs_nothing_from_one_statement_to_the_next():
    customer, variant = UserFactory(), pool_of("ONE-1111", "ONE-2222")
    with connection.execute_wrapper(nothing_kept):
        bought(customer, variant)
    assert FulfillmentAttempt.objects.get().status == "SUCCESS"


def test_no_statement_is_prepared_and_no_lock_is_the_sessions():
    customer, variant = UserFactory(), pool_of("TWO-1111", "TWO-2222")
    bought(customer, variant)
    with connection.cursor() as cursor:
        for held in ("pg_prepared_statements", "pg_cursors WHERE is_holdable"):
            cursor.execute(f"SELECT count(*) FROM {held}")  # noqa: S608
            assert cursor.fetchone() == (0,), held
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_listening_channels()")
        assert cursor.fetchone() == (0,)


@contextmanager
def behind(host, port):
    """Django's connection goes through the pool, as with DATABASE_BEHIND_POOLER."""
    settings = connection.settings_dict
    before = {name: settings[name] for name in ("HOST", "PORT", "OPTIONS")}
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "options"}
    connection.close()
    settings |= {"HOST": host, "PORT": port, "DISABLE_SERVER_SIDE_CURSORS": True}
    settings["OPTIONS"] = {name: each for name, each in options.items() if name != "host"}
    try:
        yield
    finally:
        connection.close()
        settings |= before | {"DISABLE_SERVER_SIDE_CURSORS": False}


@pytest.mark.skipif(not binary(), reason="there is no pgbouncer: apt-get install pgbouncer")
def test_twelve_buyers_share_three_connections_behind_pgbouncer(tmp_path):
    customers = UserFactory.create_batch(BUYERS)
    variant = pool_of(*(f"POOL-{n:04d}" for n in range(2 * BUYERS)))
    user = connection.settings_dict["USER"]
    server = connection.settings_dict["HOST"] or connection.settings_dict["OPTIONS"]["host"]

    def buy(customer):
        try:
            return bought(customer, variant).pk
        finally:
            connection.close()

    with (
        pooled(tmp_path, server=server, user=user, size=3) as (host, port),
        behind(host, port),
        ThreadPoolExecutor(BUYERS) as crowd,
    ):
        pks = list(crowd.map(buy, customers))
    assert len(set(pks)) == BUYERS
    assert set(Order.objects.values_list("status", flat=True)) == {"SUCCEEDED"}
    assert Payment.objects.filter(effective=True).count() == BUYERS
    codes = [code for order in Order.objects.all() for code in codes_of(order)]
    assert len(set(codes)) == 2 * BUYERS
