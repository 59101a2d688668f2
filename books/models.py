"""Statements of others laid beside our books, and every gap that was found."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from books.states import GapKind, Side
from fulfillment.models import PartnerTransaction
from payments.models import Payment, Refund

MOST_DIGITS, PLACES = 18, 5
"""Partners write cents in five places; taka has two."""


class Reconciliation(models.Model):
    """One file, one period, one comparison: what stood in both is counted, what did not is kept."""

    side = models.CharField(max_length=10, choices=Side.choices)
    provider = models.CharField(max_length=60)
    """Slug of the gateway or of the partner."""
    layout = models.CharField(max_length=20)
    """How the file was read: a provider's own layout, or `generic` with `columns`."""
    columns = models.JSONField(default=dict, blank=True)
    zone = models.CharField(max_length=60)
    """Of the file's times where they name none."""
    period_from = models.DateTimeField()
    period_to = models.DateTimeField()
    """The first instant that does not belong to the period."""
    file_name = models.CharField(max_length=200, blank=True)
    file_digest = models.CharField(max_length=64)
    lines = models.PositiveIntegerField()
    """Of the file that moved money."""
    skipped = models.PositiveIntegerField(default=0)
    """Of the file that moved none: failed, cancelled, still open."""
    outside = models.PositiveIntegerField(default=0)
    """Of the file that are of another time than the period."""
    matched = models.PositiveIntegerField()
    uncompared = models.PositiveIntegerField(default=0)
    """Of the matched: purchases whose cost the partner did not tell us when it sold."""
    totals = models.JSONField(default=dict)
    """`{"theirs": {currency: amount}, "ours": {...}}`, amounts as text; refunds count against."""
    correlation_id = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reconciliations"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_from__lt=models.F("period_to")),
                name="reconciliation_period_runs_forward",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.period_from:%Y-%m-%d}, run {self.pk}"


class BooksPage(Reconciliation):
    """No table of its own: the page of sums has its place in the menu by it."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = verbose_name_plural = "books"


class Gap(models.Model):
    """What does not agree, with its amount; never deleted, explained once."""

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, related_name="gaps"
    )
    kind = models.CharField(max_length=20, choices=GapKind.choices)
    is_refund = models.BooleanField(default=False)
    """Money that went the other way."""
    line = models.PositiveIntegerField(null=True)
    """Where it stands in the file; null for what stands here only."""
    reference = models.CharField(max_length=120, blank=True)
    """Ours, as far as it is known."""
    transaction = models.CharField(max_length=120, blank=True)
    """How they call it."""
    ours = models.DecimalField(null=True, max_digits=MOST_DIGITS, decimal_places=PLACES)
    theirs = models.DecimalField(null=True, max_digits=MOST_DIGITS, decimal_places=PLACES)
    amount = models.DecimalField(max_digits=MOST_DIGITS, decimal_places=PLACES)
    """Theirs less ours, so that all gaps of a run add up to the difference of its totals."""
    currency = models.CharField(max_length=3)
    at = models.DateTimeField(null=True)
    remark = models.CharField(max_length=300, blank=True)
    """What we know of it that helps to explain it."""
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+", null=True)
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="+", null=True)
    purchase = models.ForeignKey(
        PartnerTransaction, on_delete=models.PROTECT, related_name="+", null=True
    )
    explained_at = models.DateTimeField(null=True)
    explained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "reconciliation_gaps"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=GapKind.values), name="gap_kind_is_known"),
            models.CheckConstraint(
                condition=Q(explained_at=None, explained_by=None, note="")
                | (Q(explained_at__isnull=False, explained_by__isnull=False) & ~Q(note="")),
                name="gap_explained_by_somebody_with_a_note",
            ),
        ]


class ClosedDay(models.Model):
    """A day of Dhaka whose sums are kept (`books.closing`)."""

    day = models.DateField(primary_key=True)
    closed_at = models.DateTimeField()

    class Meta:
        db_table = "books_closed_days"
        default_permissions = ()


class ChangedDay(models.Model):
    """Written by triggers: something of this day changed, and its kept sums hold no longer.

    Never unique, so that nobody who changes two days waits for who changes the same two.
    """

    day = models.DateField(db_index=True)

    class Meta:
        db_table = "books_changed_days"
        default_permissions = ()


class DayLine(models.Model):
    """What one closed day came to; the columns are told in `books.lines`."""

    day = models.ForeignKey(
        ClosedDay, on_delete=models.CASCADE, db_column="day", related_name="+", db_index=True
    )

    class Meta:
        abstract = True


class DayMoney(DayLine):
    method = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    paid_count = models.PositiveIntegerField()
    paid = models.DecimalField(max_digits=18, decimal_places=2)
    refunded_count = models.PositiveIntegerField()
    refunded = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        db_table = "books_day_money"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "method", "currency"], name="day_money_once_a_method"
            )
        ]


class DaySales(DayLine):
    """Ids without foreign keys: what they name never vanishes, and stays what it was."""

    variant_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)
    source_id = models.BigIntegerField(null=True)
    cost_by = models.CharField(max_length=10)
    sold = models.PositiveIntegerField()
    brought = models.DecimalField(max_digits=40, decimal_places=20)
    """Not rounded (the column is plain `numeric`): the sum is, as it is for an open day."""
    charged = models.DecimalField(max_digits=24, decimal_places=8, null=True)

    class Meta:
        db_table = "books_day_sales"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(cost_by="batch", batch_id__isnull=False)
                | Q(cost_by__in=["charge", "source"], source_id__isnull=False)
                | Q(cost_by="unknown"),
                name="day_sales_cost_is_somewhere",
            ),
        ]


class DaySpending(DayLine):
    partner_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    currency = models.TextField(blank=True)
    purchases = models.PositiveIntegerField()
    cost = models.DecimalField(null=True, max_digits=24, decimal_places=8)

    class Meta:
        db_table = "books_day_spending"
        default_permissions = ()
