"""Runs and gaps to test pages with; the real ones are made by `books.services.reconcile`."""

from datetime import UTC, datetime
from decimal import Decimal

import factory

from accounts.tests.factories import UserFactory
from books.models import Gap, Reconciliation

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


class ReconciliationFactory(factory.django.DjangoModelFactory):
    """bKash in April: 3 lines, all of them found."""

    class Meta:
        model = Reconciliation

    side = "payments"
    provider = "bkash"
    layout = "bkash"
    zone = "Asia/Dhaka"
    period_from = APRIL
    period_to = MAY
    file_name = "april.csv"
    file_digest = "0" * 64
    lines = 3
    matched = 3
    totals = {"theirs": {"BDT": "1500.00"}, "ours": {"BDT": "1500.00"}}
    correlation_id = "x"
    created_by = factory.SubFactory(UserFactory, finance=True)
    created_at = MAY


class GapFactory(factory.django.DjangoModelFactory):
    """500 taka that bKash has and we have not."""

    class Meta:
        model = Gap

    reconciliation = factory.SubFactory(ReconciliationFactory)
    kind = "missing_here"
    line = factory.Sequence(lambda n: n + 2)
    reference = factory.Sequence(lambda n: f"BDV-{20_000_000 + n}-1")
    transaction = factory.Sequence(lambda n: f"TRX{n}")
    theirs = Decimal("500.00")
    amount = Decimal("500.00")
    currency = "BDT"
    at = APRIL
