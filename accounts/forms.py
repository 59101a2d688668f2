"""The admin's sign-in page, with a sentence for who has tried too often."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class StaffSignInForm(AdminAuthenticationForm):
    def get_invalid_login_error(self) -> ValidationError:
        wait = self.request.META.get("SIGN_IN_WAIT") if self.request else None
        if wait is None:
            return super().get_invalid_login_error()
        minutes = -(-int(wait) // 60)
        message = _("Too many tries. Please try again in %(minutes)d minute(s).")
        return ValidationError(message % {"minutes": minutes}, code="rate_limited")
