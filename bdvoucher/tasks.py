"""Housekeeping, and what spans the apps."""

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from bdvoucher.invariants import check_all, keep_alerts
from core.api.idempotency import KEPT
from core.models import IdempotencyKey
from payments.renewals import renew_due


@shared_task
def sweep_expired(**_later: object) -> None:
    """Revoked tokens that have died by themselves meanwhile, and answers kept long enough (D24)."""
    now = timezone.now()
    OutstandingToken.objects.filter(expires_at__lte=now).delete()
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()


@shared_task
def sweep_invariants(**_later: object) -> None:
    """Go through every rule; each breach is an alert, which closes when it holds again."""
    now = timezone.now()
    breaches = [breach for _, found in check_all(now=now) for breach in found]
    keep_alerts(breaches, now=now)


@shared_task
def sweep_subscriptions(**_later: object) -> None:
    """Running it twice is harmless: each subscription is locked, each period has one order."""
    renew_due(now=timezone.now())
