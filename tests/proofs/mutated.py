"""Which modules are mutated, and the tests that have to notice."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Group:
    modules: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS: Final = {
    "money": Group(
        (
            "core/money.py", "orders/discounts.py", "orders/services.py",
            "payments/callbacks.py", "payments/closing.py", "payments/recovery.py",
            "payments/refunding.py", "payments/selectors.py", "payments/services.py",
            "payments/settlement.py", "payments/verification.py",
        ),
        (
            "core/tests", "orders/tests", "payments/tests", "tests/races/test_refunds.py",
            "tests/races/test_money_and_repair.py", "tests/races/test_stock.py",
            "tests/races/test_captures_and_purchases.py", "tests/races/test_many_callbacks.py",
            "tests/test_orders_api.py", "tests/test_discounts_api.py", "tests/test_renewals.py",
            "tests/test_invariants.py", "tests/admin/test_payment_page.py",
            "tests/admin/test_searches.py",
        ),
    ),
    "allocation": Group(
        (
            "catalog/selectors.py", "fulfillment/issuing.py",
            "fulfillment/purchasing.py", "fulfillment/planning.py", "fulfillment/processing.py",
            "fulfillment/completion.py", "fulfillment/refunds.py", "fulfillment/waiting.py",
            "fulfillment/breaker.py",
        ),
        (
            "catalog/tests", "fulfillment/tests", "payments/tests/test_refunds.py",
            "tests/races/test_refunds.py",
            "tests/races/test_money_and_repair.py", "tests/test_fulfilment_contract.py",
            "tests/test_catalogue_cache.py", "tests/proofs/test_machine.py",
            "tests/races/test_captures_and_purchases.py",
        ),
    ),
    "recovery": Group(
        (
            "fulfillment/recovery/codes.py", "fulfillment/recovery/guards.py",
            "fulfillment/recovery/purchases.py", "fulfillment/recovery/replacing.py",
            "fulfillment/recovery/results.py", "fulfillment/recovery/retry.py",
            "fulfillment/services.py", "fulfillment/selectors.py",
        ),
        (
            "fulfillment/tests", "tests/test_fulfilment_contract.py", "tests/admin/test_desk.py",
            "tests/admin/test_buttons.py",
        ),
    ),
    "vouchers and cipher": Group(
        (
            "vouchers/ciphers.py", "vouchers/pool.py", "vouchers/services.py",
            "vouchers/selectors.py", "vouchers/rows.py", "vouchers/imports.py",
            "vouchers/loading.py",
        ),
        (
            "vouchers/tests", "fulfillment/tests/test_pipeline.py",
            "fulfillment/tests/test_refunded_units.py", "fulfillment/tests/test_manual_code.py",
            "tests/races/test_stock.py", "tests/races/test_imports.py",
            "tests/test_vouchers_api.py", "bdvoucher/tests/test_rotation.py",
        ),
    ),
    "mail": Group(
        (
            "notifications/delivery.py", "notifications/alerts.py",
            "notifications/eligibility.py", "notifications/services/vouchers.py",
            "notifications/services/business.py", "notifications/services/resending.py",
            "notifications/webhooks.py",
        ),
        (
            "notifications/tests", "fulfillment/tests/test_resend_email.py",
            "fulfillment/tests/test_pipeline.py", "fulfillment/tests/test_manual_code.py",
            "tests/test_mail_desk.py", "tests/test_order_mail_api.py", "tests/test_renewals.py",
        ),
    ),
}  # fmt: skip
