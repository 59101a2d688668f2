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
