"""The only table of the cellar: answers kept for repeated requests (D24)."""

from django.db import models


class IdempotencyKey(models.Model):
    """One request with an `Idempotency-Key`; the caller is text, so no app is pointed at."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    """SHA-256 of method, path and body."""
    status = models.PositiveSmallIntegerField(null=True)
    """HTTP status of the stored answer; null while the first request runs."""
    body = models.JSONField(null=True)
    claimed_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(
                fields=["caller", "key"], name="idempotency_key_once_per_caller"
            )
        ]
