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
        if user is None or not user.is_authenticated or not user.is_staff:
            return False
        if isinstance(needed, Mapping):
            verb = request.method or ""
            if verb not in needed or not hasattr(view, verb.lower()):
                return True  # there is nothing to be allowed: the view answers 405
            needed = needed[verb]
        return needed is not None and user.has_perm(needed)
