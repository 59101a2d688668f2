"""Housekeeping of tables that belong to no journey."""

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from core.api.idempotency import KEPT
from core.models import IdempotencyKey


@shared_task
def sweep_expired(**_later: object) -> None:
    """Revoked tokens that have died by themselves meanwhile, and answers kept long enough (D24)."""
    now = timezone.now()
    OutstandingToken.objects.filter(expires_at__lte=now).delete()
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
