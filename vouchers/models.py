"""Codes are money: one row each, encrypted, found by keyed fingerprint, never sold twice."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from catalog.models import Partner, Variant
from orders.models import OrderItem
from vouchers.states import BatchStatus, Outcome, VoucherStatus


class Batch(models.Model):
    """One import of codes: what was said of them, how far it is, what came of it.

    The rows are the outbox: the upload (sealed, until it is read), the chunks (sealed, until
    each is loaded) and the report of what was left out.
    """

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    supplier = models.CharField(max_length=200)
    unit_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    """Taka (BDT) a code."""
    expires_at = models.DateTimeField(null=True, blank=True)
    """Of rows that do not say their own."""
    code_digits = models.PositiveSmallIntegerField(null=True, blank=True)
    """How long each code is: the only way to take codes that a spreadsheet holds as numbers."""
    file_name = models.CharField(max_length=200, blank=True)
    file_digest = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(
        max_length=10, choices=BatchStatus.choices, default=BatchStatus.DONE, db_index=True
    )
    asks = models.BooleanField(default=True)
    """Whether a person looks at what was read before it is imported."""
    problem = models.CharField(max_length=500, blank=True)
    """Why it could not be read."""
    read = models.PositiveIntegerField(default=0)
    """Rows read so far."""
    good = models.PositiveIntegerField(default=0)
    """Of these, rows to be imported."""
    loaded = models.PositiveIntegerField(default=0)
    """Of the good ones, how many have been gone through."""
    rows = models.PositiveIntegerField(default=0)
    """Codes it added to the pool."""
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    claimed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    """When its codes began to go into the pool."""
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "voucher_batches"
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(loaded__lte=models.F("good"), good__lte=models.F("read"))
                & Q(rows__lte=models.F("loaded"))
                | Q(read=0),
                name="batch_counts_add_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.supplier} {self.created_at:%Y-%m-%d}"


class BatchUpload(models.Model):
    """A piece of what was uploaded, sealed; gone when it has been read (D20)."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="uploads")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField(editable=False)

    class Meta:
        db_table = "voucher_batch_uploads"
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_upload_once")
        ]


class BatchChunk(models.Model):
    """Rows that were read and wait to be loaded, sealed; emptied by the commit that loads them."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField(editable=False)
    loaded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "voucher_batch_chunks"
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_chunk_once"),
            models.CheckConstraint(
                condition=Q(loaded_at__isnull=True) | Q(sealed=b""), name="batch_chunk_emptied"
            ),
        ]


class BatchLine(models.Model):
    """A row that was left out, and why."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="lines")
    row_no = models.PositiveIntegerField()
    """As the file or the text counts it, from 1."""
    place = models.PositiveSmallIntegerField(default=0)
    """Which code of that line."""
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    message = models.CharField(max_length=300)
    mask = models.CharField(max_length=20, blank=True)
    sealed = models.BinaryField(default=b"", editable=False)
    """A line that was not understood, as it was pasted: it may hold a code."""

    class Meta:
        db_table = "voucher_batch_lines"
        ordering = ["row_no", "place"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "row_no", "place"], name="batch_line_once")
        ]


class Voucher(models.Model):
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=10, choices=VoucherStatus.choices, default=VoucherStatus.AVAILABLE
    )
    secret = models.BinaryField(editable=False)
    """Code, PIN and redemption link, sealed by `vouchers.ciphers` (D20)."""
    fingerprint = models.BinaryField(max_length=32, editable=False)
    """Keyed digest of the normalised code (D34)."""
    words = ArrayField(models.BinaryField(), default=list, editable=False)
    """Keyed digests of the code's groups, for the customer's search."""
    mask = models.CharField(max_length=20, editable=False)
    """What staff see of the code."""
    serial_number = models.CharField(max_length=120, null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, related_name="vouchers", null=True, db_index=False
    )
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", null=True)
    metadata = models.JSONField(default=dict, blank=True)
    order_item = models.ForeignKey(
        OrderItem, on_delete=models.PROTECT, related_name="vouchers", null=True
    )
    unit_no = models.PositiveSmallIntegerField(null=True)
    """Which unit of the item this code fills, 1 to quantity."""
    former_item = models.ForeignKey(
        OrderItem, on_delete=models.PROTECT, related_name="former_vouchers", null=True
    )
    reserved_until = models.DateTimeField(null=True)
    sold_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=300, blank=True)
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    revoked_at = models.DateTimeField(null=True)
    """Paid back after delivery: stays `sold`, and is shown and mailed to nobody any more (D42)."""
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    revoked_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "vouchers"
        permissions = [
            ("replace_voucher", "Can replace a bad code"),
            ("void_voucher", "Can take unsold codes out of the pool"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], name="voucher_code_once_for_ever"),
            models.UniqueConstraint(fields=["order_item", "unit_no"], name="voucher_one_per_unit"),
            models.CheckConstraint(
                name="voucher_item_goes_with_status",
                condition=Q(
                    status__in=["available", "void"], order_item__isnull=True, unit_no__isnull=True
                )
                | Q(
                    status__in=["reserved", "sold", "used"],
                    order_item__isnull=False,
                    unit_no__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="voucher_reserved_has_deadline",
                condition=~Q(status="reserved") | Q(reserved_until__isnull=False),
            ),
            models.CheckConstraint(
                name="voucher_sold_has_time",
                condition=~Q(status__in=["sold", "used"]) | Q(sold_at__isnull=False),
            ),
            models.CheckConstraint(
                name="voucher_voided_says_why",
                condition=Q(voided_at__isnull=True, voided_by__isnull=True)
                | Q(voided_at__isnull=False, status="void") & ~Q(void_reason=""),
            ),
            models.CheckConstraint(
                name="voucher_revoked_was_sold",
                condition=Q(revoked_at__isnull=True, revoked_reason="")
                | Q(revoked_at__isnull=False, status__in=["sold", "used", "void"])
                & ~Q(revoked_reason=""),
            ),
        ]
        indexes = [
            # 0.16 ms against 714 ms among 1M rows (invariants, measured facts)
            models.Index(
                fields=["variant", "expires_at", "id"],
                condition=Q(status="available"),
                name="voucher_free",
            ),
            models.Index(
                fields=["reserved_until"], condition=Q(status="reserved"), name="voucher_reserved"
            ),
            models.Index(
                fields=["variant", "sold_at"],
                condition=Q(sold_at__isnull=False),
                name="voucher_sold_when",
            ),
            GinIndex(fields=["words"], name="voucher_words"),
            # A batch's codes, and from the index alone how many are in which state.
            models.Index(fields=["batch", "status"], name="voucher_of_batch"),
            models.Index(
                fields=["serial_number"],
                condition=Q(serial_number__isnull=False),
                name="voucher_by_serial",
            ),
        ]


class CodeReveal(models.Model):
    """Somebody of the staff read a code in full: who, which, why (D20)."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="reveals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    correlation_id = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "code_reveals"
        permissions = [("reveal_code", "Can read codes in full")]


class Stock(Variant):
    """A variant, looked at as what is left of it."""

    class Meta:
        proxy = True
        verbose_name = "stock"
        verbose_name_plural = "stock"
        default_permissions = ()
