"""What the staff did on the operators' site; written beside the act, never changed."""

from django.utils import timezone

from accounts.models import StaffAction, User
from core import correlation


def note_staff_action(
    user: User | None, action: str, *, path: str, status: int, address: str
) -> None:
    StaffAction.objects.create(
        user=user,
        action=action[:100],
        path=path[:300],
        status=status,
        address=address[:64],
        correlation_id=correlation.current(),
        at=timezone.now(),
    )
