"""The admin's sign-in page: second factor, and a sentence for who has tried too often."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services import passes_second_factor
from core.errors import RateLimited


class StaffSignInForm(AdminAuthenticationForm):
    otp_code = forms.CharField(
        label="Code of your second factor",
        required=False,
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "spellcheck": "false"}
        ),
        help_text="Only if you have set one up; a recovery code is welcome too.",
    )

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        code = self.cleaned_data.get("otp_code", "")
        try:
            passes = passes_second_factor(user, code, now=timezone.now())
        except RateLimited as exc:
            raise self._too_often(exc.retry_after) from exc
        if not passes:
            words = _("This code is not good.") if code else _("The code is needed to sign in.")
            raise ValidationError({"otp_code": words}, code="second_factor")

    def get_invalid_login_error(self) -> ValidationError:
        wait = self.request.META.get("SIGN_IN_WAIT") if self.request else None
        return super().get_invalid_login_error() if wait is None else self._too_often(int(wait))

    def _too_often(self, seconds: int) -> ValidationError:
        message = _("Too many tries. Please try again in %(minutes)d minute(s).")
        return ValidationError(message % {"minutes": -(-seconds // 60)}, code="rate_limited")
