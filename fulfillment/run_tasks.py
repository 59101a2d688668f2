"""Doors for the worker: recovery runs."""

from celery import shared_task
from django.utils import timezone

from fulfillment.running import runs_to_work_on, wake_paused, work_run


@shared_task
def sweep_run(*, run_id: int, **_later: object) -> None:
    """One piece of a run; running it twice is harmless, a lease lets one through."""
    if work_run(run_id):
        sweep_run.delay(run_id=run_id)


@shared_task
def sweep_runs(**_later: object) -> None:
    """Runs whose worker died, whose pace made a pause, or whose partner is back."""
    now = timezone.now()
    wake_paused(now=now)
    for run_id in runs_to_work_on(now=now):
        sweep_run.delay(run_id=run_id)
