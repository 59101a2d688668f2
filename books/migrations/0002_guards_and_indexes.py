"""Runs and gaps never vanish; and the indexes that the sums and the look-ups need.

They stand on tables of the apps below and are for the books alone, so they live and go with them.
"""

from django.db import migrations

from core.guards import keep_rows

INDEXES = {
    # money of a period, by method, from the index alone
    "books_paid": """ON payments (paid_at) INCLUDE (method, amount, received_amount,
        received_currency) WHERE status = 'SUCCEEDED'""",
    "books_wrong_sum": "ON payments (created_at) WHERE status = 'AMOUNT_MISMATCH'",
    "books_refunded": "ON refunds (ended_at) WHERE status = 'SUCCEEDED'",
    "books_refund_id": "ON refunds (gateway_refund_id) WHERE gateway_refund_id <> ''",
    # where every code is, and which came by nobody's file
    "books_codes": "ON vouchers (variant_id, status)",
    "books_unbatched": "ON vouchers (id) INCLUDE (variant_id) WHERE batch_id IS NULL",
    "books_sold": "ON vouchers (sold_at) WHERE status IN ('sold', 'used')",
    "books_bought": "ON partner_api_transactions (source_id) WHERE status = 'SUCCEEDED'",
    "books_bought_at": "ON partner_api_transactions (ended_at) WHERE status = 'SUCCEEDED'",
    "books_their_purchase": """ON partner_api_transactions (partner_transaction_id)
        WHERE partner_transaction_id <> ''""",
}


class Migration(migrations.Migration):
    dependencies = [
        ("books", "0001_initial"),
        ("core", "0002_guards"),
        ("payments", "0007_export_right"),
        ("fulfillment", "0004_partner_callbacks"),
        ("vouchers", "0003_revoked_codes"),
    ]
    operations = [
        keep_rows("reconciliations"),
        keep_rows("reconciliation_gaps", changeable_while="OLD.explained_at IS NULL"),
        *(
            migrations.RunSQL(f"CREATE INDEX {name} {what}", f"DROP INDEX {name}")
            for name, what in INDEXES.items()
        ),
    ]
