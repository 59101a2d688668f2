"""Deliberate breakages, one guard each, and the tests that must notice.

`before` stands exactly once in its file: a mutant that no longer applies is a failure, too.
"""

from typing import Final

from tests.proofs.mutant import Mutant
from tests.proofs.mutants_of_goods import OF_CODES, OF_GOODS
from tests.proofs.mutants_of_money import OF_MAIL, OF_MONEY

_ALWAYS: Final = "models.CheckConstraint(condition=models.Q(id__gte=0), "

_GUARDS: Final = {
    "no lock on the order": Mutant(
        "orders/services.py",
        'Order.objects.select_for_update(of=("self",)).get(pk=order_id)',
        "Order.objects.get(pk=order_id)",
        ("tests/races/test_money_and_repair.py", "tests/races/test_refunds.py"),
    ),
    "no lock on free codes": Mutant(
        "vouchers/services.py",
        'lock = "FOR UPDATE SKIP LOCKED" if skip_locked else ""',
        'lock = ""',
        ("tests/races/test_stock.py", "tests/proofs/test_contended_stock.py"),
    ),
    "no second look for codes": Mutant(
        "vouchers/services.py",
        "found |= _waited_for(wanted, doubted, now=now)",
        "doubted = set(doubted)",
        ("tests/races/test_stock.py",),
    ),
    "any sum pays": Mutant(
        "payments/settlement.py",
        "right = verdict.amount == payment.amount and verdict.currency == CURRENCY",
        "right = True",
        ("payments/tests/test_settlement.py",),
    ),
    "the callback is believed": Mutant(
        "payments/settlement.py",
        "return _STATUS.get(verdict.outcome)",
        "return PaymentStatus.SUCCEEDED",
        ("payments/tests/test_settlement.py",),
    ),
    "stock is not given back": Mutant(
        "payments/settlement.py",
        "    release(order)\n",
        "",
        ("payments/tests/test_settlement.py", "payments/tests/test_plan.py"),
    ),
    "a unit under way is bought again": Mutant(
        "fulfillment/purchasing.py",
        "if not ours.exists() or _taken(item, unit_no):",
        "if not ours.exists():",
        (
            "fulfillment/tests/test_pipeline_accidents.py",
            "fulfillment/tests/test_refunded_units.py",
        ),
    ),
    "an unknown outcome counts as a no": Mutant(
        "fulfillment/purchasing.py",
        "        case Unavailable() | OutcomeUnknown():\n"
        "            result = Result(PurchaseStatus.UNKNOWN,",
        "        case Unavailable() | OutcomeUnknown():\n"
        "            result = Result(PurchaseStatus.FAILED,",
        ("fulfillment/tests/test_pipeline.py",),
    ),
    "sent again while it may be known there": Mutant(
        "fulfillment/purchasing.py",
        "if purchase.sent_at > now - settings.PARTNER_UNKNOWN_WINDOW or _filled(purchase):",
        "if False:",
        ("fulfillment/tests/test_pipeline.py", "fulfillment/tests/test_refunded_units.py"),
    ),
    "delivered without a payment": Mutant(
        "fulfillment/recovery/guards.py",
        "if order.paid_at is None:",
        "if order.pk is None:",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "a fulfilled item is repaired": Mutant(
        "fulfillment/recovery/guards.py",
        "    if item.fulfilled:\n",
        "    if item.pk is None:\n",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "a dispatched item is repaired": Mutant(
        "fulfillment/recovery/guards.py",
        "item=item, status=AttemptStatus.DISPATCHED).exists():",
        "item=None, status=AttemptStatus.DISPATCHED).exists():",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "a foreign code is taken": Mutant(
        "fulfillment/recovery/codes.py",
        "if row.order_item_id is not None and not mine:",
        "if False:",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "the same codes are a new mail": Mutant(
        "notifications/services/vouchers.py",
        "known = EmailMessage.objects.filter(dedup_key=key).first()",
        "known, key = None, ''",
        ("fulfillment/tests/test_resend_email.py", "fulfillment/tests/test_manual_code.py"),
    ),
    "two may send one mail": Mutant(
        "notifications/delivery.py",
        "    if not claimed:\n        return None\n",
        "",
        ("notifications/tests/test_delivery.py",),
    ),
    "a copy whose request died is forgotten": Mutant(
        "fulfillment/processing.py",
        "    send_left_copies(order_id)\n",
        "",
        ("fulfillment/tests/test_resend_email.py",),
    ),
    "no alert for a paid order": Mutant(
        "fulfillment/completion.py",
        "    raise_alert(order, kind, _cause(standings), now=now)\n",
        "",
        ("fulfillment/tests/test_recovery_tables.py",),
    ),
    "one code in two rows": Mutant(
        "vouchers/migrations/0001_initial.py",
        "models.UniqueConstraint(fields=('fingerprint',), ",
        _ALWAYS,
        ("tests/test_database_guards.py",),
    ),
    "two codes for one unit": Mutant(
        "vouchers/migrations/0001_initial.py",
        "models.UniqueConstraint(fields=('order_item', 'unit_no'), ",
        _ALWAYS,
        ("tests/test_database_guards.py",),
    ),
    "one unit bought twice": Mutant(
        "fulfillment/migrations/0001_initial.py",
        "models.UniqueConstraint(condition=models.Q(('status', 'FAILED'), _negated=True), "
        "fields=('item', 'unit_no'), ",
        _ALWAYS,
        ("tests/test_database_guards.py",),
    ),
    "one item dispatched twice": Mutant(
        "fulfillment/migrations/0001_initial.py",
        "models.UniqueConstraint(condition=models.Q(('status', 'DISPATCHED')), fields=('item',), ",
        _ALWAYS,
        ("tests/races/test_money_and_repair.py", "tests/test_database_guards.py"),
    ),
    "two payments pay one order": Mutant(
        "payments/migrations/0001_initial.py",
        "models.UniqueConstraint(condition=models.Q(('effective', True)), fields=('order',), ",
        _ALWAYS,
        ("tests/test_database_guards.py",),
    ),
    "one transaction pays two orders": Mutant(
        "payments/migrations/0001_initial.py",
        "models.UniqueConstraint(condition=models.Q(('gateway_transaction_id', ''), "
        "_negated=True), fields=('method', 'gateway_transaction_id'), ",
        _ALWAYS,
        ("tests/test_database_guards.py",),
    ),
}

MUTANTS: Final = _GUARDS | OF_MONEY | OF_GOODS | OF_CODES | OF_MAIL
