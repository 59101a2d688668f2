"""Each rule of `check_invariants` is broken on purpose, past the database's guards, and seen."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import responses
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bdvoucher.invariant_rules import RULES
from bdvoucher.invariants import breaches_of, check_all, keep_alerts
from bdvoucher.tasks import sweep_invariants
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import item_of, offered, paid_order, pool_of
from fulfillment.tests.partner import BASE, ScriptedZendit
from notifications.models import AdminAlert, EmailMessage
from orders.models import Order
from payments.models import Payment
from vouchers.models import Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
BY_NAME = {rule.name: rule for rule in RULES}
#: Rules that no statement over our own rows can see (product and gateways from outside; I24, ...).
SEEN_FROM_OUTSIDE = {"I22", "I23", "I24", "I25", "I30"}


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def unguarded(*constraints):
    """Triggers off and these constraints gone, until the test's transaction is rolled back."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    sql("SET LOCAL session_replication_role = replica")
    for name in constraints:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conrelid::regclass::text FROM pg_constraint WHERE conname = %s", [name]
            )
            found = cursor.fetchone()
        if found:
            sql(f"ALTER TABLE {found[0]} DROP CONSTRAINT {name}")
        else:
            sql(f"DROP INDEX {name}")


def pay(order):
    Payment.objects.create(
        order=order, method="paystation", status="SUCCEEDED",
        reference=f"BDV-{order.order_number}-1", amount=order.total_amount, effective=True,
        paid_at=order.paid_at, gateway_transaction_id=f"T{order.pk}", created_at=order.paid_at,
    )  # fmt: skip


@pytest.fixture
def shop(wire, settings):
    """One order delivered from the pool and a partner, one that waits in vain; all lawful."""
    settings.ZENDIT_BASE_URL = BASE
    zendit = ScriptedZendit(wire)
    now = timezone.now() - timedelta(hours=1)
    done = paid_order((pool_of("A-0001", "A-0002"), 2), (offered("A"), 1), paid_at=now)
    stuck = paid_order((offered("B"), 2), paid_at=now)
    zendit.meets("B", "no_stock")
    for order in (done, stuck):
        price = sum(item.unit_price * item.quantity for item in order.items.all())
        unguarded()
        Order.objects.filter(pk=order.pk).update(total_amount=price, subtotal_amount=price)
        sql("SET LOCAL session_replication_role = DEFAULT")
        order.refresh_from_db()
        pay(order)
        process(order_id=order.pk)
        order.refresh_from_db()
    assert (done.status, stuck.status) == ("SUCCEEDED", "NEEDS_ATTENTION")
    return done, stuck


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def broken():
    return {rule.name for rule, found in check_all(now=timezone.now()) if found}


def test_a_lawful_shop_breaks_nothing(shop):
    assert broken() == set()


def test_an_empty_shop_breaks_nothing(db):
    assert broken() == set()


def test_every_rule_that_rows_can_show_is_here():
    every = {f"I{number}" for number in range(1, 31)}
    assert set(BY_NAME) == every - SEEN_FROM_OUTSIDE


def same_code_twice(done, stuck):
    unguarded("voucher_code_once_for_ever")
    first = Voucher.objects.first()
    VoucherFactory(code="C-1")
    Voucher.objects.filter(pk=Voucher.objects.last().pk).update(
        fingerprint=bytes(first.fingerprint)
    )


def mailed_for_two_orders(done, stuck):
    ids = EmailMessage.objects.get(order=done).voucher_ids
    EmailMessage.objects.create(
        order=stuck, template="vouchers", recipient="x@example.com", status="SENT", dispatch_no=9,
        message_id="<9@x>", voucher_ids=ids[:1], sent_at=timezone.now(), correlation_id="x",
    )  # fmt: skip


def code_taken_away(done, stuck):
    unguarded("voucher_item_goes_with_status")
    Voucher.objects.filter(order_item__order=done, unit_no=2).update(
        status="available", order_item=None, unit_no=None
    )


def one_code_too_many(done, stuck):
    unguarded("voucher_one_per_unit")
    VoucherFactory(code="C-1", order_item=item_of(done), unit_no=2, variant=item_of(done).variant)


def order_succeeded_too_early(done, stuck):
    unguarded()
    Order.objects.filter(pk=stuck.pk).update(status="SUCCEEDED")


def succeeded_without_mail(done, stuck):
    unguarded()
    Order.objects.filter(pk=done.pk).update(dispatched_email=None, email_sent_at=None)


def payment_gone(done, stuck):
    unguarded()
    Payment.objects.filter(order=done).delete()


def payment_of_another_sum(done, stuck):
    unguarded()
    Payment.objects.filter(order=done).update(amount=1)


def one_transaction_two_payments(done, stuck):
    unguarded("payment_gateway_transaction_once")
    Payment.objects.update(gateway_transaction_id="SAME")


def paid_and_cancelled(done, stuck):
    unguarded()
    Order.objects.filter(pk=stuck.pk).update(status="CANCELLED", paid_at=None)


def paid_and_still_waiting(done, stuck):
    unguarded()
    Order.objects.filter(pk=stuck.pk).update(status="INITIATED", paid_at=None)


def second_payment(done, stuck):
    unguarded()
    Payment.objects.create(
        order=done, method="bkash", status="SUCCEEDED", reference="BDV-2-2", paid_at=timezone.now(),
        amount=done.total_amount, created_at=timezone.now(),
    )  # fmt: skip


def bought_twice(done, stuck):
    unguarded("purchase_unit_never_twice")
    sql(
        "INSERT INTO partner_api_transactions (item_id, unit_no, source_id, partner_id, attempt_id,"
        " reference, status, partner_transaction_id, voucher_id, response, error, sent_at, checks,"
        " created_at, ended_at, close_reason) SELECT item_id, unit_no, source_id, partner_id,"
        " attempt_id, reference || 'X', status, '', voucher_id, response, error, sent_at, checks,"
        " created_at, ended_at, close_reason FROM partner_api_transactions"
        " WHERE status = 'SUCCEEDED'"
    )


def reference_used_twice(done, stuck):
    unguarded("purchase_reference_once")
    sql("UPDATE partner_api_transactions SET reference = 'SAME'")


def bought_without_code(done, stuck):
    unguarded("purchase_succeeded_has_voucher")
    sql("UPDATE partner_api_transactions SET voucher_id = NULL WHERE status = 'SUCCEEDED'")


def pending_for_ever(done, stuck):
    unguarded()
    Order.objects.filter(pk=stuck.pk).update(status="PENDING")


def alert_lost(done, stuck):
    AdminAlert.objects.filter(order=stuck).update(resolved_at=timezone.now())


def alert_left_open(done, stuck):
    AdminAlert.objects.create(
        order=done, kind="fulfillment_failed", message="x", correlation_id="x",
        created_at=timezone.now(),
    )  # fmt: skip


def mailed_twice(done, stuck):
    mail = EmailMessage.objects.get(order=done)
    mail.pk, mail.dispatch_no, mail.message_id, mail.dedup_key = None, 9, "<9@x>", ""
    mail.save(force_insert=True)


def mail_row_lost(done, stuck):
    unguarded()
    EmailMessage.objects.filter(order=done).delete()


def mail_of_other_codes(done, stuck):
    mail = EmailMessage.objects.get(order=done)
    EmailMessage.objects.filter(pk=mail.pk).update(voucher_ids=mail.voucher_ids[:1])


def no_trace(done, stuck):
    unguarded()
    sql("DELETE FROM partner_api_transactions")
    FulfillmentAttempt.objects.filter(order=done).delete()


def nobody_did_it(done, stuck):
    unguarded("attempt_by_hand_has_operator")
    FulfillmentAttempt.objects.filter(order=stuck).update(type="PARTNER_RETRY")


def dispatched_twice(done, stuck):
    unguarded("attempt_dispatched_once")
    attempt = FulfillmentAttempt.objects.filter(order=done).first()
    FulfillmentAttempt.objects.filter(pk=attempt.pk).update(status="DISPATCHED")
    attempt.pk, attempt.status = None, "DISPATCHED"
    attempt.save(force_insert=True)


def dispatch_failed_without_codes(done, stuck):
    unguarded()
    stuck.items.update(fulfillment_status="DISPATCH_FAILED")


def went_where_no_arrow_leads(done, stuck):
    unguarded()
    done.events.filter(kind="status", new="SUCCEEDED").update(old="CANCELLED")


def item_of_a_free_code(done, stuck):
    unguarded("voucher_item_goes_with_status")
    Voucher.objects.filter(order_item__order=done, unit_no=2).update(status="available")


def reserved_for_ever(done, stuck):
    unguarded()
    past = timezone.now() - timedelta(hours=1)
    Voucher.objects.filter(order_item__order=done, unit_no=2).update(
        status="reserved", reserved_until=past
    )


def stock_is_free(done, stuck):
    voucher = VoucherFactory(code="C-1", variant=item_of(stuck).variant)
    past = timezone.now() - timedelta(hours=1)
    Voucher.objects.filter(pk=voucher.pk).update(created_at=past)
    unguarded()
    FulfillmentAttempt.objects.filter(order=stuck).update(ended_at=past)


def price_changed(done, stuck):
    unguarded()
    done.items.filter(position=0).update(unit_price=1)


def uses_miscounted(done, stuck):
    sql(
        "INSERT INTO discount_codes (code, description, discount_type, discount_value, used_count,"
        " is_active, created_at) VALUES ('X', '', 'flat', 1, 3, true, now())"
    )


def mailed_before_paid(done, stuck):
    unguarded("order_paid_not_after_mailed")
    Order.objects.filter(pk=done.pk).update(paid_at=timezone.now() + timedelta(days=1))


def odd_number(done, stuck):
    unguarded("order_number_has_8_digits")
    Order.objects.filter(pk=done.pk).update(order_number="0123")


def left_lying(model, **fields):
    def breach(done, stuck):
        unguarded()
        past = timezone.now() - timedelta(hours=1)
        model.objects.filter(order=stuck if model is FulfillmentAttempt else done).update(
            **{name: past if value == "past" else value for name, value in fields.items()}
        )

    breach.__name__ = f"left_lying_{model.__name__}"
    return breach


BREACHES = [
    ("I1", same_code_twice), ("I1", mailed_for_two_orders), ("I2", code_taken_away),
    ("I2", one_code_too_many), ("I3", order_succeeded_too_early), ("I3", succeeded_without_mail),
    ("I4", payment_gone), ("I4", payment_of_another_sum), ("I5", one_transaction_two_payments),
    ("I6", paid_and_cancelled), ("I6", paid_and_still_waiting), ("I7", second_payment),
    ("I8", bought_twice), ("I8", reference_used_twice), ("I9", bought_without_code),
    ("I10", pending_for_ever), ("I11", alert_lost), ("I11", alert_left_open),
    ("I12", mailed_twice), ("I12", mail_row_lost), ("I13", mailed_for_two_orders),
    ("I14", mail_of_other_codes), ("I15", no_trace), ("I15", nobody_did_it),
    ("I16", dispatched_twice), ("I17", dispatch_failed_without_codes),
    ("I18", went_where_no_arrow_leads), ("I19", item_of_a_free_code), ("I19", reserved_for_ever),
    ("I20", stock_is_free), ("I21", price_changed), ("I21", payment_of_another_sum),
    ("I21", uses_miscounted), ("I26", bought_twice), ("I27", mailed_before_paid),
    ("I28", odd_number),
    ("I29", left_lying(FulfillmentAttempt, status="IN_PROGRESS", next_try_at="past",
                       ended_at=None)),
    ("I29", left_lying(EmailMessage, status="PENDING", next_try_at="past")),
    ("I29", left_lying(Payment, status="PENDING", next_check_at="past", effective=False,
                       paid_at=None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "breach"), BREACHES, ids=[f"{name}-{breach.__name__}" for name, breach in BREACHES]
)
def test_a_breach_is_seen(shop, name, breach):
    breach(*shop)
    assert breaches_of(BY_NAME[name], now=timezone.now()) != []


def test_every_rule_has_a_breach_of_its_own():
    assert {name for name, _ in BREACHES} == set(BY_NAME)


def test_a_breach_is_one_alert_that_closes_when_it_holds_again(shop):
    done, _ = shop
    alert_left_open(*shop)
    for _ in range(2):
        sweep_invariants()
    alert = AdminAlert.objects.get(kind="invariant", resolved_at=None)
    assert alert.order == done
    assert alert.message.startswith("I11: ")
    AdminAlert.objects.filter(kind="fulfillment_failed", order=done).update(
        resolved_at=timezone.now()
    )
    sweep_invariants()
    assert not AdminAlert.objects.filter(kind="invariant", resolved_at=None).exists()


def test_a_general_breach_is_an_alert_of_no_order(shop):
    uses_miscounted(*shop)
    found = breaches_of(BY_NAME["I21"], now=timezone.now())
    keep_alerts(found, now=timezone.now())
    keep_alerts(found, now=timezone.now())
    assert AdminAlert.objects.get(kind="invariant").order is None
    keep_alerts([], now=timezone.now())
    assert AdminAlert.objects.get(kind="invariant").resolved_at is not None


def test_the_command_says_what_is_broken_and_fails(shop):
    done, _ = shop
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert "0 breach(es), 25 rules" in out.getvalue()
    alert_left_open(*shop)
    with pytest.raises(SystemExit):
        call_command("check_invariants", stdout=out)
    assert f"(order #{done.order_number})" in out.getvalue()
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_invariants", "--json", stdout=out)
    assert json.loads(out.getvalue())["breaches"][0]["rule"] == "I11"
