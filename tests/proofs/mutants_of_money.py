"""Breakages where money is taken and paid back, and where mail is sent."""

from typing import Final

from tests.proofs.mutant import Mutant

_REFUNDS: Final = ("payments/tests/test_refunds.py",)
_OUTSIDE: Final = ("tests/architecture/test_durable.py",)
_SETTLING: Final = ("payments/tests/test_settlement.py",)
_MAIL: Final = ("notifications/tests/test_delivery.py",)
_RESENT: Final = ("fulfillment/tests/test_resend_email.py",)

OF_MONEY: Final = {
    "a second payment pays, too": Mutant(
        "payments/settlement.py",
        "payment.effective = order.status not in PAID",
        "payment.effective = True",
        _SETTLING,
    ),
    "risky money delivers": Mutant(
        "payments/settlement.py", "    if verdict.risky:\n", "    if False:\n",
        (*_SETTLING, "payments/tests/test_sslcommerz_matrix.py"),
    ),
    "an order is closed while another try to pay is open": Mutant(
        "payments/settlement.py",
        "if order.status not in UNPAID or still_open:",
        "if order.status not in UNPAID:",
        _SETTLING,
    ),
    "who left the page closes what is being taken": Mutant(
        "payments/settlement.py",
        "if verdict.unless_captured and payment.capture_sent_at is not None:",
        "if False:",
        _SETTLING,
    ),
    "money is taken twice": Mutant(
        "payments/verification.py",
        "filter(pk=payment.pk, capture_sent_at=None, status__in=OPEN).update(\n        capture",
        "filter(pk=payment.pk, status__in=OPEN).update(\n        capture",
        ("tests/races/test_captures_and_purchases.py",),
    ),
    "taken before the claim is stored": Mutant(
        "payments/verification.py",
        "    claimed = Payment.objects.filter(pk=payment.pk, capture_sent_at=None",
        "    kept('capture', lambda: capturing.capture(known(payment)), payment)\n"
        "    claimed = Payment.objects.filter(pk=payment.pk, capture_sent_at=None",
        ("payments/tests/test_bkash_matrix.py", "payments/tests/test_dcb_matrix.py"),
    ),
    "taken within a transaction": Mutant(
        "payments/verification.py", "@durable\ndef verify(", "def verify(", _OUTSIDE
    ),
    "paid back within a transaction": Mutant(
        "payments/refunding.py", "@durable\ndef carry_out(", "def carry_out(", _OUTSIDE
    ),
    "a capture that never left is never sent": Mutant(
        "payments/verification.py",
        "        Payment.objects.filter(pk=payment.pk).update(capture_sent_at=None)\n",
        "",
        ("payments/tests/test_bkash_left.py",),
    ),
    "one use of a discount for all": Mutant(
        "orders/discounts.py",
        "DiscountCode.objects.select_for_update().filter(code=wanted).first()",
        "DiscountCode.objects.filter(code=wanted).first()",
        ("tests/races/test_stock.py",),
    ),
    "more goes back than came": Mutant(
        "payments/refunding.py",
        'left = payment.received_amount - (refunds.aggregate(sum=Sum("amount"))["sum"] or ZERO)',
        "left = payment.received_amount",
        _REFUNDS,
    ),
    "two refunds of one payment at once": Mutant(
        "payments/refunding.py", "if under_way is not None:", "if False:", _REFUNDS
    ),
    "a refund is sent by everybody": Mutant(
        "payments/refunding.py",
        "filter(pk=refund.pk, status=RefundStatus.REQUESTED, by_hand=False)",
        "filter(pk=refund.pk, by_hand=False)",
        ("tests/races/test_captures_and_purchases.py",),
    ),
    "a refund is sent before it is claimed": Mutant(
        "payments/refunding.py",
        "    if sending and not _claimed(refund, now=now):\n",
        "    if sending:\n"
        "        _asked(refund, sending=True, answer_seconds=answer_seconds)\n"
        "    if sending and not _claimed(refund, now=now):\n",
        _REFUNDS,
    ),
    "a refund that may be on its way is sent again": Mutant(
        "payments/refunding.py",
        "return refund.sent_at is not None and refund.sent_at < now - settings.REFUND_RESEND_AFTER",
        "return True",
        _REFUNDS,
    ),
    "an unclear refund counts as a no": Mutant(
        "payments/refunding.py",
        "return RefundStatus.REQUESTED if surely_not_sent else RefundStatus.PENDING",
        "return RefundStatus.REQUESTED if surely_not_sent else RefundStatus.FAILED",
        _REFUNDS,
    ),
    "a refused refund leaves its units undeliverable": Mutant(
        "payments/refunding.py",
        "            restore_units(order, units, vouchers=refund.revoked, now=now)\n",
        "            pass\n",
        _REFUNDS,
    ),
    "marked as paid while it is being sent": Mutant(
        "payments/refunding.py",
        "if sent and sent > now - SENDING:",
        "if False:",
        _REFUNDS,
    ),
}  # fmt: skip

OF_MAIL: Final = {
    "mailed within a transaction": Mutant(
        "notifications/delivery.py", "@durable\ndef send(", "def send(", _OUTSIDE
    ),
    "a claim that ran out is written down": Mutant(
        "notifications/delivery.py",
        "pk=outcome.pk, status=EmailStatus.SENDING, claimed_at=outcome.claimed_at\n",
        "pk=outcome.pk\n",
        _MAIL,
    ),
    "a lease of nobody": Mutant(
        "notifications/delivery.py",
        "filter(waiting | abandoned, pk=message_id)",
        "filter(waiting, pk=message_id)",
        _MAIL,
    ),
    "a mail in doubt is sent for ever": Mutant(
        "notifications/delivery.py",
        "        reason, permanent = IN_DOUBT_TWICE, True\n",
        "        pass\n",
        _MAIL,
    ),
    "a copy that waits is doubled": Mutant(
        "notifications/services/vouchers.py", "        if waiting is not None:\n",
        "        if False:\n", _RESENT,
    ),
    "an outdated mail goes out after all": Mutant(
        "notifications/services/vouchers.py", "    _take_over(order, keep=known)\n", "",
        ("fulfillment/tests/test_instants.py",),
    ),
    "a mail that waits is sent by each passer-by": Mutant(
        "notifications/services/vouchers.py",
        "return message.next_try_at is not None and message.next_try_at <= now",
        "return True",
        ("fulfillment/tests/test_instants.py",),
    ),
}  # fmt: skip
