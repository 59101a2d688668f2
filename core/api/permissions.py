"""Who may call an operator's route; the same words as the admin's buttons (D21)."""

from collections.abc import Mapping

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class StaffMay(BasePermission):
    """Staff with the view's `required_permission`; superusers hold every one.

    It is one permission, or one per verb where reading and writing need different ones.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        needed: str | Mapping[str, str] | None = getattr(view, "required_permission", None)
        if isinstance(needed, Mapping):
            needed = needed.get(request.method or "")
        return bool(
            user is not None
            and user.is_authenticated
            and user.is_staff
            and needed is not None
            and user.has_perm(needed)
        )
