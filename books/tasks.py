"""Doors for the worker."""

from celery import shared_task
from django.utils import timezone

from books.closing import close_days


@shared_task
def sweep_days(**_later: object) -> None:
    """Close the days that are over, and those that changed since. Twice is harmless."""
    close_days(now=timezone.now())
